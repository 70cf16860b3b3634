-- Runs: which run does which slot of which job, exactly once. A scheduler calls late, twice
-- or not at all, and a function may be killed half way. A run claims its slot with a lease
-- and a fence; a second caller is refused the slot and learns why; the slot of a killed run
-- is taken over by the next run; a slot that nobody called is recorded as missed.

create or replace function ops.floor_to_slot(p_at timestamptz, p_every_seconds integer)
returns timestamptz
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
begin
    return to_timestamp((floor(extract(epoch from p_at) / p_every_seconds) * p_every_seconds)::float8);
end
$$;

comment on function ops.floor_to_slot(timestamptz, integer) is
    'The slot that an instant falls into: whole intervals since 1970, UTC.';

create or replace function ops.claimed_document(p_run ops.runs)
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
        'settings', ops.read_settings(),
        -- A manual run probes every check, due or not.
        'checks', case
            when p_run.job = 'monitor' then ops.due_checks(p_run.started_at, p_run.slot is null)
        end
    )
$$;

comment on function ops.claimed_document(ops.runs) is 'What a caller gets that has claimed a run.';

create or replace function ops.record_missed_slots(p_job ops.jobs, p_slot timestamptz)
returns integer
language plpgsql
set search_path = ''
as $$
declare
    v_missed integer := greatest(0, ceil(
        extract(epoch from p_slot - p_job.last_slot) / p_job.every_seconds
    ) - 1);
begin
    -- At most a day of minutes is recorded, newest first; the count goes beyond that.
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
    'Records the slots strictly between the job''s last one and this one as missed, and returns how many there are.';

create or replace function ops.check_claim(
    p_run uuid,
    p_job text,
    p_every_seconds integer,
    p_lease_seconds integer,
    p_manual boolean
)
returns void
language plpgsql
set search_path = ''
as $$
begin
    perform ops.check_given('run', p_run, 'a uuid that the caller made');
    perform ops.check_given('job', p_job, 'the name of a job');
    perform ops.check_number('every_seconds', p_every_seconds, 1, 31622400);
    perform ops.check_number('lease_seconds', p_lease_seconds, 1, 3600);
    perform ops.check_given('manual', p_manual, 'true or false');
end
$$;

comment on function ops.check_claim(uuid, text, integer, integer, boolean) is
    'Refuses with SQLSTATE 22023 a claim that lacks something or is out of bounds.';

create or replace function ops.why_not_claimed(p_job ops.jobs, p_slot timestamptz, p_now timestamptz)
returns text
language sql
stable
set search_path = ''
as $$
    select case
        when p_job.lease_run is not null and p_job.lease_until > p_now then 'busy'
        when exists (
            select
            from ops.runs
            where job = p_job.job and slot = p_slot and outcome not in ('running', 'abandoned')
        ) then 'done'
    end
$$;

comment on function ops.why_not_claimed(ops.jobs, timestamptz, timestamptz) is
    'Why a slot (null: a manual run) cannot be claimed: the job is busy with another run, or the slot is done; null if it can.';

create or replace function ops.skipped_document(
    p_run uuid,
    p_job text,
    p_slot timestamptz,
    p_reason text,
    p_now timestamptz
)
returns jsonb
language sql
immutable
set search_path = ''
as $$
    select jsonb_build_object(
        'outcome', 'skipped',
        'reason', p_reason,
        'job', p_job,
        'run', p_run,
        'slot', p_slot,
        'fence', null,
        'now', p_now,
        'missed', 0,
        'settings', null
    )
$$;

comment on function ops.skipped_document(uuid, text, timestamptz, text, timestamptz) is
    'What a caller gets whose run could not be claimed.';

create or replace function ops.lease_holder(p_job ops.jobs)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_build_object(
        'run', id,
        'manual', slot is null,
        'since', started_at,
        'until', p_job.lease_until
    )
    from ops.runs
    where id = p_job.lease_run
$$;

comment on function ops.lease_holder(ops.jobs) is
    'The run that holds a job: whether somebody asked for it or the schedule did, since when it holds the job, and until when if it does not renew its lease.';

create or replace function ops.begin_run(
    p_run uuid,
    p_job ops.jobs,
    p_slot timestamptz,
    p_lease_seconds integer,
    p_now timestamptz
)
returns ops.runs
language plpgsql
set search_path = ''
as $$
declare
    v_missed integer := 0;
    v_job ops.jobs;
    v_run ops.runs;
