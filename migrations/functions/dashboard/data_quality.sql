-- The dashboard's section about the quality of what the application writes: how many rows
-- hold a number or a time that cannot be real, and are left out of figures. Whatever is
-- counted while a figure is made is counted there, so that nothing is read twice.

create or replace function ops.dashboard_left_out(p_latest timestamptz, p_environment text)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_build_object(
        'webVitals', (select coalesce(sum(left_out), 0) from ops.web_vitals where environment = p_environment),
        'futureRows', (
            select sum(ahead.rows)
            from (
                -- The second bound, which excludes nothing, lets the planner expect few rows.
                select count(*) as rows
                from public.analytics_events
                where "timestamp" > p_latest and "timestamp" <= 'infinity'
                union all
                select count(*) from public.api_usage_metrics where "timestamp" > p_latest and "timestamp" <= 'infinity'
                union all
                select count(*) from public.error_logs where "timestamp" > p_latest and "timestamp" <= 'infinity'
                union all
                select count(*) from public.business_metrics where "timestamp" > p_latest and "timestamp" <= 'infinity'
                union all
                select count(*) from public.alerts where "timestamp" > p_latest and "timestamp" <= 'infinity'
                union all
                select count(*)
                from public.performance_metrics
                -- These are the names that are read, and the index begins with the name.
                where name in ('page_load_time', 'LCP', 'FID', 'INP', 'CLS')
                    and "timestamp" > p_latest
                    and "timestamp" <= 'infinity'
            ) as ahead
        )
    )
$$;

comment on function ops.dashboard_left_out(timestamptz, text) is
    'How many Web Vitals were left out when they were measured last, and how many rows of all environments come from after p_latest, which is as far ahead as a clock may be.';
