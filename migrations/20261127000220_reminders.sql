-- Reminders: what still fires and nobody answers is said again.
--
-- Why: a message scrolls away. What is acknowledged, silenced, in maintenance or
-- held needs none. The time runs from the last message that was sent about the
-- alert on that channel, so calls that were missed make no burst; and there is
-- never more than one on its way.
-- Read by: the tick, raised alerts, /api/alerts/dispatch, all by way of the ladder.
-- Undo: put back the former ops.drop_unsent and ops.advance_ladder and the
-- constraint on kinds; drop the functions and the index; take the settings away.

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

create or replace function ops.advance_ladder(p_context ops.context, p_now timestamptz)
returns bigint
language plpgsql
set search_path = ''
as $$
declare
    v_step record;
    v_told bigint := 0;
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
        v_told := v_told + 1;
    end loop;
    perform ops.queue_reminders(p_context, p_now);
    return v_told;
end
$$;

comment on function ops.advance_ladder(ops.context, timestamptz) is
    'Lets go of holds that ran out, plans what has no plan, ends acknowledgements whose time is over, tells everybody whose time has come and who was not told yet, and reminds of what nobody answers; returns how many steps were told. The caller holds the lock of the alerts.';

revoke all on all functions in schema ops from public, anon, authenticated;
grant execute on all functions in schema ops to service_role;
