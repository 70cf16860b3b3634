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
            -- What has not come yet is not rolled up.
            select coalesce(sum(n), 0)
            from ops.pending_figures
            where kind in ('request', 'event', 'error', 'metric', 'business') and at > p_latest
        ) + (
            -- The second bound, which excludes nothing, lets the planner expect few rows.
            select count(*) from public.alerts where "timestamp" > p_latest and "timestamp" <= 'infinity'
        )
    )
$$;

comment on function ops.dashboard_left_out(timestamptz, text) is
    'How many Web Vitals were left out when they were measured last, and how many rows of all environments come from after p_latest, which is as far ahead as a clock may be.';

create or replace function ops.dashboard_uncounted(p_from timestamptz, p_now timestamptz)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_build_object(
        'rows', (select coalesce(sum(rows), 0) from ops.uncounted_rows where at >= p_from and at <= p_now),
        'tablesInProgress', (
            select coalesce(jsonb_agg(name order by place), '[]') from ops.counted_tables where not finished
        )
    )
$$;

comment on function ops.dashboard_uncounted(timestamptz, timestamptz) is
    'How many rows were written in the range and could not be counted, and of which tables older rows are still being counted.';
