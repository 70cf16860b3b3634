-- Ninety days of a component, in whole seconds a day in UTC. Of several checks the one counts
-- that was down longest on that day, and the longest time that one of them was not measured.

create or replace function ops.component_days(p_component ops.components, p_now timestamptz)
returns jsonb
language sql
stable
set search_path = ''
as $$
    with bounds as (
        select ops.floor_to_day(p_now) - interval '2136 hours' as first_day
    ),
    measured as (
        select
            of_check.day,
            max(of_check.down) as down,
            max(of_check.unknown) as unknown,
            max(of_check.maintenance) as maintenance
        from bounds
        cross join unnest(ops.component_checks(p_component)) as feed (name)
        cross join lateral ops.check_days(feed.name, bounds.first_day, p_now) as of_check
        group by of_check.day
    ),
    cut as (
        select
            measured.day,
            span.seconds,
            round(least(measured.down, span.seconds)) as down,
            round(least(measured.maintenance, span.seconds)) as maintenance,
            round(least(measured.unknown, span.seconds)) as unknown
        from measured
        cross join lateral (
            select round(extract(epoch from least(measured.day + interval '24 hours', p_now) - measured.day))
        ) as span (seconds)
    ),
    -- The longest of several checks may overlap: what was down counts first.
    fitted as (
        select
            day,
            seconds,
            down,
            least(maintenance, seconds - down) as maintenance,
            least(unknown, seconds - down - least(maintenance, seconds - down)) as unknown
        from cut
    ),
    days as (
        select
            listed.day, fitted.down, fitted.unknown, fitted.maintenance,
            fitted.seconds - fitted.down - fitted.unknown - fitted.maintenance as up
        from bounds
        cross join generate_series(bounds.first_day, ops.floor_to_day(p_now), interval '24 hours') as listed (day)
        left join fitted on fitted.day = listed.day
    ),
    sums as (
        select
            coalesce(sum(up), 0) as up,
            coalesce(sum(down), 0) as down,
            coalesce(sum(unknown), 0) as unknown,
            coalesce(sum(maintenance), 0) as maintenance
        from days
    )
    select jsonb_build_object(
        'from', to_char((select first_day from bounds) at time zone 'UTC', 'YYYY-MM-DD'),
        'up', (select jsonb_agg(up order by day) from days),
        'down', (select jsonb_agg(down order by day) from days),
        'unknown', (select jsonb_agg(unknown order by day) from days),
        'maintenance', (select jsonb_agg(maintenance order by day) from days),
        'percent', figures -> 'percent',
        'lower', figures -> 'lower',
        'upper', figures -> 'upper',
        'coverage', figures -> 'coverage'
    )
    from sums
    cross join lateral ops.uptime_document(up, 0, down, unknown, maintenance) as figures
$$;

comment on function ops.component_days(ops.components, timestamptz) is
    'The last ninety days of a component: seconds up, down, unknown and in maintenance by day, null before it was measured, and what they come to.';
