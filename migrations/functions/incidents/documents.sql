-- These functions show incidents as callers see them: one incident with its timeline, and
-- many without.

create or replace function ops.incident_cause(p_incident ops.incidents)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select probable.cause || jsonb_build_object(
        'side', coalesce(to_jsonb(p_incident.cause), probable.cause -> 'side'),
        'by', (
            select event.actor
            from ops.incident_events as event
            where event.incident = p_incident.id and event.kind = 'cause_changed'
            order by event.at desc, event.id desc
            limit 1
        )
    )
    from (select ops.probable_cause(p_incident.services, p_incident.began_after) as cause) as probable
$$;

comment on function ops.incident_cause(ops.incidents) is
    'Returns whose side an incident is on, with the evidence. A cause that somebody set comes before the probable one, and by names who set it.';

create or replace function ops.incident_document(p_incident ops.incidents, p_now timestamptz)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_build_object(
        'id', p_incident.id,
        'number', p_incident.number,
        'title', p_incident.title,
        'severity', p_incident.severity,
        'status', p_incident.status,
        'startedAt', p_incident.started_at,
        'detectedAt', times.detected_at,
        'acknowledgedAt', times.acknowledged_at,
        'resolvedAt', p_incident.resolved_at,
        'durationSeconds', extract(epoch from coalesce(p_incident.resolved_at, p_now) - p_incident.started_at),
        'timeToAcknowledgeSeconds', times.to_acknowledge,
        'timeToResolveSeconds', times.to_resolve,
        'openedBy', p_incident.opened_by,
        'resolvedBy', p_incident.resolved_by,
        'rule', p_incident.rule,
        'subject', p_incident.subject,
        'affects', p_incident.affects,
        'alerts', (select count(*) from ops.alerts where incident = p_incident.id),
        'cause', ops.incident_cause(p_incident),
        'beganAfter', p_incident.began_after,
        'impact', ops.incident_impact(p_incident, p_now)
    )
    from ops.incident_times(p_incident) as times
$$;

comment on function ops.incident_document(ops.incidents, timestamptz) is
    'Returns an incident without its timeline: its state, times, cause and impact.';

create or replace function public.ops_list_incidents(
    p_limit integer default 20,
    p_before bigint default null,
    p_now timestamptz default null
)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
    perform ops.check_number('limit', p_limit, 1, 100);
    return jsonb_build_object(
        'incidents', coalesce(
            (
                select jsonb_agg(
                    ops.incident_document(listed, coalesce(p_now, now())) order by listed.number desc
                )
                from (
                    select *
                    from ops.incidents
                    where p_before is null or number < p_before
                    order by number desc
                    limit p_limit
                ) as listed
            ),
            '[]'
        )
    );
end
$$;

comment on function public.ops_list_incidents(integer, bigint, timestamptz) is
    'Lists the newest incidents by number, or the newest before a number.';

create or replace function public.ops_show_incident(p_number bigint, p_now timestamptz default null)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select ops.incident_document(incident, coalesce(p_now, now()))
        -- A person reads no more entries than that, and an answer must carry them.
        || ops.timeline_document(incident.id, 2000)
        || jsonb_build_object(
            'openAlerts', coalesce(
                (
                    select jsonb_agg(alert.id order by ops.severity_rank(alert.severity) desc, alert.opened_at, alert.id)
                    from ops.alerts as alert
                    where alert.incident = incident.id and alert.status <> 'resolved'
                ),
                '[]'
            )
        )
    from ops.incidents as incident
    where incident.number = p_number
$$;

comment on function public.ops_show_incident(bigint, timestamptz) is
    'Returns an incident with its timeline and the ids of its open alerts; null if no incident has that number.';
