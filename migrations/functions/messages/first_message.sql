-- The first message about an alert on Slack shows how the alert stands: who has taken it
-- over, until when, and that it has resolved. Only a message that a bot posted can be changed.
-- Slack's webhook returns no name for a message, so there nothing is changed.

create or replace function ops.first_on_slack(p_alert uuid)
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
        -- A digest and a group are about other alerts too.
        and not digest
        and bundle is null
        and provider_id is not null
    order by sent_at, id
    limit 1
$$;

comment on function ops.first_on_slack(uuid) is
    'Returns the first message that was sent about an alert on Slack, alone and with a name from Slack; null if there is none.';

create or replace function ops.change_facts(p_alert ops.alerts, p_first ops.outbox)
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
    'Returns the facts that the first message about an alert has to show now: firing or resolved, and who has acknowledged it until when.';

create or replace function ops.queue_change(p_alert uuid, p_now timestamptz)
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
    -- Only the latest state is shown, so changes that wait are superseded.
    update ops.outbox
    set status = 'superseded'
    where alert = p_alert and kind = 'change' and status = 'pending';
    perform ops.queue_message(
        'change', 'slack', false, v_alert.severity, p_alert, null,
        ops.change_facts(v_alert, v_first), ops.read_settings(), p_now
    );
    -- An earlier change that a worker is sending right now must not arrive after this one.
    update ops.outbox
    set next_attempt_at = greatest(
        next_attempt_at,
        (select max(leased_until) from ops.outbox where alert = p_alert and kind = 'change')
    )
    where alert = p_alert and kind = 'change' and status = 'pending';
end
$$;

comment on function ops.queue_change(uuid, timestamptz) is
    'Queues a change of an alert''s first message on Slack, in place of any change that waits. It does nothing where Slack named no message.';

create or replace function ops.show_event()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
    perform ops.queue_change(new.alert, new.at);
    return null;
end
$$;

comment on function ops.show_event() is 'Queues a change of the first message on Slack when its alert has changed.';

create or replace function ops.show_event_missed()
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
    'Queues a change of a message that was being sent while its alert changed, as soon as Slack has named it.';
