-- Jobs and runs: who does which slot of which job, once.
--
-- Why: a scheduler calls late, twice or not at all, and a function may be killed
-- half way. A run claims its slot with a lease and a fencing token; a second
-- caller is told so; a killed run's slot is taken over; a slot that nobody
-- called is recorded.
-- Read by: the cron endpoints, the dashboard.
-- Undo: drop the functions, then ops.runs and ops.jobs.

set local search_path = '';

create table ops.jobs (
    job text primary key check (job ~ '^[a-z][a-z_]{0,49}$'),
    every_seconds integer not null check (every_seconds between 1 and 31622400),
    fence bigint not null default 0,
    lease_run uuid,
    lease_until timestamptz,
    first_slot timestamptz,
    last_slot timestamptz,
    committed_at timestamptz,
    updated_at timestamptz not null default now()
);

comment on table ops.jobs is 'What runs by schedule, one row a job; locking the row serialises its runs.';
comment on column ops.jobs.fence is 'Token of the newest claim; a run that holds an older one has been superseded.';
comment on column ops.jobs.lease_run is 'The run that holds the job until lease_until, or null.';
comment on column ops.jobs.first_slot is 'First scheduled slot that was ever claimed; null means not set up.';
comment on column ops.jobs.committed_at is 'Time of the newest committed tick; what happened since is new to the next one.';

create table ops.runs (
    id uuid primary key,
    job text not null references ops.jobs (job),
    slot timestamptz,
    fence bigint not null,
    outcome text not null
        check (outcome in ('running', 'done', 'partial', 'failed', 'missed', 'abandoned')),
    started_at timestamptz not null,
    finished_at timestamptz,
    lease_until timestamptz,
    missed integer not null default 0,
    summary jsonb
);

comment on table ops.runs is 'Every run of a job, and every slot that nobody ran.';
comment on column ops.runs.id is 'Made by the caller, so that a claim may be repeated.';
comment on column ops.runs.slot is 'Database time floored to the job''s interval; null for a manual run.';
comment on column ops.runs.outcome is 'abandoned: its lease ran out and another run took over; missed: nobody claimed the slot.';
comment on column ops.runs.missed is 'How many slots before this one nobody had claimed.';
comment on column ops.runs.summary is 'What the run reported when it finished; a repeated commit returns it.';

-- An abandoned run leaves its slot to the next one.
create unique index runs_slot_key on ops.runs (job, slot) where outcome <> 'abandoned';
create index runs_job_idx on ops.runs (job, started_at desc);

-- Known before it ever runs, so that the dashboard can say that it does not.
insert into ops.jobs (job, every_seconds) values ('monitor', 60);

alter table ops.jobs enable row level security;
alter table ops.runs enable row level security;

-- Claim ----------------------------------------------------------------------

create function ops.floor_to_slot(p_at timestamptz, p_every_seconds integer)
returns timestamptz
language sql
immutable
parallel safe
set search_path = ''
as $$
    select to_timestamp((floor(extract(epoch from p_at) / p_every_seconds) * p_every_seconds)::float8)
$$;

comment on function ops.floor_to_slot(timestamptz, integer) is
    'The slot that an instant falls into: whole intervals since 1970, UTC.';

create function ops.claimed_document(p_run ops.runs)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_build_object(
        'outcome', 'claimed',
        'reason', null,
        'job', p_run.job,
        'run', p_run.id,
        'slot', p_run.slot,
        'fence', p_run.fence,
        'now', p_run.started_at,
        'missed', p_run.missed,
        'settings', ops.read_settings()
    )
$$;

comment on function ops.claimed_document(ops.runs) is 'What a caller hears that has claimed a run.';

create function ops.record_missed_slots(p_job ops.jobs, p_slot timestamptz)
returns integer
language plpgsql
set search_path = ''
as $$
declare
    v_missed integer := greatest(0, ceil(
        extract(epoch from p_slot - p_job.last_slot) / p_job.every_seconds
    ) - 1);
begin
    -- A day of minutes, newest first; the count stays true beyond that.
    insert into ops.runs (id, job, slot, fence, outcome, started_at, finished_at)
    select gen_random_uuid(), p_job.job, missed.slot, p_job.fence, 'missed', missed.slot, missed.slot
    from generate_series(1, least(v_missed, 1440)) as nth
    cross join lateral (
        select p_slot - make_interval(secs => nth::float8 * p_job.every_seconds) as slot
    ) as missed
    where missed.slot > p_job.last_slot
    on conflict (job, slot) where outcome <> 'abandoned' do nothing;

    return coalesce(v_missed, 0);
end
$$;

comment on function ops.record_missed_slots(ops.jobs, timestamptz) is
    'Records the slots strictly between the job''s last one and this one, and returns how many they are.';

