-- The dashboard with uptime over a quarter and a year, per check, and with
-- objectives.
--
-- Why: a year is 365 rows of days, so that it costs no more to ask for.
-- Read by: GET /api/monitoring/dashboard.
-- Undo: put the former functions back, drop ops.uptime_of_checks.

set local search_path = '';

create or replace function ops.uptime_windows(p_check text, p_seconds integer, p_now timestamptz)
returns jsonb
language sql
stable
set search_path = ''
as $$
    -- Seconds of adjoining periods add up, so that no sample is read twice.
    with cuts as (
        select distinct seconds
        from (values (p_seconds), (86400), (604800), (2592000), (7776000), (31536000)) as cut (seconds)
    ),
    pieces as (
        select bounds.seconds, piece.*
        from (select seconds, lag(seconds, 1, 0) over (order by seconds) as newer from cuts) as bounds
        cross join lateral ops.uptime(
            p_check,
            p_now - make_interval(secs => bounds.seconds),
            p_now - make_interval(secs => bounds.newer)
        ) as piece
    )
    select jsonb_object_agg(name, document)
    from (
        select
            period.name,
            ops.uptime_document(sum(up), sum(degraded), sum(down), sum(unknown), sum(maintenance)) as document
        from (values
            ('24h', 86400), ('7d', 604800), ('30d', 2592000), ('90d', 7776000), ('1y', 31536000), ('window', p_seconds)
        ) as period (name, seconds)
        join pieces on pieces.seconds <= period.seconds
        group by period.name
    ) as periods
$$;

comment on function ops.uptime_windows(text, integer, timestamptz) is
    'Uptime of a check over 24 hours, 7, 30 and 90 days, a year, and the range asked for.';

create function ops.uptime_of_checks(p_now timestamptz, p_environment text)
returns jsonb
language sql
stable
set search_path = ''
as $$
    with watched as (
        select name
        from ops.checks
        where environment = p_environment
            -- A certificate is not up or down, and the aggregate is the whole.
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
    'Uptime in % of the checked pages and dependencies, 20 of them at most.';

create or replace function ops.dashboard_uptime(p_seconds integer, p_now timestamptz, p_environment text)
returns jsonb
language sql
stable
set search_path = ''
as $$
    -- Materialized, or every use of the document would compute it again.
    with windows as materialized (
        select ops.uptime_windows(
            -- Elsewhere nothing is checked, and nothing is known.
            coalesce((select name from ops.checks where name = 'app' and environment = p_environment), ''),
            p_seconds,
            p_now
        ) as document
    ),
    recent as (
        select *
        from ops.incidents
        where started_at <= p_now
            and (
                resolved_at is null
                or resolved_at > p_now - make_interval(secs => greatest(p_seconds, 2592000))
            )
        order by started_at desc
        limit 20
    )
    select jsonb_build_object(
        'uptime24h', windows.document #> '{24h,percent}',
        'uptime7d', windows.document #> '{7d,percent}',
        'uptime30d', windows.document #> '{30d,percent}',
        'uptime90d', windows.document #> '{90d,percent}',
        'uptime1y', windows.document #> '{1y,percent}',
        'windows', windows.document,
        'checks', ops.uptime_of_checks(p_now, p_environment),
        'incidents', coalesce(
            (
                select jsonb_agg(
                    jsonb_build_object(
                        'date', started_at,
                        'duration', extract(epoch from coalesce(resolved_at, p_now) - started_at),
                        'impact', severity
                    )
                    order by started_at desc
                )
                from recent
            ),
            '[]'
        )
    )
    from windows
$$;

comment on function ops.dashboard_uptime(integer, timestamptz, text) is
    'Uptime of the application in % with all that it rests on, of its checks, and the incidents of the last 30 days or of a longer range; durations in seconds.';

create or replace function public.ops_dashboard(
    p_seconds integer,
    p_environment text,
    p_now timestamptz default null
)
returns jsonb
language plpgsql
stable
set search_path = ''
-- Compiling a plan would take longer than running it.
set jit = off
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_from timestamptz := v_now - make_interval(secs => p_seconds);
    v_uptime jsonb;
begin
    if coalesce(p_seconds, 0) not between 60 and 31622400
        or coalesce(p_environment, '') not in ('development', 'preview', 'production')
    then
        raise exception 'a dashboard needs a range of 60 to 31622400 s and an environment (development, preview or production)'
            using errcode = 'invalid_parameter_value';
    end if;

    v_uptime := ops.dashboard_uptime(p_seconds, v_now, p_environment);
    return jsonb_build_object(
        'systemHealth', ops.dashboard_health(v_now, p_environment),
        'performance', ops.dashboard_performance(v_from, v_now, p_environment),
        'errors', ops.dashboard_errors(v_from, v_now, p_environment),
        'business', ops.dashboard_business(v_from, v_now, p_environment),
        'alerts', ops.dashboard_alerts(),
        'uptime', v_uptime,
        'slo', ops.dashboard_slo(v_uptime -> 'windows', p_environment, v_now),
        'incidents', ops.dashboard_incidents(v_from, v_now),
        'database', ops.dashboard_database(),
        'outbox', ops.dashboard_outbox(v_now),
        'jobs', ops.dashboard_jobs(v_now),
        'backups', ops.dashboard_backups(v_now)
    );
end
$$;

revoke all on all functions in schema ops from public, anon, authenticated;
grant execute on all functions in schema ops to service_role;
