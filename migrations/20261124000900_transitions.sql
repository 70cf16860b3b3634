-- Transitions: opening, noting and resolving alerts, with incident and messages.
--
-- Why: an alert, its incident and its messages change in one transaction or not
-- at all, and by the same path whether the tick, an event or a caller says so.
-- A resolution is queued exactly for those firings that were or may yet be
-- delivered.
-- Read by: the tick, /api/alerts/dispatch (POST).
-- Undo: drop the functions and the type of this file.

set local search_path = '';

create type ops.context as (
    environment text,
    deployment text,
    commit text,
    channels text[],
    settings jsonb
);

comment on type ops.context is
    'What is true of a whole tick or call: where it ran, which channels are configured, the settings.';

-- Facts ----------------------------------------------------------------------

create function ops.observation_facts(
    p_observation ops.observation,
    p_affects text[],
    p_context ops.context
)
returns jsonb
language sql
immutable
set search_path = ''
as $$
    select jsonb_build_object(
        'value', p_observation.value,
        'threshold', p_observation.threshold,
        'unit', p_observation.unit,
        'samples', p_observation.samples,
        'reason', null,
        'service', null,
        'affects', to_jsonb(p_affects),
        'environment', p_context.environment,
        'deployment', p_context.deployment,
        'commit', p_context.commit,
        'title', null,
        'message', null,
        'detail', '{}'::jsonb
    ) || coalesce(p_observation.facts, '{}')
$$;

comment on function ops.observation_facts(ops.observation, text[], ops.context) is
    'What an alert keeps of an observation; every key is there, what is not known is null.';

create function ops.message_facts(p_alert ops.alerts, p_kind text, p_facts jsonb)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select p_facts || jsonb_build_object(
        'alert', p_alert.id,
        'fingerprint', p_alert.fingerprint,
        'rule', p_alert.rule,
        'subject', p_alert.subject,
        'severity', p_alert.severity,
        'kind', p_kind,
        'source', p_alert.source,
        'since', p_alert.first_bad_at,
        'openedAt', p_alert.opened_at,
        'resolvedAt', p_alert.resolved_at,
        'occurrences', p_alert.occurrences,
        'incident', (select number from ops.incidents where id = p_alert.incident)
    )
$$;

comment on function ops.message_facts(ops.alerts, text, jsonb) is 'What a message about an alert says.';

-- Incidents ------------------------------------------------------------------

create function ops.join_incident(p_alert ops.alerts, p_context ops.context)
returns uuid
language plpgsql
set search_path = ''
as $$
declare
    v_affects text[] := array(select jsonb_array_elements_text(p_alert.facts -> 'affects'));
    v_incident uuid := p_alert.incident;
begin
    if ops.severity_rank(p_alert.severity) < ops.severity_rank('high') then
        return v_incident;
    end if;

    if v_incident is null then
        select id into v_incident
        from ops.incidents
        where status <> 'resolved'
        order by started_at desc, number desc
        limit 1;
    end if;

    if v_incident is null then
        insert into ops.incidents (severity, started_at, rule, subject, deployment_id, commit_sha)
        values (
            p_alert.severity, p_alert.first_bad_at, p_alert.rule, p_alert.subject,
            p_context.deployment, p_context.commit
        )
        returning id into v_incident;
    end if;

    update ops.incidents
    set
        severity = case
            when ops.severity_rank(p_alert.severity) > ops.severity_rank(severity) then p_alert.severity
            else severity
        end,
        affects = array(select distinct unnest(affects || v_affects) order by 1)
    where id = v_incident;

    update ops.alerts set incident = v_incident where id = p_alert.id;
    return v_incident;
end
$$;

comment on function ops.join_incident(ops.alerts, ops.context) is
    'Puts a critical or high alert into the newest unresolved incident, or opens one; returns it, or null for lesser alerts.';

create function ops.close_incident(p_incident uuid, p_now timestamptz)
returns void
language sql
set search_path = ''
as $$
    update ops.incidents
    set status = 'resolved', resolved_at = p_now
    where id = p_incident
        and status <> 'resolved'
        and not exists (select from ops.alerts where incident = p_incident and status <> 'resolved')
$$;

comment on function ops.close_incident(uuid, timestamptz) is
    'Resolves an incident once none of its alerts is unresolved.';

-- Alerts ---------------------------------------------------------------------

create function ops.queue_firing(p_alert ops.alerts, p_context ops.context, p_now timestamptz)
returns void
language plpgsql
set search_path = ''
as $$
begin
    perform ops.queue_message(
        'firing', route.channel, route.digest, p_alert.severity, p_alert.id, null,
        ops.message_facts(p_alert, 'firing', p_alert.last_facts), p_context.settings, p_now
    )
    from ops.route(p_alert.severity, p_context.channels) as route
    where not exists (
        select
        from ops.outbox as told
        where told.alert = p_alert.id
            and told.kind = 'firing'
            and told.channel is not distinct from route.channel
            -- A digest does not stand in for a message of its own.
            and (route.digest or not told.digest)
    );

    -- What is now said at once need not be said again in the digest.
    update ops.outbox as later
    set status = 'superseded'
    where later.alert = p_alert.id
        and later.kind = 'firing'
        and later.digest
        and later.status = 'pending'
        and later.attempts = 0
        and exists (
            select
            from ops.outbox as sooner
            where sooner.alert = p_alert.id
                and sooner.kind = 'firing'
                and sooner.channel = later.channel
                and not sooner.digest
        );
