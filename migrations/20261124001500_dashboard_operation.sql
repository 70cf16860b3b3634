-- The dashboard's sections about operation: health, uptime, alerts, incidents.
--
-- Why: as for the sections about the application. What was not observed
-- recently enough is unknown, not healthy.
-- Read by: public.ops_dashboard.
-- Undo: drop the functions of this file.

set local search_path = '';

-- Health and uptime ----------------------------------------------------------

create function ops.service_health(p_now timestamptz, p_environment text)
returns table (
    service text,
    status text,
    critical boolean,
    response_time numeric,
    last_check timestamptz,
    reason text,
    uptime numeric
)
language sql
stable
set search_path = ''
as $$
    with checks as (
        select *
        from ops.checks
        where environment = p_environment
            -- What the newest tick reported; the application as its aggregate.
            and last_seen_at = (select max(last_seen_at) from ops.checks where environment = p_environment)
            and kind in ('dependency', 'aggregate')
    ),
    observed as (
        select
            checks.service,
            checks.critical,
            newest.at,
            newest.latency_ms,
            coalesce(newest.status, 'unknown') as status,
            newest.reason,
            day.up,
            day.down
        from checks
        left join lateral (
            select at, latency_ms, status, reason
            from (
                select *
                from ops.samples
                where samples.check_name = checks.name and samples.at <= p_now
                order by samples.at desc, samples.id desc
                limit 1
            ) as sample
            where at + make_interval(secs => valid_seconds) >= p_now
        ) as newest on true
        cross join lateral ops.uptime(checks.name, p_now - interval '24 hours', p_now) as day
    )
    select
        service,
        case (array_agg(status order by array_position('{down,degraded,unknown,up}'::text[], status)))[1]
            when 'up' then 'healthy'
            when 'degraded' then 'degraded'
            when 'down' then 'unhealthy'
            else 'unknown'
        end,
        bool_or(critical),
        max(latency_ms),
        max(at),
        (array_agg(reason order by array_position('{down,degraded,unknown,up}'::text[], status)))[1],
        -- Of several checks the one that fared worst.
        min(round(100 * up / nullif(up + down, 0), 4))
    from observed
    group by service
$$;

comment on function ops.service_health(timestamptz, text) is
    'Each service as its newest sample says, unknown once that is no longer valid; uptime is the last 24 hours in %.';

create function ops.dashboard_health(p_now timestamptz, p_environment text)
returns jsonb
language sql
stable
set search_path = ''
as $$
    with services as (
        select
            health.*,
            case service
                when 'app' then (
                    select percent
                    from ops.error_rate(
                        p_now - ops.minutes(ops.read_settings(), 'window.error_rate_minutes'), p_now
                    )
                )
            end as error_rate
        from ops.service_health(p_now, p_environment) as health
    )
    select jsonb_build_object(
        'overall', case
            when count(*) = 0 then 'unknown'
            when bool_or(critical and status = 'unhealthy') then 'unhealthy'
            when bool_or(status in ('unhealthy', 'degraded')) then 'degraded'
            when bool_or(status = 'unknown') then 'unknown'
            else 'healthy'
        end,
        'services', coalesce(
            jsonb_object_agg(
                service,
                jsonb_build_object(
                    'status', status,
                    'responseTime', response_time,
                    'errorRate', error_rate,
                    'uptime', uptime,
                    'lastCheck', last_check,
                    'reason', reason
                )
            ),
            '{}'
        ),
        'lastUpdated', max(last_check)
    )
    from services
$$;

comment on function ops.dashboard_health(timestamptz, text) is
    'The services and the whole: unhealthy if a critical service is, degraded if another suffers, unknown if something is not known.';

create function ops.uptime_windows(p_check text, p_seconds integer, p_now timestamptz)
returns jsonb
language sql
stable
set search_path = ''
as $$
    -- Seconds of adjoining periods add up, so that no sample is read twice.
    with cuts as (
        select distinct seconds
        from unnest(array[p_seconds, 86400, 604800, 2592000]) as cut (seconds)
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
        from (values ('24h', 86400), ('7d', 604800), ('30d', 2592000), ('window', p_seconds)) as period (name, seconds)
        join pieces on pieces.seconds <= period.seconds
        group by period.name
    ) as periods
$$;

comment on function ops.uptime_windows(text, integer, timestamptz) is
    'Uptime of a check over 24 hours, 7 days, 30 days and the range asked for.';

create function ops.dashboard_uptime(p_seconds integer, p_now timestamptz, p_environment text)
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
        'windows', windows.document,
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
    'Uptime of the application in % with all that it rests on, and the incidents of the last 30 days or of a longer range; durations in seconds.';

-- Alerts and incidents -------------------------------------------------------

create function ops.dashboard_alerts()
returns jsonb
language sql
stable
set search_path = ''
as $$
    with recent as (
        select alert.*, incident.number
        from ops.alerts as alert
        left join ops.incidents as incident on incident.id = alert.incident
        order by alert.opened_at desc, alert.id
        limit 20
    )
    select jsonb_build_object(
        'activeAlerts', (select count(*) from ops.alerts where status <> 'resolved'),
        'criticalAlerts', (select count(*) from ops.alerts where status <> 'resolved' and severity = 'critical'),
        'recentAlerts', coalesce(
            (
                select jsonb_agg(
                    jsonb_build_object(
                        'id', id,
                        'type', rule,
                        'severity', severity,
                        'status', status,
                        'subject', subject,
                        'message', coalesce(facts ->> 'message', facts ->> 'title'),
                        'timestamp', opened_at,
                        'resolvedAt', resolved_at,
                        'incident', number
                    )
                    order by opened_at desc, id
                )
                from recent
            ),
            '[]'
        )
    )
$$;

comment on function ops.dashboard_alerts() is 'How many alerts are open, and the 20 opened last.';

create function ops.dashboard_incidents(p_from timestamptz, p_now timestamptz)
returns jsonb
language sql
stable
set search_path = ''
as $$
    with recent as (
        select *
        from ops.incidents
        where started_at <= p_now and (resolved_at is null or resolved_at > p_from)
        order by started_at desc, number desc
        limit 20
    )
    select coalesce(
        jsonb_agg(
            jsonb_build_object(
                'id', id,
                'number', number,
                'severity', severity,
                'status', status,
                'startedAt', started_at,
                'resolvedAt', resolved_at,
                'durationSeconds', extract(epoch from coalesce(resolved_at, p_now) - started_at),
                'rule', rule,
                'subject', subject,
                'affects', affects,
                'alerts', (select count(*) from ops.alerts where alerts.incident = recent.id)
            )
            order by started_at desc, number desc
        ),
        '[]'
    )
    from recent
$$;

comment on function ops.dashboard_incidents(timestamptz, timestamptz) is
    'The 20 newest incidents that are unresolved or were during the range.';

revoke all on all functions in schema ops from public, anon, authenticated;
grant execute on all functions in schema ops to service_role;
