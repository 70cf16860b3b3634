-- Incidents as everybody may read them: the title and the words that people gave for
-- everybody, and times. What is internal, such as a title, a rule, a subject or a name, never
-- leaves these functions.

create or replace function ops.public_id(p_of text)
returns text
language sql
immutable
parallel safe
set search_path = ''
as $$
    select left(encode(sha256(convert_to('status page ' || p_of, 'UTF8')), 'hex'), 16)
$$;

comment on function ops.public_id(text) is
    'The name under which everybody knows something that has an id of ours. It does not tell that id.';

create or replace function ops.has_public_words(p_incident uuid)
returns boolean
language sql
stable
set search_path = ''
as $$
    select exists (
        select from ops.incident_events where incident = p_incident and kind = 'public_update'
    )
$$;

comment on function ops.has_public_words(uuid) is 'Whether somebody wrote about an incident for everybody.';

create or replace function ops.is_noticed(p_incident uuid, p_components ops.components[])
returns boolean
language sql
stable
set search_path = ''
as $$
    select exists (
        select
        from ops.alerts as alert
        cross join unnest(p_components) as component
        where alert.incident = p_incident
            and ops.alert_impact(alert) is not null
            and ops.concerns_component(alert, component)
    )
$$;

comment on function ops.is_noticed(uuid, ops.components[]) is
    'Whether an incident has an alert that those who use these components notice, so that it is public by itself.';

create or replace function ops.all_feeds(p_components ops.components[])
returns ops.components
language plpgsql
immutable
set search_path = ''
as $$
declare
    v_whole ops.components;
begin
    v_whole.services := array(select unnest(component.services) from unnest(p_components) as component);
    v_whole.checks := array(select unnest(component.checks) from unnest(p_components) as component);
    return v_whole;
end
$$;

comment on function ops.all_feeds(ops.components[]) is
    'A component that is fed by everything that feeds one of these.';

create or replace function ops.public_incidents(p_components ops.components[], p_now timestamptz)
returns setof ops.incidents
language sql
stable
set search_path = ''
as $$
    with noticed as materialized (
        select distinct alert.incident
        from ops.alerts as alert
        cross join (select ops.all_feeds(p_components)) as every (feed)
        where alert.incident is not null
            and (alert.status <> 'resolved' or alert.resolved_at > p_now - interval '90 days')
            and ops.concerns_component(alert, every.feed)
            and ops.alert_impact(alert) is not null
    ),
    written as materialized (
        select distinct incident from ops.incident_events where kind = 'public_update'
    )
    select incident.*
    from ops.incidents as incident
    where incident.started_at <= p_now
        and (incident.status <> 'resolved' or incident.resolved_at > p_now - interval '90 days')
        and (
            incident.id in (select noticed.incident from noticed)
            or incident.id in (select written.incident from written)
        )
    order by (incident.status = 'resolved'), incident.started_at desc, incident.number desc
    limit 50
$$;

comment on function ops.public_incidents(ops.components[], timestamptz) is
    'The incidents that the page shows, open ones first: those about which somebody wrote, and those that are noticed.';

create or replace function ops.components_of_incident(p_incident ops.incidents, p_components ops.components[])
returns text[]
language sql
stable
set search_path = ''
as $$
    select array(
        select component.slug
        from unnest(p_components) as component
        where (p_incident.affects && component.services and ops.has_public_words(p_incident.id))
            or exists (
                select
                from ops.alerts as alert
                where alert.incident = p_incident.id
                    and ops.alert_impact(alert) is not null
                    and ops.concerns_component(alert, component)
            )
        order by component.position, component.slug
    )
$$;

comment on function ops.components_of_incident(ops.incidents, ops.components[]) is
    'The slugs of the components that an incident is about.';

