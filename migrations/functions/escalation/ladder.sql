-- The ladder asks its people one after another, when their time has come, until somebody
-- acknowledges the alert. Ticks and deliveries both advance ladders, so that one of them is
-- enough; both hold the lock of the alerts, so that nobody is asked twice. A rung waits while
-- its alert is acknowledged, silenced, in maintenance or held.

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

comment on function ops.end_acknowledgements(ops.context, timestamptz) is
    'Ends the acknowledgements whose time is over: the alerts fire again, the messages that were taken back are queued again, and an escalation that names who had acknowledged is queued on every channel where an alert of that severity is sent.';

create or replace function ops.take_step(
    p_alert ops.alerts,
    p_level integer,
    p_passed integer[],
    p_people jsonb,
    p_context ops.context,
    p_now timestamptz
)
returns void
language plpgsql
set search_path = ''
as $$
begin
    if p_level is not null then
        perform ops.address_people(
            p_alert, p_people, ops.escalation_facts(p_alert, p_level, p_passed, p_now), p_context, p_now
        );
    else
        perform ops.address_message(
            p_alert, 'email', '[]', true, ops.escalation_facts(p_alert, null, '{}', p_now), p_context, p_now
        );
    end if;
    perform ops.log_event(
        p_alert.id, 'escalated', null, null,
        jsonb_build_object('level', p_level, 'people', p_people, 'passed', to_jsonb(p_passed)), p_now
    );
end
$$;

comment on function ops.take_step(ops.alerts, integer, integer[], jsonb, ops.context, timestamptz) is
    'Queues messages to the people of one rung, or without a level the email that a high alert adds, and writes it into the alert''s timeline.';

create or replace function ops.advance_ladder(p_context ops.context, p_now timestamptz)
returns bigint
language plpgsql
set search_path = ''
as $$
declare
    v_step record;
    v_steps bigint := 0;
begin
    perform ops.release_holds(p_now);
    perform ops.plan_escalations(p_context, p_now);
    perform ops.end_acknowledgements(p_context, p_now);

    for v_step in
        select
            asking as alert,
            step.level,
            step.passed,
            array_agg(step.id) as ids,
            coalesce(
                jsonb_agg(step.person order by step.due_at, step.id) filter (where step.person is not null), '[]'
            ) as people
        from ops.escalations as step
        join ops.alerts as asking on asking.id = step.alert
        where step.status = 'waiting'
            and step.due_at <= p_now
            and asking.status = 'firing'
            and asking.held_until is null
            and ops.silenced_until(asking, p_now) is null
        group by asking, step.level, step.passed
        order by min(step.due_at), step.level, min(step.id)
    loop
        perform ops.take_step(v_step.alert, v_step.level, v_step.passed, v_step.people, p_context, p_now);
        update ops.escalations set status = 'told', told_at = p_now where id = any (v_step.ids);
        v_steps := v_steps + 1;
    end loop;
    perform ops.queue_reminders(p_context, p_now);
    perform ops.mind_delivery(p_context, p_now);
    return v_steps;
end
$$;

comment on function ops.advance_ladder(ops.context, timestamptz) is
    'Ends holds whose time is over, plans the ladders that are missing, ends acknowledgements, takes every step that is due, queues reminders, and looks after the channels; returns how many steps it took. The caller holds the lock of the alerts.';

create or replace function public.ops_advance_ladder(p_channels text[], p_now timestamptz default null)
returns jsonb
language plpgsql
set search_path = ''
as $$
begin
    perform ops.hold_functions();
    perform ops.check_channels(p_channels);
    perform ops.lock_alerts();
    return jsonb_build_object(
        'told', ops.advance_ladder(
            ops.make_context(p_channels, ops.read_settings()), coalesce(p_now, now())
        )
    );
end
$$;

comment on function public.ops_advance_ladder(text[], timestamptz) is
    'Advances every ladder to where it should be by now, as each tick does. A repeated call finds nothing left to do.';