end
$$;

comment on function ops.queue_firing(ops.alerts, ops.context, timestamptz) is
    'Queues an alert''s firing on the channels of its severity that have not been told yet.';

create function ops.open_alert(
    p_observation ops.observation,
    p_source text,
    p_first_bad_at timestamptz,
    p_occurrences bigint,
    p_context ops.context,
    p_now timestamptz
)
returns ops.alerts
language plpgsql
set search_path = ''
as $$
declare
    v_rule ops.rules;
    v_facts jsonb;
    v_alert ops.alerts;
begin
    select * into strict v_rule from ops.rules where rule = p_observation.rule;
    v_facts := ops.observation_facts(p_observation, v_rule.affects, p_context);

    insert into ops.alerts
        (fingerprint, rule, subject, severity, source, first_bad_at, opened_at, facts, last_facts, occurrences)
    values (
        p_observation.fingerprint, p_observation.rule, p_observation.subject,
        coalesce(v_rule.severity, p_observation.severity), p_source,
        p_first_bad_at, p_now, v_facts, v_facts, p_occurrences
    )
    on conflict (fingerprint) where status <> 'resolved' do nothing
    returning * into v_alert;

    if not found then
        return null;
    end if;
    v_alert.incident := ops.join_incident(v_alert, p_context);
    return v_alert;
end
$$;

comment on function ops.open_alert(ops.observation, text, timestamptz, bigint, ops.context, timestamptz) is
    'Opens an alert with its incident, without messages; null if one of that fingerprint is open.';

create function ops.note_alert(
    p_alert uuid,
    p_observation ops.observation,
    p_occurrences bigint,
    p_context ops.context,
    p_now timestamptz
)
returns void
language plpgsql
set search_path = ''
as $$
declare
    v_alert ops.alerts;
    v_severity text;
begin
    select * into v_alert from ops.alerts where id = p_alert and status <> 'resolved' for update;
    if not found then
        return;
    end if;
    v_severity := v_alert.severity;

    update ops.alerts
    set
        last_facts = ops.observation_facts(
            p_observation, (select affects from ops.rules where rule = v_alert.rule), p_context
        ),
        occurrences = occurrences + p_occurrences,
        severity = case
            when ops.severity_rank(p_observation.severity) > ops.severity_rank(severity) then p_observation.severity
            else severity
        end
    where id = p_alert
    returning * into v_alert;

    if v_alert.severity <> v_severity then
        v_alert.incident := ops.join_incident(v_alert, p_context);
        perform ops.queue_firing(v_alert, p_context, p_now);
    end if;
end
$$;

comment on function ops.note_alert(uuid, ops.observation, bigint, ops.context, timestamptz) is
    'Notes that an open alert was seen again; a worse severity is told where the former one was not.';

create function ops.queue_resolutions(p_alert ops.alerts, p_facts jsonb, p_context ops.context, p_now timestamptz)
returns void
language plpgsql
set search_path = ''
as $$
declare
    v_firing ops.outbox;
begin
    for v_firing in
        select *
        from ops.outbox
        where alert = p_alert.id and kind = 'firing' and status in ('pending', 'sent')
        order by id
        for update
    loop
        if v_firing.status = 'pending' and v_firing.attempts = 0 then
            -- Nobody has been told, nobody needs to be.
            update ops.outbox set status = 'superseded' where id = v_firing.id;
        else
            perform ops.queue_message(
                'resolved', v_firing.channel, v_firing.digest, p_alert.severity, p_alert.id, v_firing.id,
                ops.message_facts(p_alert, 'resolved', p_facts), p_context.settings, p_now
            );
        end if;
    end loop;
end
$$;

comment on function ops.queue_resolutions(ops.alerts, jsonb, ops.context, timestamptz) is
    'Queues one resolution for each firing that was sent or may yet be, to be delivered only after it; a firing that nobody has tried to send is dropped instead.';

create function ops.resolve_alert(
    p_alert uuid,
    p_facts jsonb,
    p_context ops.context,
    p_now timestamptz
)
returns ops.alerts
language plpgsql
set search_path = ''
as $$
declare
    v_alert ops.alerts;
begin
    update ops.alerts
    set status = 'resolved', resolved_at = p_now
    where id = p_alert and status <> 'resolved'
    returning * into v_alert;
    if not found then
        return null;
    end if;

    -- What was wrong, with the figures of the moment it was right again.
    perform ops.queue_resolutions(
        v_alert, v_alert.last_facts || jsonb_strip_nulls(coalesce(p_facts, '{}')), p_context, p_now
    );
    perform ops.close_incident(v_alert.incident, p_now);
    return v_alert;
end
$$;

comment on function ops.resolve_alert(uuid, jsonb, ops.context, timestamptz) is
    'Resolves an alert with its messages and, if it was the last, its incident; null if it was resolved before.';

revoke all on all functions in schema ops from public, anon, authenticated;
grant execute on all functions in schema ops to service_role;