create or replace function ops.public_updates(p_incident ops.incidents, p_is_noticed boolean, p_now timestamptz)
returns jsonb
language sql
stable
set search_path = ''
as $$
    with told as (
        select event.id, event.at, event.kind, event.note, event.detail ->> 'state' as state
        from ops.incident_events as event
        where event.incident = p_incident.id
            and event.at <= p_now
            and case event.kind
                when 'public_update' then true
                when 'opened' then p_is_noticed
                -- Whoever resolves it with words has said so.
                when 'resolved' then not exists (
                    select
                    from ops.incident_events as said
                    where said.incident = event.incident
                        and said.kind = 'public_update'
                        and said.at = event.at
                        and said.detail ->> 'state' = 'resolved'
                )
                when 'reopened' then true
                else false
            end
        order by event.at desc, event.id desc
        limit 50
    )
    select coalesce(
        jsonb_agg(
            jsonb_build_object(
                'id', ops.public_id(format('update %s %s', p_incident.id, told.id)),
                'at', case told.kind when 'opened' then least(told.at, p_incident.started_at) else told.at end,
                'status', case told.kind
                    when 'public_update' then told.state
                    when 'resolved' then 'resolved'
                    else 'investigating'
                end,
                'kind', case told.kind when 'public_update' then 'words' when 'opened' then 'began' else told.kind end,
                'words', case told.kind when 'public_update' then left(told.note, 5000) end
            )
            order by told.at, told.id
        ),
        '[]'
    )
    from told
$$;

comment on function ops.public_updates(ops.incidents, boolean, timestamptz) is
    'What the page tells of an incident, in order of time: the words for everybody, and by itself that it began, came back and ended.';

create or replace function ops.told_at(p_incident uuid)
returns timestamptz
language sql
stable
set search_path = ''
as $$
    select min(message.sent_at)
    from (
        select sent_at from ops.outbox where incident = p_incident and status = 'sent'
        union all
        select outbox.sent_at
        from ops.alerts as alert
        join ops.outbox on outbox.alert = alert.id
        where alert.incident = p_incident and outbox.status = 'sent'
    ) as message
$$;

comment on function ops.told_at(uuid) is 'When somebody was first told of an incident; null if nobody was yet.';

create or replace function ops.public_incident(
    p_incident ops.incidents,
    p_components ops.components[],
    p_now timestamptz
)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
    v_is_noticed boolean := ops.is_noticed(p_incident.id, p_components);
begin
    return jsonb_build_object(
        'id', ops.public_id(p_incident.id::text),
        'title', p_incident.public_title,
        'severity', p_incident.severity,
        'status', p_incident.status,
        'startedAt', p_incident.started_at,
        'resolvedAt', p_incident.resolved_at,
        'toldAt', ops.told_at(p_incident.id),
        'components', to_jsonb(ops.components_of_incident(p_incident, p_components)),
        'updates', ops.public_updates(p_incident, v_is_noticed, p_now)
    );
end
$$;

comment on function ops.public_incident(ops.incidents, ops.components[], timestamptz) is
    'An incident as everybody may read it.';

create or replace function public.ops_title_incident(
    p_request uuid,
    p_number bigint,
    p_title text,
    p_by text,
    p_now timestamptz default null
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_answer jsonb;
    v_title text;
    v_incident ops.incidents;
begin
    perform ops.hold_functions();
    perform ops.check_request(p_request);
    v_title := ops.check_text('title', p_title, 200);
    perform ops.check_text('by', p_by, 200);
    perform ops.lock_alerts();
    v_answer := ops.former_answer(p_request, 'ops_title_incident');
    if v_answer is not null then
        return v_answer;
    end if;
    v_incident := ops.lock_incident(p_number);
    update ops.incidents set public_title = v_title where id = v_incident.id;
    perform ops.write_audit(
        'status.written', p_by, v_incident.id::text, jsonb_build_object('number', p_number, 'title', v_title)
    );
    return ops.answer_incident(p_request, 'ops_title_incident', v_incident.id, v_now);
end
$$;

comment on function public.ops_title_incident(uuid, bigint, text, text, timestamptz) is
    'Gives an incident the title that everybody may read. That alone does not make it public. A call that is repeated with the same request returns its first result.';