begin
    -- The lease is free, so a run that is still running has outlived it.
    update ops.runs
    set outcome = 'abandoned', finished_at = p_now
    where job = p_job.job and outcome = 'running';

    if p_slot > p_job.last_slot then
        v_missed := ops.record_missed_slots(p_job, p_slot);
    end if;

    update ops.jobs
    set
        fence = fence + 1,
        lease_run = p_run,
        lease_until = p_now + make_interval(secs => p_lease_seconds),
        first_slot = coalesce(first_slot, p_slot),
        last_slot = greatest(last_slot, p_slot)
    where job = p_job.job
    returning * into v_job;

    insert into ops.runs (id, job, slot, fence, outcome, started_at, lease_until, missed)
    values (p_run, p_job.job, p_slot, v_job.fence, 'running', p_now, v_job.lease_until, v_missed)
    returning * into v_run;
    return v_run;
end
$$;

comment on function ops.begin_run(uuid, ops.jobs, timestamptz, integer, timestamptz) is
    'Begins a run in a slot (null: a manual run) of a job that the caller has locked and found free: gives it the lease and the next fence.';

create or replace function public.ops_claim_run(
    p_run uuid,
    p_job text,
    p_every_seconds integer,
    p_lease_seconds integer,
    p_manual boolean,
    p_now timestamptz default null,
    p_clock text default null,
    p_scheduled_for timestamptz default null
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
    v_reason text;
begin
    perform ops.hold_functions();
    perform ops.check_claim(p_run, p_job, p_every_seconds, p_lease_seconds, p_manual);

    -- Writing the row locks the job, so that its claims come one after the other.
    insert into ops.jobs (job, every_seconds, updated_at)
    values (p_job, p_every_seconds, v_now)
    on conflict (job) do update
    set every_seconds = excluded.every_seconds, updated_at = excluded.updated_at
    returning * into v_job;

    select * into v_run from ops.runs where id = p_run;
    if found then
        return ops.claimed_document(v_run);
    end if;

    if not p_manual and p_clock is not null then
        perform ops.note_clock(p_clock, p_scheduled_for, v_job, v_now);
    end if;

    v_slot := case when not p_manual then ops.floor_to_slot(v_now, p_every_seconds) end;
    v_reason := ops.why_not_claimed(v_job, v_slot, v_now);
    if v_reason is not null then
        -- Nothing is remembered of this, so that a repeated call may find the job free.
        return ops.skipped_document(p_run, p_job, v_slot, v_reason, v_now)
            || jsonb_build_object('holder', case when v_reason = 'busy' then ops.lease_holder(v_job) end);
    end if;
    v_run := ops.begin_run(p_run, v_job, v_slot, p_lease_seconds, v_now);
    return ops.claimed_document(v_run);
end
$$;

comment on function public.ops_claim_run(uuid, text, integer, integer, boolean, timestamptz, text, timestamptz) is
    'Claims the present slot of a job, or no slot for a manual run, under a lease; or says why it cannot: busy, with the run that holds the job, or done. A claim that is repeated with the same run returns its first result. p_clock names the clock that called, and p_scheduled_for the time for which it did.';

create or replace function ops.close_run(
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
    'Writes the outcome of a run, and gives its lease back if it still has it.';

create or replace function ops.lock_run(p_run uuid, p_fence bigint)
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
        perform ops.refuse('run', 'a run that was claimed', p_run::text);
    end if;

    select * into v_run from ops.runs where id = p_run;
    -- A run that has outlived its lease still counts, but only until another takes over.
    if v_run.outcome = 'running' and (v_fence is distinct from p_fence or v_run.fence <> v_fence) then
        v_run.outcome := 'abandoned';
    end if;
    return v_run;
end
$$;

comment on function ops.lock_run(uuid, bigint) is
    'Locks the job of a run and returns the run; as abandoned if the fence is not the newest of the job.';

create or replace function public.ops_finish_run(
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
    perform ops.hold_functions();
    perform ops.check_word('outcome', p_outcome, ops.words('ops.run_result'));
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
    'Finishes a run once and releases its lease. The answer is superseded if another run has taken over.';
