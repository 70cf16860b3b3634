-- These functions write and read the timeline of each incident. Triggers write what changes
-- an incident, so that no path can forget it; whoever changes one sets updated_at and
-- updated_by in the same statement. The rest is put together from the tables that keep it
-- when somebody reads the timeline.

create or replace function ops.log_incident_event(
    p_incident uuid,
    p_kind text,
    p_actor text,
    p_note text,
    p_detail jsonb,
    p_now timestamptz
)
returns void
language sql
set search_path = ''
as $$
    insert into ops.incident_events (incident, at, kind, actor, note, detail)
    values (p_incident, p_now, p_kind, p_actor, p_note, coalesce(p_detail, '{}'))
$$;

comment on function ops.log_incident_event(uuid, text, text, text, jsonb, timestamptz) is
    'Writes one line into an incident''s own timeline.';

create or replace function ops.log_incident()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
    if tg_op = 'INSERT' then
        perform ops.log_incident_event(new.id, 'opened', new.opened_by, null, null, new.updated_at);
        if new.status = 'resolved' then
            perform ops.log_incident_event(new.id, 'resolved', new.resolved_by, null, null, new.resolved_at);
        end if;
        return null;
    end if;
    if new.status <> old.status then
        perform ops.log_incident_event(
            new.id,
            case
                when new.status = 'resolved' then 'resolved'
                when old.status = 'resolved' then 'reopened'
                else 'state_changed'
            end,
            new.updated_by, null, jsonb_build_object('from', old.status, 'to', new.status), new.updated_at
        );
    end if;
    if new.severity <> old.severity then
        perform ops.log_incident_event(
            new.id, 'severity_changed', new.updated_by, null,
            jsonb_build_object('from', old.severity, 'to', new.severity), new.updated_at
        );
    end if;
    if new.cause is distinct from old.cause then
        perform ops.log_incident_event(
            new.id, 'cause_changed', new.updated_by, null,
            jsonb_build_object('from', old.cause, 'to', new.cause), new.updated_at
        );
    end if;
    return null;
end
$$;

comment on function ops.log_incident() is
    'Writes the opening of an incident, its end if it is inserted as resolved, and every change of its state, severity and cause into its timeline.';

create or replace function ops.log_joining()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
    perform ops.log_incident_event(
        new.incident, 'alert_joined', null, null, jsonb_build_object('alert', new.id),
        (select updated_at from ops.incidents where id = new.incident)
    );
    return null;
end
$$;

comment on function ops.log_joining() is
    'Writes into an incident''s timeline that an alert joined it.';

create or replace function ops.incident_timeline(p_incident uuid)
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
    -- A message of an emergency was sent while the database could not be reached: it has no
    -- delivery.
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
    'Returns everything that happened around an incident: the first bad samples, the events of its alerts, its own events, and the deliveries of messages with their receipts.';

create or replace function ops.timeline_document(p_incident uuid, p_limit integer)
returns jsonb
language sql
stable
set search_path = ''
as $$
    with ordered as (
        select
            entry.*,
            row_number() over in_time as place,
            -- In a storm the alerts are cut, not what people did and wrote.
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
    'Returns the timeline of an incident in order of time, with at most so many entries, and how many are left out. Entries of alerts and messages are left out before those of the incident itself.';
