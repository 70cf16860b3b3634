-- Every alert opens and resolves here, whether a tick, an event of the application or a
-- caller asks for it. An alert, its incident and its messages change together or not at all.
-- A resolution is queued for exactly those audiences that may have heard of the alert.

create or replace function ops.observation_facts(
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
    'Returns what an alert keeps of an observation. Every key is there; what is not known is null.';

create or replace function ops.message_facts(p_alert ops.alerts, p_kind text, p_facts jsonb)
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
        'incident', (select number from ops.incidents where id = p_alert.incident),
        'incidentId', p_alert.incident
    )
$$;

comment on function ops.message_facts(ops.alerts, text, jsonb) is 'Returns the facts that a message about an alert carries.';

create or replace function ops.queue_firing(p_alert ops.alerts, p_context ops.context, p_now timestamptz)
returns void
language plpgsql
set search_path = ''
as $$
begin
    perform ops.queue_message(
        'firing', route.channel, route.digest, p_alert.severity, p_alert.id, null,
        ops.message_facts(p_alert, 'firing', p_alert.last_facts), p_context.settings, p_now
    )
    from ops.route_alert(p_alert, p_context.channels) as route
    where not exists (
        select
        from ops.outbox as queued
        where queued.alert = p_alert.id
            and queued.kind = 'firing'
            and queued.channel is not distinct from route.channel
            -- A message of low severity waits for the digest, so it does not replace one
            -- that is sent at once.
            and (p_alert.severity = 'low' or queued.severity <> 'low')
    );

    -- Where a message is now sent at once, the digest need not repeat it.
    update ops.outbox as later
    set status = 'superseded'
    where later.alert = p_alert.id
        and later.kind = 'firing'
        and later.severity = 'low'
        and later.status = 'pending'
        and not ops.may_have_arrived(later)
        and exists (
            select
            from ops.outbox as sooner
            where sooner.alert = p_alert.id
                and sooner.kind = 'firing'
                and sooner.channel = later.channel
                and sooner.severity <> 'low'
        );
end
$$;

comment on function ops.queue_firing(ops.alerts, ops.context, timestamptz) is
    'Queues an alert''s firing on each channel of its severity that has none yet. One of low severity counts only while the alert is low, and is dropped where another takes its place before anybody can have read it.';

create or replace function ops.open_alert(
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
    'Opens an alert and puts it into its incident, but queues no message; null if an alert of that fingerprint is open.';

create or replace function ops.note_alert(
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
        v_alert.incident := ops.enlist_alert(v_alert, p_context, p_now);
        perform ops.queue_firing(v_alert, p_context, p_now);
    end if;
end
$$;

comment on function ops.note_alert(uuid, ops.observation, bigint, ops.context, timestamptz) is
    'Notes that an open alert was observed again. If the severity is now worse, the alert may join an incident, and its firing is queued on the channels that have none for that severity.';

create or replace function ops.queue_resolutions(
    p_alert ops.alerts,
    p_facts jsonb,
    p_context ops.context,
    p_now timestamptz
)
returns void
language plpgsql
set search_path = ''
as $$
begin
    -- What would be said of it now is not true any more.
    perform ops.drop_moot(p_alert.id, p_now);

    perform ops.queue_message(
        'resolved', beginning.channel, beginning.digest, p_alert.severity, p_alert.id, beginning.id,
        ops.message_facts(p_alert, 'resolved', p_facts) || case
            when beginning.facts ? 'recipients'
            then jsonb_build_object('recipients', beginning.facts -> 'recipients')
            else '{}'
        end,
        p_context.settings, p_now,
        ops.left_in_peace_until(ops.audience_of(beginning) -> 0, p_alert.severity, p_now)
    )
    from ops.find_audiences(p_alert.id) as beginning;
end
$$;

comment on function ops.queue_resolutions(ops.alerts, jsonb, ops.context, timestamptz) is
    'Queues one resolution for each audience that may have heard of the alert, or may hear of it from a message that is being sent. Whoever has quiet hours is told after them of the end of what is not critical. Every other message that says that it goes on is dropped.';

create or replace function ops.resolve_alert(
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
    set
        status = 'resolved', resolved_at = p_now,
        last_facts = last_facts || jsonb_strip_nulls(jsonb_build_object('ended', p_facts -> 'ended'))
    where id = p_alert and status <> 'resolved'
    returning * into v_alert;
    if not found then
        return null;
    end if;

    -- The resolution carries the last bad facts, with the figures of the good observation.
    perform ops.queue_resolutions(
        v_alert, v_alert.last_facts || jsonb_strip_nulls(coalesce(p_facts, '{}')), p_context, p_now
    );
    perform ops.close_incident(v_alert, p_now);
    return v_alert;
end
$$;

comment on function ops.resolve_alert(uuid, jsonb, ops.context, timestamptz) is
    'Resolves an alert, queues its resolutions, and resolves its incident if this was the last open alert of one that an alert opened; null if the alert was resolved before.';
