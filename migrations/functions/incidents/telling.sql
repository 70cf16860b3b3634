-- Incidents are told through the outbox. What people do to one is told on every channel; what
-- happens to any one is told to the stakeholders whom it concerns, by an email each. These
-- messages are notices: they ask nobody to act.

create or replace function ops.served_channels()
returns text[]
language sql
stable
set search_path = ''
as $$
    select coalesce(array_agg(known.channel::text order by known.channel), '{}')
    from ops.channels as known
    where coalesce(known.last_seen_at, known.known_since) >= (
        select max(coalesce(latest.last_seen_at, latest.known_since)) - interval '1 hour' from ops.channels as latest
    )
$$;

comment on function ops.served_channels() is
    'Returns the channels that are configured, as ticks and deliveries have noted them, for calls that do not know.';

create or replace function ops.incident_facts(
    p_incident ops.incidents,
    p_what text,
    p_by text,
    p_text text,
    p_now timestamptz
)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_build_object(
        'kind', 'notice',
        'alert', null,
        'rule', p_incident.rule,
        'subject', p_incident.subject,
        'title', p_incident.title,
        'severity', p_incident.severity,
        'incident', p_incident.number,
        'incidentId', p_incident.id,
        'affects', to_jsonb(p_incident.affects),
        'since', p_incident.started_at,
        'openedAt', p_now,
        'resolvedAt', p_incident.resolved_at,
        'incidentChange', jsonb_build_object('what', p_what, 'state', p_incident.status, 'by', p_by, 'text', p_text)
    )
$$;

comment on function ops.incident_facts(ops.incidents, text, text, text, timestamptz) is
    'Returns the facts of a notice about an incident: what happened to it, by whom, and how it stands.';

create or replace function ops.queue_incident_notice(
    p_incident ops.incidents,
    p_channel text,
    p_facts jsonb,
    p_due_at timestamptz,
    p_now timestamptz
)
returns void
language sql
set search_path = ''
as $$
    insert into ops.outbox (kind, channel, severity, incident, facts, created_at, next_attempt_at)
    values ('notice', p_channel, p_incident.severity, p_incident.id, p_facts, p_now, p_due_at)
$$;

comment on function ops.queue_incident_notice(ops.incidents, text, jsonb, timestamptz, timestamptz) is
    'Puts one notice about an incident into the outbox.';

create or replace function ops.concerns(p_contact ops.contacts, p_incident ops.incidents)
returns boolean
language sql
immutable
parallel safe
set search_path = ''
as $$
    select coalesce(ops.severity_rank(p_incident.severity) >= ops.severity_rank(p_contact.severity), true)
        and (p_contact.services = '{}' or p_incident.affects = '{}' or p_contact.services && p_incident.affects)
$$;

comment on function ops.concerns(ops.contacts, ops.incidents) is
    'Returns whether an incident is severe enough for a stakeholder and about one of the services of which it hears.';

create or replace function ops.heard_of_incident(p_contact ops.contacts, p_incident uuid)
returns boolean
language sql
stable
set search_path = ''
as $$
    select exists (
        select
        from ops.outbox as message
        where message.incident = p_incident
            and message.facts #>> '{recipients,people,0,contact}' = p_contact.id::text
            and (message.status = 'pending' or ops.may_have_arrived(message))
    )
$$;

comment on function ops.heard_of_incident(ops.contacts, uuid) is
    'Returns whether a stakeholder was told of an incident, or may be so yet.';

create or replace function ops.tell_stakeholders(
    p_incident ops.incidents,
    p_facts jsonb,
    p_channels text[],
    p_due_at timestamptz,
    p_now timestamptz
)
returns void
language plpgsql
set search_path = ''
as $$
begin
    perform ops.queue_incident_notice(
        p_incident, 'email',
        p_facts || jsonb_build_object('recipients', jsonb_build_object(
            'usual', false, 'people', jsonb_build_array(ops.person_document(stakeholder))
        )),
        p_due_at, p_now
    )
    from ops.contacts as stakeholder
    join ops.contact_roles as roles on roles.role = stakeholder.role
    where roles.level is null
        and stakeholder.email is not null
        and 'email' = any (p_channels)
        and case p_facts #>> '{incidentChange,what}'
            -- Who heard of the beginning hears of the end, whatever has changed since.
            when 'resolved' then ops.heard_of_incident(stakeholder, p_incident.id)
            else ops.concerns(stakeholder, p_incident)
        end;
end
$$;

comment on function ops.tell_stakeholders(ops.incidents, jsonb, text[], timestamptz, timestamptz) is
    'Queues an email about an incident to each stakeholder whom it concerns; of its end, to each who has heard of it.';

create or replace function ops.tell_incident(p_incident uuid, p_what text, p_by text, p_text text, p_now timestamptz)
returns void
language plpgsql
set search_path = ''
as $$
declare
    v_incident ops.incidents;
    v_channels text[] := ops.served_channels();
    v_facts jsonb;
begin
    select * into strict v_incident from ops.incidents where id = p_incident;
    v_facts := ops.incident_facts(v_incident, p_what, p_by, p_text, p_now);
    perform ops.queue_incident_notice(v_incident, served.channel, v_facts, p_now, p_now)
    from unnest(v_channels) as served (channel);
    perform ops.tell_stakeholders(v_incident, v_facts, v_channels, p_now, p_now);
end
$$;

comment on function ops.tell_incident(uuid, text, text, text, timestamptz) is
    'Tells every channel, and the stakeholders whom it concerns, what somebody did to an incident.';

create or replace function ops.quiet_until(p_alert ops.alerts, p_now timestamptz)
returns timestamptz
language sql
stable
set search_path = ''
as $$
    select greatest(p_now, p_alert.held_until, ops.silenced_until(p_alert, p_now))
$$;

comment on function ops.quiet_until(ops.alerts, timestamptz) is
    'Returns until when nothing is said about an alert: now, or when its hold, its silences and its maintenance end.';

create or replace function ops.tell_of_alerts(
    p_incident uuid,
    p_what text,
    p_alert ops.alerts,
    p_channels text[],
    p_now timestamptz
)
returns void
language plpgsql
set search_path = ''
as $$
declare
    v_incident ops.incidents;
begin
    select * into strict v_incident from ops.incidents where id = p_incident;
    if p_what = 'resolved' then
        -- What nobody can have read would not be true any more.
        update ops.outbox as message
        set status = 'superseded'
        where message.incident = p_incident and message.status = 'pending' and not ops.may_have_arrived(message);
    end if;
    perform ops.tell_stakeholders(
        v_incident, ops.incident_facts(v_incident, p_what, null, null, p_now), p_channels,
        case p_what when 'resolved' then p_now else ops.quiet_until(p_alert, p_now) end, p_now
    );
end
$$;

comment on function ops.tell_of_alerts(uuid, text, ops.alerts, text[], timestamptz) is
    'Tells stakeholders that alerts opened an incident, or that its last one has resolved. The channels hear of the alerts themselves. A beginning waits as long as the messages about its alert.';

create or replace function ops.thread_of_incident(p_incident uuid, p_channel text)
returns text
language sql
stable
set search_path = ''
as $$
    select message.provider_id
    from ops.outbox as message
    where message.incident = p_incident
        and message.channel = p_channel
        and message.status = 'sent'
        and message.provider_id is not null
    order by message.sent_at, message.id
    limit 1
$$;

comment on function ops.thread_of_incident(uuid, text) is
    'Returns a channel''s name of the first notice about an incident, in whose thread the others stand; null if there is none.';
