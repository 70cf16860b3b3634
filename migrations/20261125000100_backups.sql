-- Backups: what is known of each, the lease that outlives a beat of the heart,
-- and the canary.
--
-- Why: a backup takes longer than a lease should last, so its run renews the
-- lease while it works and asks once more right before it seals. What was sealed
-- is kept here, because the age of the newest backup has to be watched even when
-- the store cannot be asked; the store's commit record alone makes it exist.
-- Read by: /api/cron/backup, the rules about backups, the dashboard.
-- Undo: drop the functions, then ops.backups and ops.backup_canary, and delete
-- the job's row.

set local search_path = '';

-- Known before it ever runs, so that the dashboard can say that it does not.
insert into ops.jobs (job, every_seconds) values ('backup', 1800)
on conflict (job) do nothing;

create table ops.backups (
    run uuid primary key references ops.runs (id),
    outcome text not null check (outcome in ('done', 'partial', 'failed')),
    snapshot text,
    taken_at timestamptz,
    sealed_at timestamptz,
    finished_at timestamptz not null,
    figures jsonb not null default '{}',
    suspect text,
    reason text,
    check ((outcome = 'done') = (sealed_at is not null)),
    check (sealed_at is null or (snapshot is not null and taken_at is not null))
);

comment on table ops.backups is 'How each run of the backup ended.';
comment on column ops.backups.outcome is 'done: sealed; partial: its time was over, the next run goes on; failed: nothing that counts was done.';
comment on column ops.backups.snapshot is 'The name of the backup in the store.';
comment on column ops.backups.taken_at is 'The time of the snapshot, by the database''s clock: what was committed later is not in it.';
comment on column ops.backups.sealed_at is 'When the commit record was written; before that there is no backup.';
comment on column ops.backups.figures is 'Counts of rows, bytes and requests.';
comment on column ops.backups.suspect is 'Why a sealed backup may not be what it should be, or null.';
comment on column ops.backups.reason is 'Why it was not sealed, or null.';

create index backups_finished_idx on ops.backups (finished_at desc);
create index backups_taken_idx on ops.backups (taken_at desc) where outcome = 'done';

create table ops.backup_canary (
    id integer primary key check (id = 1),
    nonce text not null,
    written_at timestamptz not null
);

comment on table ops.backup_canary is 'A word that each backup writes and has to find again in what it has read.';

alter table ops.backups enable row level security;
alter table ops.backup_canary enable row level security;
-- The owner too: a session that does not bypass row level security must fail at
-- this table, since it would read others as empty.
alter table ops.backup_canary force row level security;

-- The lease ------------------------------------------------------------------

create function public.ops_extend_lease(
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
    if coalesce(p_lease_seconds, 0) not between 1 and 3600 then
        raise exception 'a lease lasts 1 to 3600 s'
            using errcode = 'invalid_parameter_value';
    end if;

    v_run := ops.lock_run(p_run, p_fence);
    if v_run.outcome <> 'running' then
        return jsonb_build_object('outcome', 'superseded', 'until', null);
    end if;

    -- A repeated call that arrives late takes nothing away.
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
    'Lets a run hold its job for that long from now; superseded if the run has ended or another has taken over.';

-- The end --------------------------------------------------------------------

create function public.ops_finish_backup(
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
    if coalesce(p_outcome, '') not in ('done', 'partial', 'failed') then
        raise exception 'a backup finishes as done, partial or failed, not as %', coalesce(p_outcome, 'null')
            using errcode = 'invalid_parameter_value';
    end if;
    if p_outcome = 'done' and not coalesce(p_backup, '{}') ?& '{snapshot,takenAt,sealedAt}'::text[] then
        raise exception 'a backup that is done has snapshot, takenAt and sealedAt'
            using errcode = 'invalid_parameter_value';
    end if;

    v_run := ops.lock_run(p_run, p_fence);
    if v_run.job <> 'backup' then
        raise exception 'run % is of the job %', p_run, v_run.job
            using errcode = 'invalid_parameter_value';
    end if;
    if v_run.outcome = 'running' then
        insert into ops.backups
            (run, outcome, snapshot, taken_at, sealed_at, finished_at, figures, suspect, reason)
        values (
            p_run,
            p_outcome,
            p_backup ->> 'snapshot',
            (p_backup ->> 'takenAt')::timestamptz,
            case when p_outcome = 'done' then (p_backup ->> 'sealedAt')::timestamptz end,
            v_now,
            coalesce(nullif(p_backup -> 'figures', 'null'), '{}'),
            left(p_backup ->> 'suspect', 1000),
            left(p_backup ->> 'reason', 1000)
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
    'Finishes a run of the backup once, keeps what it did and releases its lease; superseded if another run has taken over.';

revoke all on all functions in schema ops from public, anon, authenticated;
grant execute on all functions in schema ops to service_role;
revoke all on function public.ops_extend_lease(uuid, bigint, integer, timestamptz) from public, anon, authenticated;
grant execute on function public.ops_extend_lease(uuid, bigint, integer, timestamptz) to service_role;
revoke all on function public.ops_finish_backup(uuid, bigint, text, jsonb, timestamptz) from public, anon, authenticated;
grant execute on function public.ops_finish_backup(uuid, bigint, text, jsonb, timestamptz) to service_role;
