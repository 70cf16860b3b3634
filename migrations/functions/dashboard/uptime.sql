-- The dashboard's uptime of single checks over up to a year. A year of a check is 365 rows of
-- days.

create or replace function ops.uptime_of_checks(p_now timestamptz, p_environment text)
returns jsonb
language sql
stable
set search_path = ''
as $$
    with watched as (
        select name
        from ops.checks
        where environment = p_environment
            -- A certificate is neither up nor down, and the aggregate stands for the whole.
            and kind <> all ('{certificate,aggregate}'::text[])
            and last_seen_at > p_now - interval '24 hours'
        order by critical desc, name
        limit 20
    ),
    measured as materialized (
        select name, ops.uptime_windows(name, 86400, p_now) as windows from watched
    )
    select coalesce(
        jsonb_object_agg(
            name,
            jsonb_build_object(
                'uptime24h', windows #> '{24h,percent}',
                'uptime7d', windows #> '{7d,percent}',
                'uptime30d', windows #> '{30d,percent}',
                'uptime90d', windows #> '{90d,percent}',
                'uptime1y', windows #> '{1y,percent}'
            )
        ),
        '{}'
    )
    from measured
$$;

comment on function ops.uptime_of_checks(timestamptz, text) is
    'The uptime in % of checked URLs, dependencies and custom checks that a tick has reported in the last 24 hours; at most 20 of them, critical ones first.';
