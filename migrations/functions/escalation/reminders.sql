-- An alert that still fires and that nobody acknowledges is sent again as a reminder. An
-- alert that is silenced, in maintenance or held needs none. The time runs from the last
-- message that was sent about the alert on that channel, so missed ticks cause no burst,
-- and there is never more than one reminder pending.

create or replace function ops.chat_channels()
returns text[]
language plpgsql
stable
parallel safe
set search_path = ''
as $$
begin
    return array(select channel from ops.channel_kinds where reach = 'room' order by place);
end
$$;

comment on function ops.chat_channels() is 'Returns the channels on which a message scrolls away; an email does not, a pager reminds by itself, and a machine needs no reminder.';

create or replace function ops.reminder_interval(p_severity text, p_settings jsonb)
returns interval
language sql
immutable
set search_path = ''
as $$
    select nullif(ops.minutes(p_settings, 'reminder.' || p_severity || '_minutes'), interval '0')
$$;

comment on function ops.reminder_interval(text, jsonb) is
    'Returns after how long an alert of that severity is sent again; null for never.';

create or replace function ops.find_reminders(p_settings jsonb, p_now timestamptz)
returns table (alert ops.alerts, channel ops.channel)
language plpgsql
stable
set search_path = ''
as $$
begin
    return query
    with unanswered as materialized (
        select firing, ops.reminder_interval(firing.severity, p_settings) as pause
        from ops.alerts as firing
        where firing.status = 'firing' and firing.status <> 'resolved' and firing.held_until is null
    ),
    due as materialized (
        select unanswered.firing, latest.channel
        from unanswered
        cross join lateral (
            select
                message.channel,
                max(case message.kind when 'reminder' then message.created_at else message.sent_at end) as at
            from ops.outbox as message
            where message.alert = (unanswered.firing).id
                and message.kind in ('firing', 'escalation', 'reminder')
                and message.channel = any (ops.chat_channels())
            group by message.channel
            having bool_or(message.kind = 'firing' and message.status = 'sent')
                and not bool_or(message.status = 'pending')
        ) as latest
        where (unanswered.firing).opened_at <= p_now - unanswered.pause and latest.at <= p_now - unanswered.pause
    )
    select due.firing, due.channel
    from due
    where ops.silenced_until(due.firing, p_now) is null;
end
$$;

comment on function ops.find_reminders(jsonb, timestamptz) is
    'Finds the alerts that nobody acknowledges, with the chat channels on which a reminder is due: those on which the firing was sent and no message about the alert is pending.';

create or replace function ops.queue_reminders(p_context ops.context, p_now timestamptz)
returns void
language sql
set search_path = ''
as $$
    select ops.queue_message(
        'reminder', due.channel, false, (due.alert).severity, (due.alert).id, null,
        ops.message_facts(due.alert, 'reminder', (due.alert).last_facts) || jsonb_build_object(
            'escalation', ops.escalation_facts(due.alert, null, '{}', p_context, p_now)
        ),
        p_context.settings, p_now
    )
    from ops.find_reminders(p_context.settings, p_now) as due
    where due.channel = any (p_context.channels)
$$;

comment on function ops.queue_reminders(ops.context, timestamptz) is
    'Queues a reminder on each configured channel on which one is due.';
