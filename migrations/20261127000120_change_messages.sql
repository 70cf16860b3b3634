-- Messages that follow their alert: threads, and changes of the first message.
--
-- Why: Slack names a message that a bot posted, so what is said later of the same
-- alert can answer it in its thread, and the message itself can show how things
-- stand: who has taken the alert over, until when, and that it is over. A channel
-- full of messages that are no longer true is not read at night. A webhook gives no
-- name, so nothing of this happens there.
-- Read by: delivery.
-- Undo: drop both triggers and the functions of this file, and put the constraint
-- on kinds back.

set local search_path = '';

alter table ops.outbox drop constraint outbox_kind_check;
alter table ops.outbox add constraint outbox_kind_check
    check (kind in ('firing', 'resolved', 'notice', 'escalation', 'change'));

comment on column ops.outbox.kind is
    'change: no message of its own, but how the first message on Slack is to read now.';

create function ops.first_on_slack(p_alert uuid)
returns ops.outbox
language sql
stable
set search_path = ''
as $$
    select message
    from ops.outbox as message
    where alert = p_alert
        and kind in ('firing', 'escalation')
        and channel = 'slack'
        and status = 'sent'
        -- A digest is about other alerts too.
        and not digest
        and provider_id is not null
    order by sent_at, id
    limit 1
$$;

comment on function ops.first_on_slack(uuid) is
    'The message with which an alert came up on Slack, if Slack named it; null if it did not.';

create function ops.change_facts(p_alert ops.alerts, p_first ops.outbox)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select ops.message_facts(
        p_alert, case p_alert.status when 'resolved' then 'resolved' else 'firing' end, p_alert.last_facts
    ) || jsonb_build_object(
        'acknowledgement', case p_alert.status
            when 'acknowledged' then jsonb_build_object(
                'by', p_alert.acknowledged_by, 'until', p_alert.acknowledged_until
            )
        end
    ) || case
        when p_first.facts ? 'recipients' then jsonb_build_object('recipients', p_first.facts -> 'recipients')
        else '{}'
    end
$$;

comment on function ops.change_facts(ops.alerts, ops.outbox) is
    'What the first message about an alert has to say now: firing or resolved, and who has taken it over.';

create function ops.queue_change(p_alert uuid, p_now timestamptz)
returns void
language plpgsql
set search_path = ''
as $$
declare
    v_first ops.outbox := ops.first_on_slack(p_alert);
    v_alert ops.alerts;
begin
    if v_first.id is null then
        return;
    end if;
    select * into strict v_alert from ops.alerts where id = p_alert;
    -- Only the latest state is worth showing.
    update ops.outbox
    set status = 'superseded'
    where alert = p_alert and kind = 'change' and status = 'pending';
    perform ops.queue_message(
        'change', 'slack', false, v_alert.severity, p_alert, null,
        ops.change_facts(v_alert, v_first), ops.read_settings(), p_now
    );
    -- One that a worker is sending right now must not arrive after this one.
    update ops.outbox
    set next_attempt_at = greatest(
        next_attempt_at,
        (select max(leased_until) from ops.outbox where alert = p_alert and kind = 'change')
    )
    where alert = p_alert and kind = 'change' and status = 'pending';
end
$$;

comment on function ops.queue_change(uuid, timestamptz) is
    'Queues the change of an alert''s first message on Slack, in place of any that waits; nothing where Slack named none.';

create function ops.show_event()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
    perform ops.queue_change(new.alert, new.at);
    return null;
end
$$;

comment on function ops.show_event() is 'Lets the first message on Slack show what has happened to its alert.';

-- Whatever changes an alert writes it into the timeline, so no path can forget this.
create trigger show_event
    after insert on ops.alert_events
    for each row
    when (new.kind in ('acknowledged', 'snoozed', 'unacknowledged', 'acknowledgement_ended', 'resolved'))
    execute function ops.show_event();

create function ops.show_event_missed()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
    if exists (select from ops.alerts where id = new.alert and status <> 'firing') then
        perform ops.queue_change(new.alert, new.sent_at);
    end if;
    return null;
end
$$;

comment on function ops.show_event_missed() is
    'Lets a message that was under way while its alert changed show that as soon as Slack has named it.';

create trigger show_event_missed
    after update of status on ops.outbox
    for each row
    when (
        new.status = 'sent'
        and old.status <> 'sent'
        and new.channel = 'slack'
        and new.kind in ('firing', 'escalation')
        and new.provider_id is not null
    )
    execute function ops.show_event_missed();

revoke all on all functions in schema ops from public, anon, authenticated;
grant execute on all functions in schema ops to service_role;