create function public.ops_claim_run(
    p_run uuid,
    p_job text,
    p_every_seconds integer,
    p_lease_seconds integer,
    p_manual boolean,
    p_now timestamptz default null
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_slot timestamptz;
    v_job ops.jobs;
    v_run ops.runs;
    v_missed integer := 0;
    v_skipped text;
begin
    if p_run is null
        or p_manual is null
        or p_job is null
        or coalesce(p_every_seconds, 0) not between 1 and 31622400
        or coalesce(p_lease_seconds, 0) not between 1 and 3600
    then
        raise exception 'a claim needs a run, a job, an interval of 1 to 31622400 s, a lease of 1 to 3600 s and whether it is manual'
            using errcode = 'invalid_parameter_value';
    end if;

    insert into ops.jobs (job, every_seconds, updated_at)
    values (p_job, p_every_seconds, v_now)
    on conflict (job) do update
    set every_seconds = excluded.every_seconds, updated_at = excluded.updated_at
    returning * into v_job;

    select * into v_run from ops.runs where id = p_run;
    if found then
        return ops.claimed_document(v_run);
    end if;

    v_slot := case when not p_manual then ops.floor_to_slot(v_now, p_every_seconds) end;
    v_skipped := case
        when v_job.lease_run is not null and v_job.lease_until > v_now then 'busy'
        when exists (
            select
            from ops.runs
            where job = p_job and slot = v_slot and outcome not in ('running', 'abandoned')
        ) then 'done'
    end;
    if v_skipped is not null then
        -- Nothing has changed, so that a repeated call may find the job free.
        return jsonb_build_object(
            'outcome', 'skipped',
            'reason', v_skipped,
            'job', p_job,
            'run', p_run,
            'slot', v_slot,
            'fence', null,
            'now', v_now,
            'missed', 0,
            'settings', null
        );
    end if;

    -- Whoever is still running has outlived its lease.
    update ops.runs
    set outcome = 'abandoned', finished_at = v_now
    where job = p_job and outcome = 'running';

    if v_slot > v_job.last_slot then
        v_missed := ops.record_missed_slots(v_job, v_slot);
    end if;

    update ops.jobs
    set
        fence = fence + 1,
        lease_run = p_run,
        lease_until = v_now + make_interval(secs => p_lease_seconds),
        first_slot = coalesce(first_slot, v_slot),
        last_slot = greatest(last_slot, v_slot)
    where job = p_job
    returning * into v_job;

    insert into ops.runs (id, job, slot, fence, outcome, started_at, lease_until, missed)
    values (p_run, p_job, v_slot, v_job.fence, 'running', v_now, v_job.lease_until, v_missed)
    returning * into v_run;

    return ops.claimed_document(v_run);
end
$$;

comment on function public.ops_claim_run(uuid, text, integer, integer, boolean, timestamptz) is
    'Claims the job''s present slot (or, manually, no slot) under a lease, or says why not: busy or done. Repeated with the same run, a claim returns its first result.';

-- Finish ---------------------------------------------------------------------

create function ops.close_run(
    p_run uuid,
    p_fence bigint,
    p_outcome text,
    p_summary jsonb,
    p_now timestamptz
)
returns void
language plpgsql
set search_path = ''
as $$
begin
    update ops.runs
    set outcome = p_outcome, summary = p_summary, finished_at = p_now
    where id = p_run;

    update ops.jobs
    set lease_run = null, lease_until = null, updated_at = p_now
    where lease_run = p_run and fence = p_fence;
end
$$;

comment on function ops.close_run(uuid, bigint, text, jsonb, timestamptz) is
    'Writes a run''s outcome and gives its lease back if it still has it.';

create function ops.lock_run(p_run uuid, p_fence bigint)
returns ops.runs
language plpgsql
set search_path = ''
as $$
declare
    v_run ops.runs;
    v_fence bigint;
begin
    select jobs.fence into v_fence
    from ops.jobs
    where job = (select job from ops.runs where id = p_run)
    for update;
    if not found then
        raise exception 'unknown run %', coalesce(p_run::text, 'null')
            using errcode = 'invalid_parameter_value';
    end if;

    select * into v_run from ops.runs where id = p_run;
    -- What has outlived its lease counts until somebody takes over, not after.
    if v_run.outcome = 'running' and (v_fence is distinct from p_fence or v_run.fence <> v_fence) then
        v_run.outcome := 'abandoned';
    end if;
    return v_run;
end
$$;

comment on function ops.lock_run(uuid, bigint) is
    'Locks the run''s job and returns the run, as abandoned if the fence is not the newest.';

create function public.ops_finish_run(
    p_run uuid,
    p_fence bigint,
    p_outcome text,
    p_summary jsonb,
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
    if p_outcome is null or p_outcome not in ('done', 'partial', 'failed') then
        raise exception 'a run finishes as done, partial or failed, not as %', coalesce(p_outcome, 'null')
            using errcode = 'invalid_parameter_value';
    end if;

    v_run := ops.lock_run(p_run, p_fence);
    if v_run.outcome = 'running' then
        perform ops.close_run(p_run, p_fence, p_outcome, p_summary, v_now);
    end if;

    return jsonb_build_object('outcome', case
        when v_run.outcome in ('abandoned', 'missed') then 'superseded'
        else 'finished'
    end);
end
$$;

comment on function public.ops_finish_run(uuid, bigint, text, jsonb, timestamptz) is
    'Finishes a run once and releases its lease; superseded if another run has taken over.';

revoke all on all functions in schema ops from public, anon, authenticated;
grant execute on all functions in schema ops to service_role;
revoke all on function public.ops_claim_run(uuid, text, integer, integer, boolean, timestamptz) from public, anon, authenticated;
grant execute on function public.ops_claim_run(uuid, text, integer, integer, boolean, timestamptz) to service_role;
revoke all on function public.ops_finish_run(uuid, bigint, text, jsonb, timestamptz) from public, anon, authenticated;
grant execute on function public.ops_finish_run(uuid, bigint, text, jsonb, timestamptz) to service_role;
