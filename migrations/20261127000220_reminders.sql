-- Reminders: what still fires and nobody answers is said again.
--
-- Why: a message scrolls away. What is acknowledged, silenced, in maintenance or
-- held needs none. The time runs from the last message that was sent about the
-- alert on that channel, so calls that were missed make no burst; and there is
-- never more than one on its way.
-- Read by: the tick, raised alerts, /api/alerts/dispatch, all by way of the ladder.
-- Undo: put back the former ops.drop_unsent and the constraint on kinds; drop the functions and the index; take the settings away.

set local search_path = '';

insert into ops.settings (key, kind, value, default_value, minimum, maximum, unit, description)
select key, 'integer', value, value, 0, 10080, 'min', description
from (values
    ('reminder.critical_minutes', '60'::jsonb, 'How long after the last message a critical alert that nobody acknowledged is told again; 0 for never.'),
    ('reminder.high_minutes', '240', 'The same of a high alert.'),
    ('reminder.medium_minutes', '1440', 'The same of a medium alert.')
) as seed (key, value, description);

alter table ops.outbox drop constraint outbox_kind_check;
alter table ops.outbox add constraint outbox_kind_check
    check (kind in ('firing', 'resolved', 'notice', 'escalation', 'change', 'reminder'));

create unique index outbox_reminder_key on ops.outbox (alert, channel)
    where kind = 'reminder' and status = 'pending';

create function ops.chat_channels()
returns text[]
language sql
immutable
parallel safe
set search_path = ''
as $$
    select array_remove(array_remove(ops.known_channels(), 'email'), 'webhook')
$$;

comment on function ops.chat_channels() is 'The channels on which a message scrolls away: people read them, and not one by one as emails.';

create function ops.reminder_interval(p_severity text, p_settings jsonb)
returns interval
language sql
immutable
set search_path = ''
as $$
    select nullif(ops.minutes(p_settings, 'reminder.' || p_severity || '_minutes'), interval '0')
$$;

comment on function ops.reminder_interval(text, jsonb) is
    'After how long an alert of that severity is told again; null for never.';

create function ops.find_reminders(p_settings jsonb, p_now timestamptz)
returns table (alert ops.alerts, channel text)
language sql
stable
set search_path = ''
as $$
    with unanswered as materialized (
        select firing, ops.reminder_interval(firing.severity, p_settings) as pause
        from ops.alerts as firing
        where firing.status = 'firing' and firing.status <> 'resolved' and firing.held_until is null
    ),
    due as materialized (
        select unanswered.firing, told.channel
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
        ) as told
        where (unanswered.firing).opened_at <= p_now - unanswered.pause and told.at <= p_now - unanswered.pause
    )
    select due.firing, due.channel
    from due
    where ops.silenced_until(due.firing, p_now) is null
$$;

comment on function ops.find_reminders(jsonb, timestamptz) is
    'The alerts that nobody answers and the chat channels on which it is time to say so again: where their beginning was told, and nothing waits to be.';

create function ops.queue_reminders(p_context ops.context, p_now timestamptz)
returns void
language sql
set search_path = ''
as $$
    select ops.queue_message(
        'reminder', due.channel, false, (due.alert).severity, (due.alert).id, null,
        ops.message_facts(due.alert, 'reminder', (due.alert).last_facts) || jsonb_build_object(
            'escalation', ops.escalation_facts(due.alert, null, '{}', p_now)
        ),
        p_context.settings, p_now
    )
    from ops.find_reminders(p_context.settings, p_now) as due
    where due.channel = any (p_context.channels)
$$;

comment on function ops.queue_reminders(ops.context, timestamptz) is
    'Queues a reminder of every alert that nobody answers and whose time has come.';

-- Callers --------------------------------------------------------------------

create or replace function ops.drop_unsent(p_alert uuid)
returns void
language sql
set search_path = ''
as $$
    update ops.outbox as message
    set status = 'superseded'
    where message.alert = p_alert
        and message.kind in ('firing', 'escalation', 'reminder')
        and message.status = 'pending'
        and message.attempts = 0
        and not ops.speaks_for_others(message)
$$;

revoke all on all functions in schema ops from public, anon, authenticated;
grant execute on all functions in schema ops to service_role;
