-- Routing: an alert about a channel never depends on that channel alone.
--
-- Why: that email fails must not be told by email only, where there is another
-- way. Whatever the severities' table says, the last word is here.
-- Read by: whatever queues a message about an alert.
-- Undo: put the former ops.queue_firing, ops.plan_escalations and
-- ops.end_acknowledgements back, then drop the functions of this file.

set local search_path = '';

create function ops.concerned_channel(p_rule text, p_subject text)
returns text
language sql
immutable
parallel safe
set search_path = ''
as $$
    select case
        when p_rule in ('channel_failing', 'delivery_unproven') then p_subject
        when p_rule = 'service_degraded' and p_subject = 'email' then 'email'
    end
$$;

comment on function ops.concerned_channel(text, text) is
    'The channel that an alert casts doubt on; null for alerts about anything else.';

create function ops.route_alert(
    p_alert ops.alerts,
    p_channels text[],
    out channel text,
    out digest boolean
)
returns setof record
language sql
immutable
set search_path = ''
as $$
    with usual as (
        select route.*
        from ops.route(p_alert.severity, p_channels) as route
    ),
    doubted as (
        select ops.concerned_channel(p_alert.rule, p_alert.subject) as channel
    ),
    trusted as (
        select exists (
            select
            from usual
            cross join doubted
            where usual.channel is distinct from doubted.channel
        ) as there
    )
    select usual.channel, usual.digest
    from usual
    cross join trusted
    where trusted.there

    union all
    select other.channel, other.digest
    from trusted
    cross join doubted
    cross join lateral ops.route(
        p_alert.severity,
        -- Where there is no other channel, the doubted one is better than none.
        coalesce(nullif(array_remove(p_channels, doubted.channel), '{}'), p_channels)
    ) as other
    where not trusted.there
$$;

comment on function ops.route_alert(ops.alerts, text[]) is
    'Where a message about an alert goes: where ops.route says, but never only to the channel that the alert is about if another is configured.';

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
        from ops.outbox as told
        where told.alert = p_alert.id
            and told.kind = 'firing'
            and told.channel is not distinct from route.channel
            -- What was said of something low does not stand in for more than that.
            and (p_alert.severity = 'low' or told.severity <> 'low')
    );

    -- What is now said at once need not be said again of something low.
    update ops.outbox as later
    set status = 'superseded'
    where later.alert = p_alert.id
        and later.kind = 'firing'
        and later.severity = 'low'
        and later.status = 'pending'
        and later.attempts = 0
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

create or replace function ops.plan_escalations(p_context ops.context, p_now timestamptz)
returns void
language plpgsql
set search_path = ''
as $$
begin
    -- What is over, or became worse, needs no more steps of that plan.
    update ops.escalations as step
    set status = 'stopped'
    from ops.alerts as alert
    where step.alert = alert.id
        and step.status = 'waiting'
        and (alert.status = 'resolved' or alert.severity <> step.severity);

    insert into ops.escalations (alert, severity, level, due_at, person, passed)
    select alert.id, alert.severity, rung.level, rung.due_at, ops.person_document(rung.contact), rung.passed
    from ops.alerts as alert
    cross join lateral ops.plan_ladder(
        array(select contact from ops.contacts as contact), p_now
    ) as rung
    where alert.severity = 'critical' and alert.status <> 'resolved' and not ops.has_plan(alert)
    union all
    select
        alert.id, alert.severity, null,
        p_now + ops.minutes(p_context.settings, 'escalation.email_after_minutes'), null, '{}'
    from ops.alerts as alert
    where alert.severity = 'high'
        and alert.status <> 'resolved'
        and not ops.has_plan(alert)
        -- Email is added where it is there to be added, and is not what fails.
        and 'email' = any (p_context.channels)
        and ops.concerned_channel(alert.rule, alert.subject) is distinct from 'email'
        and not exists (
            select from ops.route_alert(alert, p_context.channels) as route where route.channel = 'email'
        );
end
$$;

create or replace function ops.end_acknowledgements(p_context ops.context, p_now timestamptz)
returns void
language plpgsql
set search_path = ''
as $$
declare
    v_alert ops.alerts;
begin
    for v_alert in
        select *
        from ops.alerts
        where status = 'acknowledged' and acknowledged_until <= p_now
        order by id
        for update
    loop
        update ops.alerts
        set status = 'firing', acknowledged_at = null, acknowledged_by = null, acknowledged_until = null
        where id = v_alert.id;
        perform ops.restore_unsent(v_alert);
        perform ops.log_event(
            v_alert.id, 'acknowledgement_ended', null, null,
            jsonb_build_object('acknowledgedBy', v_alert.acknowledged_by), p_now
        );
        perform ops.queue_message(
            'escalation', route.channel, route.digest, v_alert.severity, v_alert.id, null,
            ops.message_facts(v_alert, 'escalation', v_alert.last_facts) || jsonb_build_object(
                'escalation', ops.escalation_facts(v_alert, null, '{}', p_now)
            ),
            p_context.settings, p_now
        )
        from ops.route_alert(v_alert, p_context.channels) as route;
    end loop;
end
$$;

revoke all on all functions in schema ops from public, anon, authenticated;
grant execute on all functions in schema ops to service_role;
