-- The messages of a rung of the ladder are queued here. People should get one message each,
-- not one for each alert: the first message about an alert addresses whoever is on call, and
-- alerts of one incident that ask the same people at the same moment share a message.

create or replace function ops.asked_before(p_alert uuid)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select coalesce(
        jsonb_agg(
            jsonb_build_object('name', person ->> 'name', 'role', person ->> 'role', 'level', level, 'at', told_at)
            order by told_at, level, id
        ),
        '[]'
    )
    from (
        select *
        from ops.escalations
        where alert = p_alert and status = 'told' and person is not null
        order by told_at desc, level desc, id desc
        -- A ladder repeats, and nobody reads all of its rounds.
        limit 20
    ) as latest
$$;

comment on function ops.asked_before(uuid) is 'Returns whom the ladder of an alert asked last, at most twenty people, and when.';

create or replace function ops.escalation_facts(
    p_alert ops.alerts,
    p_level integer,
    p_passed integer[],
    p_context ops.context,
    p_now timestamptz
)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_build_object(
        'at', p_now,
        'level', p_level,
        'passed', to_jsonb(p_passed),
        'told', ops.asked_before(p_alert.id),
        'onCall', p_context.on_call,
        'answered', answer.kind is not null,
        'acknowledgedBy', case answer.kind when 'acknowledgement_ended' then answer.detail ->> 'acknowledgedBy' end,
        'acknowledgedAt', case answer.kind when 'acknowledgement_ended' then answer.detail -> 'acknowledgedAt' end
    )
    from (select) as always
    left join lateral (
        select event.kind, event.detail
        from ops.alert_events as event
        where event.alert = p_alert.id
            and event.kind in ('acknowledged', 'snoozed', 'unacknowledged', 'acknowledgement_ended')
        order by event.id desc
        limit 1
    ) as answer on true
$$;

comment on function ops.escalation_facts(ops.alerts, integer, integer[], ops.context, timestamptz) is
    'Returns what a message says of the ladder: which level asks, which empty levels it takes the place of, who was asked before, who has each rotation now and next, whether anybody ever answered, and whose acknowledgement has run out.';

create or replace function ops.drop_unsent(p_alert uuid)
returns void
language plpgsql
set search_path = ''
as $$
begin
    update ops.outbox as message
    set status = 'superseded'
    where message.alert = p_alert
        and message.status = 'pending'
        and ops.is_beginning(message)
        and not ops.speaks_for_others(message)
        and not ops.may_have_arrived(message);
    perform ops.take_rungs_back(p_alert);
end
$$;

comment on function ops.drop_unsent(uuid) is
    'Takes back the firings, escalations and reminders of an alert that nobody can have read, unless they call for other alerts too, and the rungs of its ladder that asked by them.';

create or replace function ops.take_rungs_back(p_alert uuid)
returns void
language plpgsql
set search_path = ''
as $$
declare
    v_unasked timestamptz[] := array(
        select message.created_at
        from ops.outbox as message
        where message.alert = p_alert and message.kind = 'escalation'
        group by message.created_at
        having bool_and(message.status = 'superseded' and not ops.may_have_arrived(message))
    );
begin
    update ops.escalations as rung
    set status = 'waiting', told_at = null
    where rung.alert = p_alert
        and (
            rung.id in (
                select told.rung
                from ops.escalations as told
                where told.alert = p_alert and told.told_at = any (v_unasked)
            )
            -- The email of a high alert is a rung without people.
            or rung.level is null and rung.told_at = any (v_unasked)
        );
    delete from ops.escalations as told
    where told.alert = p_alert and told.rung is not null and told.told_at = any (v_unasked);
end
$$;

comment on function ops.take_rungs_back(uuid) is
    'Makes the rungs wait again whose people were never asked, because their messages were taken back.';

