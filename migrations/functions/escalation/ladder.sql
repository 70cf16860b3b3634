-- The ladder asks its people one after another, when their time has come, until somebody
-- acknowledges the alert. Ticks and deliveries both advance ladders, so that one of them is
-- enough; both hold the lock of the alerts, so that nobody is asked twice. A rung waits while
-- its alert is acknowledged, silenced, in maintenance or held. One that comes late makes those
-- after it as late, so that people are never asked all at once.

create or replace function ops.tell_people(
    p_alert ops.alerts,
    p_rung ops.escalations,
    p_level integer,
    p_people jsonb,
    p_context ops.context,
    p_now timestamptz
)
returns void
language plpgsql
set search_path = ''
as $$
declare
    v_passed integer[] := case
        when p_alert.severity = 'critical' then array(select generate_series(p_rung.level, p_level - 1))
        else '{}'
    end;
begin
    perform ops.address_people(
        p_alert, p_people,
        ops.escalation_facts(
            p_alert,
            -- Nobody is asked after these, so there is no level to speak of.
            case when p_alert.severity = 'critical' then p_level end,
            v_passed, p_context, p_now
        ),
        p_context, p_now
    );
    insert into ops.escalations
        (alert, severity, round, level, due_at, person, passed, status, told_at, rung)
    select
        p_rung.alert, p_rung.severity, p_rung.round, p_level, p_rung.due_at, person.value, v_passed, 'told', p_now,
        p_rung.id
    from jsonb_array_elements(p_people) with ordinality as person (value, nth)
    order by person.nth;
    perform ops.log_event(
        p_alert.id, 'escalated', null, null,
        jsonb_build_object('level', p_level, 'people', p_people, 'passed', to_jsonb(v_passed)), p_now
    );
end
$$;

comment on function ops.tell_people(ops.alerts, ops.escalations, integer, jsonb, ops.context, timestamptz) is
    'Queues messages to the people of a rung, and notes in the ladder and in the alert''s timeline that they were asked.';

create or replace function ops.add_email(p_alert ops.alerts, p_context ops.context, p_now timestamptz)
returns void
language plpgsql
set search_path = ''
as $$
begin
    perform ops.address_message(
        p_alert, 'email', '[]', true, ops.escalation_facts(p_alert, null, '{}', p_context, p_now), p_context, p_now
    );
    perform ops.log_event(
        p_alert.id, 'escalated', null, null,
        jsonb_build_object('level', null, 'people', '[]'::jsonb, 'passed', '[]'::jsonb), p_now
    );
end
$$;

comment on function ops.add_email(ops.alerts, ops.context, timestamptz) is
    'Queues the email that a high alert adds, and writes it into the alert''s timeline.';

create or replace function ops.take_rung(
    p_alert ops.alerts,
    p_rung ops.escalations,
    p_context ops.context,
    p_now timestamptz
)
returns boolean
language plpgsql
set search_path = ''
as $$
declare
    v_level integer;
    v_people jsonb;
begin
    if p_rung.level is null then
        perform ops.add_email(p_alert, p_context, p_now);
        update ops.escalations set status = 'told', told_at = p_now where id = p_rung.id;
        return true;
    end if;

    if p_rung.person is not null then
        -- It was planned by an earlier release, with its person.
        v_level := p_rung.level;
        v_people := jsonb_build_array(p_rung.person);
    else
        select min(picked.level), jsonb_agg(picked.person)
        into v_level, v_people
        from ops.pick_for(p_rung, p_context.channels, p_now) as picked;
    end if;
    update ops.escalations set status = 'done' where id = p_rung.id;
    if v_people is null then
        return false;
    end if;
    perform ops.tell_people(p_alert, p_rung, v_level, v_people, p_context, p_now);
    return true;
end
$$;

comment on function ops.take_rung(ops.alerts, ops.escalations, ops.context, timestamptz) is
    'Asks whomever a rung picks now, or adds the email of a high alert; false if it finds nobody.';

