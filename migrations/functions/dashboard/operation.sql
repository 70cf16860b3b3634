-- The dashboard's sections about operation: health, uptime, alerts and incidents. A service
-- that was not observed recently enough is unknown, not healthy.

create or replace function ops.read_newest_samples(p_now timestamptz, p_environment text)
returns table (
    service text,
    critical boolean,
    status text,
    at timestamptz,
    latency_ms numeric,
    reason text,
    check_name text,
    uptime numeric
)
language sql
stable
set search_path = ''
as $$
    select
        checks.service,
        checks.critical,
        coalesce(newest.status, 'unknown'),
        newest.at,
        newest.latency_ms,
        newest.reason,
        -- The application as a whole says which of its pages fares worst.
        case checks.kind when 'aggregate' then newest.detail ->> 'check' else checks.name end,
        round(100 * day.up / nullif(day.up + day.down, 0), 4)
    from ops.checks
    left join lateral (
        select at, latency_ms, status, reason, detail
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
    where checks.environment = p_environment
        -- Only checks that the newest tick reported count; the application is its aggregate.
        and checks.last_seen_at = (select max(last_seen_at) from ops.checks where environment = p_environment)
        and checks.kind in ('dependency', 'aggregate')
$$;

comment on function ops.read_newest_samples(timestamptz, text) is
    'The newest sample of each dependency and of the application, unknown once it is no longer valid, with the check that it is about and the uptime of the last 24 hours in %.';

create or replace function ops.service_health(p_now timestamptz, p_environment text)
returns table (
    service text,
    status text,
    critical boolean,
    response_time numeric,
    last_check timestamptz,
    reason text,
    check_name text,
    uptime numeric
)
language sql
stable
set search_path = ''
as $$
    select
        service,
        case (array_agg(status order by badness))[1]
            when 'up' then 'healthy'
            when 'degraded' then 'degraded'
            when 'down' then 'unhealthy'
            else 'unknown'
        end,
        bool_or(critical),
        max(latency_ms),
        max(at),
        (array_agg(reason order by badness))[1],
        (array_agg(check_name order by badness))[1],
        -- Of several checks of a service, the one that fared worst counts.
        min(uptime)
    from ops.read_newest_samples(p_now, p_environment)
    cross join lateral (
        select array_position('{down,degraded,unknown,up}'::text[], status) as badness
    ) as ranked
    group by service
$$;

comment on function ops.service_health(timestamptz, text) is
    'The health of each service as its newest samples show it, unknown once they are no longer valid, with the check that fares worst. uptime is that of the last 24 hours in %.';

create or replace function ops.dashboard_health(p_now timestamptz, p_environment text)
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
                        p_now - ops.minutes(ops.read_settings(), 'window.error_rate_minutes'), p_now, p_environment
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
                    'reason', reason,
                    'check', case when status <> 'healthy' then check_name end
                )
            ),
            '{}'
        ),
        'lastUpdated', max(last_check)
    )
    from services
$$;

comment on function ops.dashboard_health(timestamptz, text) is
    'The services and the system as a whole: unhealthy if a critical service is unhealthy, degraded if any service is unhealthy or degraded, unknown if the health of a service is not known.';

create or replace function ops.uptime_windows(p_check text, p_seconds integer, p_now timestamptz)
returns jsonb
language sql
stable
set search_path = ''
as $$
    -- The periods are cut into adjoining pieces whose seconds add up, so no sample is read twice.
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
    'The uptime of a check over 24 hours, 7, 30 and 90 days, a year, and the range that was asked for.';

create or replace function ops.dashboard_uptime(p_seconds integer, p_now timestamptz, p_environment text)
returns jsonb
language sql
stable
set search_path = ''
as $$
    -- Unless it is materialized, every use of the document computes it again.
    with windows as materialized (
        select ops.uptime_windows(
            -- In other environments nothing is checked, so nothing is known.
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
        'days', ops.uptime_strips(p_now, p_environment),
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
    'The uptime of the application in %, with the seconds that it is computed from, the uptime of single checks, the last ninety days of each service, and the incidents of the range or of the last 30 days, whichever is longer. Durations are in seconds.';

create or replace function ops.dashboard_alerts(p_now timestamptz)
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
    ),
    -- It takes a moment to find out, and nobody reads more.
    asking as materialized (
        select open.id, ops.ladder_ahead(alert, 4, p_now) as ladder
        from (
            select recent.id
            from recent
            where recent.status <> 'resolved'
            order by recent.opened_at desc, recent.id
            limit 8
        ) as open
        join ops.alerts as alert using (id)
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
                        'incident', number,
                        -- A hold that is over is taken away by the next tick or delivery.
                        'heldBy', case when status <> 'resolved' then held_by end,
                        'ladder', (select asking.ladder from asking where asking.id = recent.id)
                    )
                    order by opened_at desc, id
                )
                from recent
            ),
            '[]'
        )
    )
$$;

comment on function ops.dashboard_alerts(timestamptz) is
    'How many alerts are open, how many of these are critical, and the 20 alerts that opened last, with whom the ladders of the newest open ones ask next.';

create or replace function ops.dashboard_incidents(p_from timestamptz, p_now timestamptz)
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
    ),
    listed as (
        select * from recent
        union
        select * from ops.incidents where status <> 'resolved' and started_at <= p_now
    )
    select coalesce(
        jsonb_agg(
            ops.incident_document(incident, p_now) order by incident.started_at desc, incident.number desc
        ),
        '[]'
    )
    from listed as incident
$$;

comment on function ops.dashboard_incidents(timestamptz, timestamptz) is
    'The 20 newest incidents that are unresolved or were so during the range, and every other unresolved one.';