create or replace function ops.restore_unsent(p_alert ops.alerts)
returns void
language sql
set search_path = ''
as $$
    update ops.outbox as message
    set status = 'pending'
    where alert = p_alert.id
        and kind = 'firing'
        and status = 'superseded'
        and channel is not null
        and not ops.may_have_arrived(message)
        -- What was given up and queued anew, or copied elsewhere, is not restored.
        and not exists (
            select from ops.deliveries as delivery where delivery.message = message.id and delivery.outcome = 'dead'
        )
        and not exists (select from ops.outbox as copy where copy.stands_in_for = message.id)
        -- A firing that was queued while the alert was low was replaced when it became worse.
        and (severity = 'low') = (p_alert.severity = 'low')
$$;

comment on function ops.restore_unsent(ops.alerts) is
    'Queues the firings again that were taken back while an alert was acknowledged. The ladder asks its people itself.';

create or replace function ops.ride_along(
    p_alert ops.alerts,
    p_channel text,
    p_people jsonb,
    p_escalation jsonb,
    p_now timestamptz
)
returns boolean
language plpgsql
set search_path = ''
as $$
begin
    update ops.outbox as message
    set facts = jsonb_set(
        message.facts,
        '{escalation,others}',
        to_jsonb(coalesce((message.facts #>> '{escalation,others}')::integer, 0) + 1)
    )
    from ops.alerts as calling
    where message.alert = calling.id
        and calling.incident = p_alert.incident
        and message.kind = 'escalation'
        and message.channel = p_channel
        and message.status = 'pending'
        and message.created_at = p_now
        and message.facts #> '{escalation,level}' = p_escalation -> 'level'
        and message.facts #> '{recipients,people}' = p_people;
    return found;
end
$$;

comment on function ops.ride_along(ops.alerts, text, jsonb, jsonb, timestamptz) is
    'Counts this alert on the escalation that another alert of the same incident queues at this moment for the same people and level; false if there is none.';

create or replace function ops.address_message(
    p_alert ops.alerts,
    p_channel text,
    p_people jsonb,
    p_usual boolean,
    p_escalation jsonb,
    p_context ops.context,
    p_now timestamptz,
    p_after_minutes integer default 0
)
returns void
language plpgsql
set search_path = ''
as $$
declare
    v_at timestamptz := p_now + make_interval(mins => p_after_minutes);
begin
    if p_after_minutes > 0 then
        p_escalation := p_escalation || jsonb_build_object('at', v_at);
    end if;
    -- The first message can address the people if nobody can have read it yet.
    update ops.outbox as message
    set facts = facts || jsonb_build_object(
        'escalation', p_escalation,
        'recipients', jsonb_build_object('usual', true, 'people', p_people)
    )
    where alert = p_alert.id
        and kind = 'firing'
        and channel = p_channel
        and status = 'pending'
        and not digest
        and not facts ? 'recipients'
        and not ops.may_have_arrived(message);
    if found or ops.ride_along(p_alert, p_channel, p_people, p_escalation, p_now) then
        return;
    end if;

    perform ops.queue_message(
        'escalation', p_channel, false, p_alert.severity, p_alert.id, null,
        ops.message_facts(p_alert, 'escalation', p_alert.last_facts) || jsonb_build_object(
            'escalation', p_escalation,
            'recipients', jsonb_build_object('usual', p_usual, 'people', p_people)
        ),
        p_context.settings, p_now, nullif(v_at, p_now)
    );
end
$$;

comment on function ops.address_message(ops.alerts, text, jsonb, boolean, jsonb, ops.context, timestamptz, integer) is
    'Addresses people about an alert on a channel: by its first message if nobody can have read that, by one that another alert of its incident queues for the same people, else by a message of its own. p_usual says whether that also goes to the usual readers of the channel, and p_after_minutes how much later it is sent, unless somebody has answered by then.';

create or replace function ops.rooms_that_name_people(p_channels text[])
returns setof text
language sql
stable
set search_path = ''
as $$
    select kind.channel
    from ops.channel_kinds as kind
    where kind.channel = any (p_channels)
        and kind.reach = 'room'
        -- On Slack a contact has an address of its own kind.
        and (kind.channel = 'slack' or kind.address is not null)
    order by kind.place
$$;

comment on function ops.rooms_that_name_people(text[]) is
    'Returns the rooms among those channels in which a message can call people by their addresses.';

create or replace function ops.named_in_room(p_people jsonb, p_room text, p_severity text, p_channels text[])
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_agg(
        case
            when exists (
                select
                from ops.ways_to(person.value, p_severity, p_channels) as way
                where way.channel = p_room
            )
            then person.value
            else ops.without_address(person.value, p_room)
        end
        order by person.nth
    )
    from jsonb_array_elements(p_people) with ordinality as person (value, nth)
$$;

comment on function ops.named_in_room(jsonb, text, text, text[]) is
    'Returns people as a message in a room names them: with the address there if they are to be called by it, else by their names alone.';

create or replace function ops.address_rooms(
    p_alert ops.alerts,
    p_people jsonb,
    p_escalation jsonb,
    p_context ops.context,
    p_now timestamptz
)
returns boolean
language plpgsql
set search_path = ''
as $$
begin
    perform ops.address_message(p_alert, room.channel, room.people, true, p_escalation, p_context, p_now)
    from (
        select
            listed.channel,
            ops.named_in_room(p_people, listed.channel, p_alert.severity, p_context.channels) as people
        from ops.rooms_that_name_people(p_context.channels) as listed (channel)
    ) as room
    -- Everybody sees who is asked of what is critical. Anything else the room knows already.
    where p_alert.severity = 'critical'
        or exists (
            select
            from jsonb_array_elements(room.people) as person (value)
            where ops.has_address(person.value, room.channel)
        );
    return found;
end
$$;

comment on function ops.address_rooms(ops.alerts, jsonb, jsonb, ops.context, timestamptz) is
    'Addresses people about an alert by one message that names them all in each room that can; if the alert is not critical, only where that calls somebody. Returns whether there is such a room.';

create or replace function ops.address_people(
    p_alert ops.alerts,
    p_people jsonb,
    p_escalation jsonb,
    p_context ops.context,
    p_now timestamptz
)
returns void
language plpgsql
set search_path = ''
as $$
declare
    v_person jsonb;
    v_in_rooms boolean := ops.address_rooms(p_alert, p_people, p_escalation, p_context, p_now);
    v_mails text[] := array(
        select channel from ops.channel_kinds where reach = 'mail' and channel = any (p_context.channels)
    );
    v_reached boolean := false;
begin
    for v_person in select value from jsonb_array_elements(p_people) loop
        perform ops.address_message(
            p_alert, way.channel, jsonb_build_array(v_person), false, p_escalation, p_context, p_now, way.after_minutes
        )
        from ops.ways_to(v_person, p_alert.severity, p_context.channels) as way
        where way.reach <> 'room';
        v_reached := v_reached or found;
        -- A person without an address is named to the usual readers of the mail.
        if p_alert.severity = 'critical' and v_person ->> 'email' is null and not v_in_rooms then
            perform ops.address_message(
                p_alert, mail.channel, jsonb_build_array(v_person), true, p_escalation, p_context, p_now
            )
            from unnest(v_mails) as mail (channel);
        end if;
    end loop;
    if p_alert.severity = 'critical' and not v_in_rooms and v_mails = '{}' and not v_reached then
        -- The message names them to the readers of the other channels. Without any channel
        -- the dead row in the outbox shows that.
        perform ops.address_message(
            p_alert, elsewhere.channel, p_people, true, p_escalation, p_context, p_now
        )
        from ops.route('critical', p_context.channels) as elsewhere;
    end if;
end
$$;

comment on function ops.address_people(ops.alerts, jsonb, jsonb, ops.context, timestamptz) is
    'Addresses people about an alert: in the rooms that can name them, and each of them alone by the ways that the contact chose; where there is neither, what is critical goes to the other channels by one message each.';