create or replace function ops.delay_ladder(p_alert uuid, p_length interval)
returns void
language sql
set search_path = ''
as $$
    update ops.escalations
    set due_at = due_at + p_length
    where alert = p_alert and status = 'waiting'
$$;

comment on function ops.delay_ladder(uuid, interval) is 'Makes the rungs of an alert that are still to come due so much later.';

create or replace function ops.let_sleep(p_channels text[], p_now timestamptz)
returns void
language sql
set search_path = ''
as $$
    update ops.escalations as step
    -- Shifts and quiet hours change, so it is looked at again soon.
    set due_at = p_now + interval '5 minutes'
    where step.status = 'waiting'
        and step.due_at <= p_now
        and step.severity <> 'critical'
        and step.level is not null
        and step.severity not in (
            select asked.severity
            from (values ('high'), ('medium')) as asked (severity)
            where exists (select from ops.pick_awake(asked.severity, p_channels, p_now))
        )
$$;

comment on function ops.let_sleep(text[], timestamptz) is
    'Postpones the rungs of alerts that are not critical while everybody whom they would ask is off duty, has quiet hours or cannot be reached.';

create or replace function ops.climb(p_alert ops.alerts, p_context ops.context, p_now timestamptz)
returns bigint
language plpgsql
set search_path = ''
as $$
declare
    v_rung ops.escalations;
    v_steps bigint := 0;
begin
    loop
        select * into v_rung
        from ops.escalations
        where alert = p_alert.id and status = 'waiting' and due_at <= p_now
        order by due_at, level, id
        limit 1;
        exit when not found;
        if ops.take_rung(p_alert, v_rung, p_context, p_now) then
            v_steps := v_steps + 1;
            -- A few minutes come from how often ticks are made. What is not critical has one
            -- rung for people, and its email does not wait for that.
            if v_rung.severity = 'critical' and p_now - v_rung.due_at > interval '5 minutes' then
                perform ops.delay_ladder(p_alert.id, p_now - v_rung.due_at);
            end if;
        end if;
    end loop;
    return v_steps;
end
$$;

comment on function ops.climb(ops.alerts, ops.context, timestamptz) is
    'Takes every rung of an alert that is due and returns how many asked somebody. If one is late, those after it become due as much later.';

create or replace function ops.advance_ladder(p_context ops.context, p_now timestamptz)
returns bigint
language plpgsql
set search_path = ''
as $$
declare
    v_asking ops.alerts;
    v_steps bigint := 0;
begin
    -- Whoever is asked reads who is on call. That takes a moment, and most calls ask nobody.
    if exists (select from ops.alerts where status <> 'resolved') then
        p_context.on_call := ops.list_duty(p_now);
    end if;
    perform ops.release_holds(p_now);
    perform ops.plan_escalations(p_context, p_now);
    perform ops.warn_acknowledging(p_context, p_now);
    perform ops.end_acknowledgements(p_context, p_now);
    perform ops.let_sleep(p_context.channels, p_now);

    for v_asking in
        select asking.*
        from ops.escalations as step
        join ops.alerts as asking on asking.id = step.alert
        where step.status = 'waiting'
            and step.due_at <= p_now
            and asking.status = 'firing'
            and asking.held_until is null
            and ops.silenced_until(asking, p_now) is null
        group by asking.id
        order by min(step.due_at), min(step.level), min(step.id)
    loop
        v_steps := v_steps + ops.climb(v_asking, p_context, p_now);
    end loop;
    perform ops.plan_rounds(p_context);
    perform ops.queue_reminders(p_context, p_now);
    perform ops.mind_delivery(p_context, p_now);
    return v_steps;
end
$$;

comment on function ops.advance_ladder(ops.context, timestamptz) is
    'Ends holds whose time is over, plans the ladders that are missing, warns whoever has acknowledged and ends acknowledgements, takes every rung that is due, queues reminders, and looks after the channels; returns how many rungs asked somebody. The caller holds the lock of the alerts.';

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
