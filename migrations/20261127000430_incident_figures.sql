-- An incident in figures: its times, its impact, and everything that happened.
--
-- Why: each fact stands in one place (samples, alerts, their events, messages
-- and their deliveries, what people did to the incident) and is put together
-- when it is read. What nothing is known of is null, never zero.
-- Read by: the incident documents of the next file.
-- Undo: drop the functions and the index of this file.

set local search_path = '';

-- Failed requests are few: whoever looks for them need not read all.
create index if not exists ops_api_usage_metrics_failed_idx
    on public.api_usage_metrics ("timestamp") include (user_id) where status_code >= 500;

create function ops.incident_times(
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
        heard.at,
        answered.at,
        extract(epoch from answered.at - alerted.at),
        extract(epoch from p_incident.resolved_at - heard.at)
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
    ) as heard
$$;

comment on function ops.incident_times(ops.incidents) is
    'When an incident was first heard of, when a person first answered one of its alerts, and how many seconds that and its end took: from the opening of its first alert, and from when it was first heard of.';

-- Impact ---------------------------------------------------------------------

create function ops.minutes_down(p_affects text[], p_from timestamptz, p_to timestamptz)
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
    'For how many minutes of a period that service was down which fared worst; null where nothing is known of any.';

create function ops.users_hit(p_from timestamptz, p_to timestamptz, p_environment text)
returns bigint
language sql
stable
set search_path = ''
as $$
    with hits as (
        select user_id::text as person
        from public.api_usage_metrics
        where "timestamp" > p_from and "timestamp" <= p_to and status_code >= 500
        union all
        select coalesce(user_id::text, context #>> '{metadata,sessionId}')
        from public.error_logs
        where "timestamp" > p_from and "timestamp" <= p_to and environment = p_environment
    )
    select case
        when count(*) = 0 and exists (
            select from public.api_usage_metrics where "timestamp" > p_from and "timestamp" <= p_to
        ) then 0
        -- What failed for nobody knows whom failed for somebody.
        else nullif(count(distinct person), 0)
    end
    from hits
$$;

comment on function ops.users_hit(timestamptz, timestamptz, text) is
    'How many users or sessions had a failed request or an error in a period; null where no request is known, or nobody of those hit.';

create function ops.incident_impact(p_incident ops.incidents, p_now timestamptz)
returns jsonb
language sql
stable
set search_path = ''
as $$
    with bounds as (
        select
            p_incident.started_at as since,
            coalesce(p_incident.resolved_at, p_now) as until,
            coalesce(
                (
                    select facts ->> 'environment'
                    from ops.alerts
                    where incident = p_incident.id and facts ->> 'environment' is not null
                    limit 1
                ),
                'production'
            ) as environment
    ),
    reported as (
        select
            count(*) as reports,
            nullif(count(distinct detail ->> 'reporter'), 0) as reporters
        from ops.incident_events
        where incident = p_incident.id and kind = 'reported'
    )
    select jsonb_build_object(
        'users', ops.users_hit(bounds.since, bounds.until, bounds.environment),
        'failedRequests', case when sums.requests > 0 then sums.failures end,
        'minutesDown', ops.minutes_down(p_incident.affects, bounds.since, bounds.until),
        'reports', reported.reports,
        'reporters', reported.reporters
    )
    from bounds
    cross join lateral ops.sum_requests(bounds.since, bounds.until, null) as sums
    cross join reported
$$;

comment on function ops.incident_impact(ops.incidents, timestamptz) is
    'Whom and what an incident hit, from its beginning to its end or until now: distinct users, failed requests, minutes down, reports and those who reported.';

-- Timeline -------------------------------------------------------------------

create function ops.incident_timeline(p_incident uuid)
returns table (
    at timestamptz, source text, kind text, actor text, note text, alert uuid, detail jsonb, nth bigint
)
language sql
stable
set search_path = ''
as $$
    with joined as (
        select * from ops.alerts where incident = p_incident
    )
    select
        first_bad_at, 'sample', 'first_bad', null, null, id,
        jsonb_build_object('reason', facts -> 'reason', 'deployment', facts -> 'deployment'), 0
    from joined
    where first_bad_at < opened_at

    union all
    select event.at, 'alert', event.kind, event.actor, event.note, event.alert, event.detail, event.id
    from joined
    join ops.alert_events as event on event.alert = joined.id

    union all
    select
        event.at, 'incident', event.kind, event.actor, event.note,
        case event.kind when 'alert_joined' then (event.detail ->> 'alert')::uuid end, event.detail, event.id
    from ops.incident_events as event
    where event.incident = p_incident

    union all
    -- What was told before the database could be asked was never leased.
    select
        coalesce(attempt.settled_at, attempt.started_at, message.sent_at), 'message',
        case when attempt.id is null then 'sent' else coalesce(attempt.outcome, 'attempted') end,
        null, attempt.error, message.alert,
        jsonb_build_object(
            'message', message.kind,
            'channel', message.channel,
            'attempt', attempt.attempt,
            'statusCode', attempt.status_code,
            'receipt', coalesce(attempt.provider_id, message.provider_id),
            'people', jsonb_path_query_array(message.facts, '$.recipients.people[*].name')
        ),
        coalesce(attempt.id, 0)
    from joined
    join ops.outbox as message on message.alert = joined.id
    left join ops.deliveries as attempt on attempt.message = message.id
    where attempt.id is not null or message.status = 'sent'
$$;

comment on function ops.incident_timeline(uuid) is
    'Everything that happened around an incident, from wherever it is kept: first bad samples, events of its alerts and its own, attempts to deliver with their receipts.';

create function ops.timeline_document(p_incident uuid, p_limit integer)
returns jsonb
language sql
stable
set search_path = ''
as $$
    with ordered as (
        select
            entry.*,
            row_number() over in_time as place,
            -- In a storm the alerts are what is cut, not what people did and wrote.
            row_number() over (
                order by entry.source <> 'incident' or entry.kind = 'alert_joined', entry.at, entry.nth, entry.alert
            ) as weight,
            count(*) over () as entries
        from ops.incident_timeline(p_incident) as entry
        window in_time as (
            order by
                entry.at, array_position('{sample,alert,incident,message}'::text[], entry.source), entry.nth, entry.alert
        )
    )
    select jsonb_build_object(
        'timeline', coalesce(
            jsonb_agg(
                jsonb_build_object(
                    'at', ordered.at,
                    'source', ordered.source,
                    'kind', ordered.kind,
                    'actor', ordered.actor,
                    'note', ordered.note,
                    'alert', ordered.alert,
                    'rule', alert.rule,
                    'subject', alert.subject,
                    'detail', ordered.detail
                )
                order by ordered.place
            ),
            '[]'
        ),
        'timelineLeftOut', coalesce(max(ordered.entries) - count(*), 0)
    )
    from ordered
    left join ops.alerts as alert on alert.id = ordered.alert
    where ordered.weight <= p_limit
$$;

comment on function ops.timeline_document(uuid, integer) is
    'The timeline of an incident in order of time, at most so many entries, and how many are left out: what people did is not.';

revoke all on all functions in schema ops from public, anon, authenticated;
grant execute on all functions in schema ops to service_role;
