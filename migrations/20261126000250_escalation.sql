-- Escalation, the ladder: whoever's time has come is told, until somebody
-- answers.
--
-- Why: ticks and deliveries both move the ladder, so that one of them is enough;
-- both under the lock of the alerts, so that nobody is told twice. A step waits
-- while its alert is acknowledged or silenced and is told when that ends, for
-- time goes on meanwhile. Everybody who was told hears of the end, once.
-- Read by: the tick's commit, raised alerts, /api/alerts/dispatch.
-- Undo: put ops.queue_resolutions back and drop the functions.

set local search_path = '';

-- The ladder -----------------------------------------------------------------

create function ops.end_acknowledgements(p_context ops.context, p_now timestamptz)
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
        from ops.route(v_alert.severity, p_context.channels) as route;
    end loop;
end
$$;

comment on function ops.end_acknowledgements(ops.context, timestamptz) is
    'Lets alerts fire again that were acknowledged and not resolved in time, and says so where they were told first.';

create function ops.take_step(
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
        perform ops.tell_people(
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
    'Tells the people of one level; without a level, adds the email of a high alert.';

create function ops.advance_ladder(p_context ops.context, p_now timestamptz)
returns bigint
language plpgsql
set search_path = ''
as $$
declare
    v_step record;
    v_told bigint := 0;
begin
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
            and ops.silenced_until(asking, p_now) is null
        group by asking, step.level, step.passed
        order by min(step.due_at), step.level, min(step.id)
    loop
        perform ops.take_step(v_step.alert, v_step.level, v_step.passed, v_step.people, p_context, p_now);
        update ops.escalations set status = 'told', told_at = p_now where id = any (v_step.ids);
        v_told := v_told + 1;
    end loop;
    return v_told;
end
$$;

comment on function ops.advance_ladder(ops.context, timestamptz) is
    'Plans what has no plan, ends acknowledgements whose time is over, and tells everybody whose time has come and who was not told yet; returns how many steps that were. The caller holds the lock of the alerts.';

create function public.ops_advance_ladder(p_channels text[], p_now timestamptz default null)
returns jsonb
language plpgsql
set search_path = ''
as $$
begin
    if p_channels is null or not p_channels <@ ops.known_channels() then
        raise exception 'advancing needs the channels that are configured (slack, email)'
            using errcode = 'invalid_parameter_value';
    end if;
    perform ops.lock_alerts();
    return jsonb_build_object(
        'told', ops.advance_ladder(
            row(null, null, null, p_channels, ops.read_settings())::ops.context, coalesce(p_now, now())
        )
    );
end
$$;

comment on function public.ops_advance_ladder(text[], timestamptz) is
    'Moves every ladder to where the time says, as each tick does; repeated it finds nothing left to do.';

-- The end --------------------------------------------------------------------

create function ops.find_told(p_alert uuid)
returns setof ops.outbox
language sql
stable
set search_path = ''
as $$
    with told as (
        select
            message,
            message.*,
            -- Slack is one room; of emails those hear together whom the channel
            -- reaches anyway, and everybody else alone.
            case
                when message.channel = 'email' and message.facts #> '{recipients,usual}' = 'false'
                then message.facts #> '{recipients,people}'
            end as audience
        from ops.outbox as message
        where message.alert = p_alert
            and message.kind in ('firing', 'escalation')
            and message.status in ('pending', 'sent')
    ),
    judged as (
        select *, bool_or(status = 'sent') over (partition by channel, digest, audience) as heard
        from told
    )
    select distinct on (channel, digest, audience, case when not heard then id end)
        (message).*
    from judged
    where status = 'sent' or not heard
    order by
        channel, digest, audience, case when not heard then id end,
        case channel when 'email' then jsonb_array_length(facts #> '{recipients,people}') end desc nulls last,
        created_at, id
$$;

comment on function ops.find_told(uuid) is
    'The messages that a resolution has to answer: one per channel and audience that was told, or each that may yet arrive where none was sent for certain.';

create or replace function ops.queue_resolutions(p_alert ops.alerts, p_facts jsonb, p_context ops.context, p_now timestamptz)
returns void
language plpgsql
set search_path = ''
as $$
begin
    -- Nobody has been told, nobody needs to be.
    perform ops.drop_unsent(p_alert.id);

    perform ops.queue_message(
        'resolved', told.channel, told.digest, p_alert.severity, p_alert.id, told.id,
        ops.message_facts(p_alert, 'resolved', p_facts) || case
            when told.facts ? 'recipients' then jsonb_build_object('recipients', told.facts -> 'recipients')
            else '{}'
        end,
        p_context.settings, p_now
    )
    from ops.find_told(p_alert.id) as told;
end
$$;

comment on function ops.queue_resolutions(ops.alerts, jsonb, ops.context, timestamptz) is
    'Queues one resolution for each audience that was told of an alert or may yet be, to be delivered only after that; what nobody has tried to send is dropped instead.';

revoke all on all functions in schema ops from public, anon, authenticated;
grant execute on all functions in schema ops to service_role;
revoke all on function public.ops_advance_ladder(text[], timestamptz) from public, anon, authenticated;
grant execute on function public.ops_advance_ladder(text[], timestamptz) to service_role;
