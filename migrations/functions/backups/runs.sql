-- A backup takes longer than a lease should last, so its run renews the lease while it
-- works, and once more right before it seals. How the run ended is recorded here, because
-- the age of the newest backup has to be watched even when the store cannot be asked; but
-- only the store's commit record makes a backup exist.

create or replace function public.ops_extend_lease(
    p_run uuid,
    p_fence bigint,
    p_lease_seconds integer,
    p_now timestamptz default null
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_until timestamptz;
    v_run ops.runs;
begin
    perform ops.hold_functions();
    perform ops.check_number('lease_seconds', p_lease_seconds, 1, 3600);

    v_run := ops.lock_run(p_run, p_fence);
    if v_run.outcome <> 'running' then
        return jsonb_build_object('outcome', 'superseded', 'until', null);
    end if;

    -- A repeated call that arrives late must not shorten the lease.
    update ops.jobs
    set lease_until = greatest(
        lease_until,
        coalesce(p_now, now()) + make_interval(secs => p_lease_seconds)
    )
    where job = v_run.job
    returning lease_until into v_until;
    update ops.runs set lease_until = v_until where id = p_run;

    return jsonb_build_object('outcome', 'extended', 'until', v_until);
end
$$;

comment on function public.ops_extend_lease(uuid, bigint, integer, timestamptz) is
    'Lets a run hold its job for that long from now. The answer is superseded if the run has ended or another has taken over.';

create or replace function ops.check_sealed(p_backup jsonb)
returns void
language plpgsql
set search_path = ''
as $$
declare
    v_key text;
begin
    foreach v_key in array '{snapshot,takenAt,sealedAt}'::text[] loop
        if not coalesce(p_backup ? v_key, false) then
            perform ops.refuse(v_key, 'given for a backup that is done', null);
        end if;
    end loop;
end
$$;

comment on function ops.check_sealed(jsonb) is
    'Refuses with SQLSTATE 22023 a backup that is said to be done and lacks what every sealed backup has.';

create or replace function public.ops_finish_backup(
    p_run uuid,
    p_fence bigint,
    p_outcome text,
    p_backup jsonb,
    p_now timestamptz default null
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_run ops.runs;
begin
    perform ops.hold_functions();
    perform ops.check_word('outcome', p_outcome, ops.words('ops.run_result'));
    if p_outcome = 'done' then
        perform ops.check_sealed(p_backup);
    end if;

    v_run := ops.lock_run(p_run, p_fence);
    if v_run.job <> 'backup' then
        perform ops.refuse('run', 'a run of the job backup', format('a run of the job %s', v_run.job));
    end if;
    if v_run.outcome = 'running' then
        insert into ops.backups (
            run, outcome, snapshot, taken_at, sealed_at, finished_at, record_sha256, figures, suspect, reason, gaps,
            not_covered
        )
        values (
            p_run,
            p_outcome,
            p_backup ->> 'snapshot',
            (p_backup ->> 'takenAt')::timestamptz,
            case when p_outcome = 'done' then (p_backup ->> 'sealedAt')::timestamptz end,
            v_now,
            -- A build that does not note it has no say in whether the backup counts.
            substring(p_backup ->> 'recordSha256' from '^[0-9a-f]{64}$'),
            coalesce(nullif(p_backup -> 'figures', 'null'), '{}'),
            left(p_backup ->> 'suspect', 1000),
            left(p_backup ->> 'reason', 1000),
            ops.named_list(p_backup -> 'gaps', 'why'),
            ops.named_list(p_backup -> 'notCovered', 'why')
        );
        perform ops.close_run(p_run, p_fence, p_outcome, p_backup, v_now);
    end if;

    return jsonb_build_object('outcome', case
        when v_run.outcome in ('abandoned', 'missed') then 'superseded'
        else 'finished'
    end);
end
$$;

comment on function public.ops_finish_backup(uuid, bigint, text, jsonb, timestamptz) is
    'Finishes a run of the backup once, records what it did and releases its lease. The answer is superseded if another run has taken over.';
