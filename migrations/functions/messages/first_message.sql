-- On channels that follow alerts, the first message about one shows how it stands: who has
-- taken it over, until when, and that it has resolved. A message that the provider did not
-- name cannot be changed: Slack's webhook names none, its bot does.

create or replace function ops.first_named(p_alert uuid, p_channel text)
returns ops.outbox
language sql
stable
set search_path = ''
as $$
    select message
    from ops.outbox as message
    where alert = p_alert
        and kind in ('firing', 'escalation')
        and channel = p_channel
        and status = 'sent'
        -- A digest and a group are about other alerts too.
        and not digest
        and bundle is null
        and provider_id is not null
    order by sent_at, id
    limit 1
$$;

comment on function ops.first_named(uuid, text) is
    'Returns the first message that was sent about an alert on a channel, alone and with a name from the provider; null if there is none.';

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

create or replace function ops.queue_change(p_alert ops.alerts, p_first ops.outbox, p_now timestamptz)
returns void
language plpgsql
set search_path = ''
as $$
begin
    -- Only the latest state is shown, so changes that wait are superseded.
    update ops.outbox
    set status = 'superseded'
    where alert = p_alert.id and kind = 'change' and channel = p_first.channel and status = 'pending';
    perform ops.queue_message(
        'change', p_first.channel, false, p_alert.severity, p_alert.id, null,
        ops.change_facts(p_alert, p_first), ops.read_settings(), p_now
    );
    -- An earlier change that a worker is sending right now must not arrive after this one.
    update ops.outbox as waiting
    set next_attempt_at = greatest(
        next_attempt_at,
        (
            select max(leased_until)
            from ops.outbox
            where alert = p_alert.id and kind = 'change' and channel = p_first.channel
        )
    )
    where alert = p_alert.id and kind = 'change' and channel = p_first.channel and status = 'pending';
end
$$;

comment on function ops.queue_change(ops.alerts, ops.outbox, timestamptz) is
    'Queues a change of an alert''s first message on a channel, in place of any change that waits.';

create or replace function ops.show_alert(p_alert uuid, p_channels text[], p_now timestamptz)
returns void
language plpgsql
set search_path = ''
as $$
begin
    perform ops.queue_change(alert, ops.first_named(alert.id, following.channel), p_now)
    from ops.alerts as alert
    cross join unnest(p_channels) as following (channel)
    where alert.id = p_alert
        and (ops.first_named(alert.id, following.channel)).id is not null;
end
$$;

comment on function ops.show_alert(uuid, text[], timestamptz) is
    'Queues a change of an alert''s first message on each of those channels whose provider named it.';

create or replace function ops.show_event()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
    perform ops.show_alert(
        new.alert,
        array(
            select channel
            from ops.channel_kinds
            -- A pager is told of the end by the resolution itself.
            where follows and (reach <> 'pager' or new.kind <> 'resolved')
            order by place
        ),
        new.at
    );
    return null;
end
$$;

comment on function ops.show_event() is
    'Queues a change of the first message on each channel that follows alerts when its alert has changed.';

create or replace function ops.show_event_missed()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
    if ops.follows_alerts(new.channel) and exists (
        select from ops.alerts where id = new.alert and status <> 'firing'
    ) then
        perform ops.show_alert(new.alert, array[new.channel], new.sent_at);
    end if;
    return null;
end
$$;

comment on function ops.show_event_missed() is
    'Queues a change of a message that was being sent while its alert changed, as soon as the provider has named it.';
