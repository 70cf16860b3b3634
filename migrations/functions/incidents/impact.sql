-- These functions measure an incident: its times, and whom and what it hit. Each fact is
-- stored in one place, and the figures are computed when they are read. A figure of which
-- nothing is known is null, never zero.

create or replace function ops.incident_times(
    p_incident ops.incidents,
    out detected_at timestamptz,
    out acknowledged_at timestamptz,
    out to_acknowledge numeric,
    out to_resolve numeric
)
language sql
stable
set search_path = ''
as $$
    select
        detected.at,
        answered.at,
        extract(epoch from answered.at - alerted.at),
        extract(epoch from p_incident.resolved_at - detected.at)
    from (select min(opened_at) as at from ops.alerts where incident = p_incident.id) as alerted
    cross join (
        select min(event.at) as at
        from ops.alerts as alert
        join ops.alert_events as event on event.alert = alert.id
        where alert.incident = p_incident.id
            and event.kind in ('acknowledged', 'snoozed')
            and event.actor is not null
    ) as answered
    cross join lateral (
        select least(alerted.at, min(event.at)) as at
        from ops.incident_events as event
        where event.incident = p_incident.id and event.kind = 'opened'
    ) as detected
$$;

comment on function ops.incident_times(ops.incidents) is
    'Returns when an incident was detected, when a person first acknowledged one of its alerts, how many seconds that took from the opening of its first alert, and how many seconds passed from detection to its end.';

create or replace function ops.minutes_down(p_affects text[], p_from timestamptz, p_to timestamptz)
returns numeric
language sql
stable
set search_path = ''
as $$
    select round(max(fared.down) / 60, 1)
    from ops.checks as known
    cross join lateral ops.uptime(known.name, p_from, p_to) as fared
    where known.kind in ('aggregate', 'dependency')
        and known.service = any (p_affects)
        and fared.up + fared.down > 0
$$;

comment on function ops.minutes_down(text[], timestamptz, timestamptz) is
    'Returns for how many minutes of a period the service that was down longest was down; null where nothing is known of any of the services.';

create or replace function ops.users_hit(p_from timestamptz, p_to timestamptz, p_environment text)
returns bigint
language sql
stable
set search_path = ''
as $$
    with hits as (
        select user_id::text as person
        from public.api_usage_metrics
        where "timestamp" > p_from and "timestamp" <= p_to and status_code between 500 and 599
        union all
        select coalesce(user_id::text, context #>> '{metadata,sessionId}')
        from public.error_logs
        where "timestamp" > p_from and "timestamp" <= p_to and environment = p_environment
        union all
        select coalesce(person, session)
        from ops.items
        where (kind = 'error' or kind = 'request' and status >= 500)
            and at > p_from and at <= p_to and environment = p_environment
    )
    select case
        when count(*) = 0 and exists (
            select from public.api_usage_metrics where "timestamp" > p_from and "timestamp" <= p_to
            union all
            select from ops.items where kind = 'request' and at > p_from and at <= p_to
        ) then 0
        -- Failures without a user or session hit somebody, so the number is unknown, not 0.
        else nullif(count(distinct person), 0)
    end
    from hits
$$;

comment on function ops.users_hit(timestamptz, timestamptz, text) is
    'Returns how many users or sessions had a failed request or an error in a period; null where no request is known, or where the failures name nobody.';

create or replace function ops.incident_environment(p_incident uuid)
returns text
language plpgsql
stable
set search_path = ''
as $$
begin
    return coalesce(
        (
            select facts ->> 'environment'
            from ops.alerts
            where incident = p_incident and facts ->> 'environment' is not null
            limit 1
        ),
        'production'
    );
end
$$;

comment on function ops.incident_environment(uuid) is 'The environment that an incident is of.';

create or replace function ops.incident_users(p_incident ops.incidents, p_to timestamptz, p_environment text)
returns bigint
language plpgsql
stable
set search_path = ''
as $$
declare
    v_counted ops.incident_users;
begin
    select * into v_counted
    from ops.incident_users
    where incident = p_incident.id and resolved_at = p_incident.resolved_at;
    -- Its rows may be gone since.
    return case
        when v_counted.incident is not null then v_counted.users
        else ops.users_hit(p_incident.started_at, p_to, p_environment)
    end;
end
$$;

comment on function ops.incident_users(ops.incidents, timestamptz, text) is
    'How many users an incident hit: as they were counted after its end, else as rows say now.';

create or replace function ops.incident_impact(p_incident ops.incidents, p_now timestamptz)
returns jsonb
language sql
stable
set search_path = ''
as $$
    with bounds as (
        select
            p_incident.started_at as since,
            coalesce(p_incident.resolved_at, p_now) as until,
            ops.incident_environment(p_incident.id) as environment
    ),
    reported as (
        select
            count(*) as reports,
            nullif(count(distinct detail ->> 'reporter'), 0) as reporters
        from ops.incident_events
        where incident = p_incident.id and kind = 'reported'
    )
    select jsonb_build_object(
        'users', ops.incident_users(p_incident, bounds.until, bounds.environment),
        'failedRequests', case when sums.requests > 0 then sums.failures end,
        'minutesDown', ops.minutes_down(p_incident.affects, bounds.since, bounds.until),
        'reports', reported.reports,
        'reporters', reported.reporters
    )
    from bounds
    cross join lateral ops.sum_requests(bounds.since, bounds.until, p_now, bounds.environment) as sums
    cross join reported
$$;

comment on function ops.incident_impact(ops.incidents, timestamptz) is
    'Returns whom and what an incident hit, from its beginning to its end or until now: distinct users, failed requests, minutes down, reports and distinct reporters.';
