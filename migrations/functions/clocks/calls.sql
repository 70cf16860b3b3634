-- Which clocks call the jobs: Vercel's crons, the scheduler in the database, EventBridge of
-- AWS or any other that names itself. A call counts for its clock even if another clock was
-- first and the slot is done.

create or replace function ops.note_clock(
    p_clock text,
    p_scheduled_for timestamptz,
    p_job ops.jobs,
    p_now timestamptz
)
returns void
language plpgsql
set search_path = ''
as $$
declare
    -- A time far from now is none that a clock was set to.
    v_scheduled_for timestamptz := case
        when p_scheduled_for between p_now - interval '24 hours' and p_now + interval '1 minute' then p_scheduled_for
    end;
    v_slot timestamptz := ops.floor_to_slot(coalesce(v_scheduled_for, p_now), p_job.every_seconds);
begin
    insert into ops.clocks as known (job, clock, first_at, last_at, late_seconds, recent)
    values (p_job.job, p_clock, p_now, p_now, extract(epoch from p_now - v_scheduled_for), array[v_slot])
    on conflict (job, clock) do update
    set
        last_at = excluded.last_at,
        late_seconds = excluded.late_seconds,
        -- A call that comes twice, or late, is not a slot more.
        recent = case
            when v_slot > known.recent[1] then (v_slot || known.recent)[1:9]
            else known.recent
        end;
end
$$;

comment on function ops.note_clock(text, timestamptz, ops.jobs, timestamptz) is
    'Notes that a clock called a job, and the slot that the call is for.';

create or replace function ops.clock_period(p_recent timestamptz[])
returns interval
language sql
immutable
set search_path = ''
as $$
    -- Two calls may be anybody's, at any distance; the third shows a habit.
    select percentile_disc(0.5) within group (order by p_recent[nth] - p_recent[nth + 1])
    from generate_series(1, cardinality(p_recent) - 1) as nth
    having cardinality(p_recent) >= 3
$$;

comment on function ops.clock_period(timestamptz[]) is
    'How often a clock calls: the median of the gaps between its newest slots; null before its third call.';

create or replace function ops.clock_status(
    p_first_at timestamptz,
    p_silent interval,
    p_silent_periods numeric,
    p_most_periods numeric
)
returns text
language sql
immutable
set search_path = ''
as $$
    select case
        when p_silent_periods > p_most_periods then 'silent'
        when p_silent_periods is not null and p_first_at is not null then 'ok'
        -- No clock calls less often than once a day.
        when p_silent_periods is null and p_silent > interval '48 hours' then 'gone'
        else 'new'
    end
$$;

comment on function ops.clock_status(timestamptz, interval, numeric, numeric) is
    'How a clock stands: ok; silent for longer than it may be; new while its period is not known; or gone, if it called once or twice and for two days not again.';

create or replace function ops.read_clocks(p_most_periods numeric, p_now timestamptz)
returns table (
    clock text,
    job text,
    first_at timestamptz,
    last_at timestamptz,
    period interval,
    silent_periods numeric,
    late_seconds numeric,
    status text
)
language sql
stable
set search_path = ''
as $$
    with called as (
        select known.clock, known.job, known.first_at, known.last_at, ops.clock_period(known.recent) as period, known.late_seconds
        from ops.clocks as known

        union all
        -- A scheduler that was installed and has not come through yet is a clock as well.
        select 'supabase', job.job, null, scheduler.installed_at, make_interval(secs => job.every_seconds), null
        from ops.scheduler as scheduler
        join ops.jobs as job on job.job = 'monitor'
        where not exists (select from ops.clocks as known where known.clock = 'supabase')
    )
    select
        called.clock, called.job, called.first_at, called.last_at, called.period,
        silent.periods,
        called.late_seconds,
        ops.clock_status(called.first_at, silent.since, silent.periods, p_most_periods)
    from called
    cross join lateral (select ops.seen_time(called.last_at, p_now)) as seen (since)
    cross join lateral (
        select seen.since, round(extract(epoch from seen.since) / nullif(extract(epoch from called.period), 0), 1)
    ) as silent (since, periods)
$$;

comment on function ops.read_clocks(numeric, timestamptz) is
    'Each clock and job with how often the clock calls, for how many of its periods it has been silent, and how it stands; null while that is not known. Time in which nothing was seen does not count.';

create or replace function public.ops_forget_clock(p_clock text)
returns jsonb
language plpgsql
set search_path = ''
as $$
begin
    perform ops.hold_functions();
    perform ops.check_given('clock', p_clock, 'the name of a clock');
    delete from ops.clocks where clock = p_clock;
    return jsonb_build_object('forgotten', found);
end
$$;

comment on function public.ops_forget_clock(text) is
    'Forgets a clock that was taken out of service, so that nobody is told of its silence. It is known again as soon as it calls.';
