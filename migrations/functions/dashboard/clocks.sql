-- The dashboard's section about the clocks that call the jobs.

create or replace function ops.dashboard_clocks(p_now timestamptz)
returns jsonb
language sql
stable
set search_path = ''
as $$
    with bounds as (
        select (value #>> '{}')::numeric as most from ops.settings where key = 'threshold.clock_silent_periods'
    )
    select coalesce(
        jsonb_agg(
            jsonb_build_object(
                'clock', read.clock,
                'job', read.job,
                'firstAt', read.first_at,
                'lastAt', case when read.first_at is not null then read.last_at end,
                'everySeconds', extract(epoch from read.period),
                'silentPeriods', read.silent_periods,
                'lateSeconds', round(read.late_seconds, 1),
                'status', read.status,
                'answer', case when read.clock = 'supabase' then nullif(ops.newest_answer(p_now), '{}') end
            )
            order by read.clock, read.job
        ),
        '[]'
    )
    from bounds
    cross join lateral ops.read_clocks(bounds.most, p_now) as read
$$;

comment on function ops.dashboard_clocks(timestamptz) is
    'Each clock and job: when the clock called last, how often it does, how late it is, and whether it has fallen silent; of the scheduler in the database also what its newest call was answered, as far as that can be known.';
