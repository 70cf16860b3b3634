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
                'status', case
                    when read.silent_periods > bounds.most then 'silent'
                    when read.first_at is null or read.period is null then 'new'
                    else 'ok'
                end,
                'answer', case when read.clock = 'supabase' then nullif(ops.newest_answer(p_now), '{}') end
            )
            order by read.clock, read.job
        ),
        '[]'
    )
    from ops.read_clocks(p_now) as read
    cross join bounds
$$;

comment on function ops.dashboard_clocks(timestamptz) is
    'Each clock and job: when the clock called last, how often it does, how late it is, and whether it has fallen silent; of the scheduler in the database also what its newest call was answered, as far as that can be known.';
