-- Escalation, the messages: how people are told of a step of the ladder.
--
-- Why: an addressed message must be one call for each person, not one for each
-- alert: the first message about an alert carries whoever is on call, and alerts
-- of one incident that ask the same people at the same moment share a call.
-- Read by: the ladder (the next file), delivery.
-- Undo: put the constraint on kinds back and drop the functions.

set local search_path = '';

alter table ops.outbox drop constraint outbox_kind_check;
alter table ops.outbox add constraint outbox_kind_check
    check (kind in ('firing', 'resolved', 'notice', 'escalation'));

comment on column ops.outbox.facts is 'What is to be said, as of the transition; recipients says to whom, where that is not simply whom the channel reaches.';

comment on column ops.outbox.status is 'superseded: no longer worth sending, because its alert was acknowledged or resolved before the first attempt, its firing died, or the database was restored while it waited.';

-- Messages -------------------------------------------------------------------

create function ops.told_before(p_alert uuid)
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
    from ops.escalations
    where alert = p_alert and status = 'told' and person is not null
$$;

comment on function ops.told_before(uuid) is 'Whom the ladder has told of an alert so far, and when.';

create function ops.escalation_facts(
    p_alert ops.alerts,
    p_level integer,
    p_passed integer[],
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
        'told', ops.told_before(p_alert.id),
        'acknowledgedBy', p_alert.acknowledged_by,
        'acknowledgedAt', p_alert.acknowledged_at
    )
$$;

comment on function ops.escalation_facts(ops.alerts, integer, integer[], timestamptz) is
    'What a message says of the ladder: which level this is, whose place it takes, who was told before; without a level who had acknowledged.';

create function ops.drop_unsent(p_alert uuid)
returns void
language sql
set search_path = ''
as $$
    update ops.outbox as message
    set status = 'superseded'
    where message.alert = p_alert
        and message.kind in ('firing', 'escalation')
        and message.status = 'pending'
        and message.attempts = 0
        and not ops.speaks_for_others(message)
$$;

comment on function ops.drop_unsent(uuid) is
    'Takes back what is queued about an alert and what nobody has tried to send.';

create function ops.restore_unsent(p_alert ops.alerts)
returns void
language sql
set search_path = ''
as $$
    update ops.outbox
    set status = 'pending'
    where alert = p_alert.id
        and kind in ('firing', 'escalation')
        and status = 'superseded'
        and attempts = 0
        -- A digest was replaced where the alert is no longer of that severity.
        and digest = (p_alert.severity = 'low')
$$;

comment on function ops.restore_unsent(ops.alerts) is
    'Queues again what was taken back about an alert that fires after all.';

create function ops.ride_along(
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
        and message.attempts = 0
        and message.created_at = p_now
        and message.facts #> '{escalation,level}' = p_escalation -> 'level'
        and message.facts #> '{recipients,people}' = p_people;
    return found;
end
$$;

comment on function ops.ride_along(ops.alerts, text, jsonb, jsonb, timestamptz) is
    'Lets the call that another alert of the same incident makes at this moment to the same people stand for this one too; false if there is none.';

create function ops.address_message(
    p_alert ops.alerts,
    p_channel text,
    p_people jsonb,
    p_usual boolean,
    p_escalation jsonb,
    p_context ops.context,
    p_now timestamptz
)
returns void
language plpgsql
set search_path = ''
as $$
begin
    -- The first message, which nobody has tried to send yet, can carry it.
    update ops.outbox
    set facts = facts || jsonb_build_object(
        'escalation', p_escalation,
        'recipients', jsonb_build_object('usual', true, 'people', p_people)
    )
    where alert = p_alert.id
        and kind = 'firing'
        and channel = p_channel
        and status = 'pending'
        and attempts = 0
        and not digest
        and not facts ? 'recipients';
    if found or ops.ride_along(p_alert, p_channel, p_people, p_escalation, p_now) then
        return;
    end if;

    perform ops.queue_message(
        'escalation', p_channel, false, p_alert.severity, p_alert.id, null,
        ops.message_facts(p_alert, 'escalation', p_alert.last_facts) || jsonb_build_object(
            'escalation', p_escalation,
            'recipients', jsonb_build_object('usual', p_usual, 'people', p_people)
        ),
        p_context.settings, p_now
    );
end
$$;

comment on function ops.address_message(ops.alerts, text, jsonb, boolean, jsonb, ops.context, timestamptz) is
    'Tells people of an alert on a channel: by its first message if that has not left, by one that its incident sends to the same people, else by one of its own; usual says whether those hear it too whom the channel reaches anyway.';

create function ops.tell_people(
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
    v_by_slack boolean := 'slack' = any (p_context.channels);
    v_by_email boolean := 'email' = any (p_context.channels);
begin
    if not v_by_slack and not v_by_email then
        -- Which makes it visible that nobody can be told.
        perform ops.address_message(p_alert, null, p_people, true, p_escalation, p_context, p_now);
    end if;
    if v_by_slack then
        perform ops.address_message(p_alert, 'slack', p_people, true, p_escalation, p_context, p_now);
    end if;
    if v_by_email then
        for v_person in select value from jsonb_array_elements(p_people) loop
            -- Who has no address is named to those who read the usual one.
            if v_person ->> 'email' is not null or not v_by_slack then
                perform ops.address_message(
                    p_alert, 'email', jsonb_build_array(v_person), v_person ->> 'email' is null,
                    p_escalation, p_context, p_now
                );
            end if;
        end loop;
    end if;
end
$$;

comment on function ops.tell_people(ops.alerts, jsonb, jsonb, ops.context, timestamptz) is
    'Tells people of an alert on every configured channel: one message on Slack that names them all, one email each.';

revoke all on all functions in schema ops from public, anon, authenticated;
grant execute on all functions in schema ops to service_role;
