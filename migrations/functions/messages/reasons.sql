-- Why a message is not sent has one answer, in a word. Whoever asks whether a message is due,
-- whether it waits on purpose, or whether it will be sent at all reads it here: the claim,
-- the audit, the rules, the dashboard and the operator's command.

create or replace function ops.is_beginning(p_message ops.outbox)
returns boolean
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
begin
    return p_message.kind in ('firing', 'escalation', 'reminder');
end
$$;

comment on function ops.is_beginning(ops.outbox) is
    'Returns whether a message says that something is wrong, so that its readers have to hear of the end.';

create or replace function ops.may_have_arrived(p_message ops.outbox)
returns boolean
language plpgsql
stable
set search_path = ''
as $$
begin
    return p_message.status = 'sent'
        or p_message.attempts > 0
        and exists (
            select
            from ops.deliveries as delivery
            where delivery.message = p_message.id
                -- A delivery without an outcome is under way, or was cut off.
                and coalesce(delivery.outcome in ('sent', 'retry'), true)
        );
end
$$;

comment on function ops.may_have_arrived(ops.outbox) is
    'Returns whether somebody may have read a message: it was sent, or a delivery ended without an answer, was cut off or is under way. One that was only ever refused has arrived nowhere.';

create or replace function ops.is_moot(p_message ops.outbox)
returns boolean
language plpgsql
stable
set search_path = ''
as $$
begin
    return ops.is_beginning(p_message)
        and not ops.speaks_for_others(p_message)
        and exists (select from ops.alerts where id = p_message.alert and status = 'resolved')
        -- A group that may have arrived stays whole: a part of it would be another message.
        and (p_message.bundle is null or not ops.may_have_arrived(p_message));
end
$$;

comment on function ops.is_moot(ops.outbox) is
    'Returns whether a message says that something is wrong that is over by now. It is not sent any more, because it would not be true.';

create or replace function ops.is_silenced(p_message ops.outbox, p_now timestamptz)
returns boolean
language plpgsql
stable
set search_path = ''
as $$
begin
    return p_message.kind in ('firing', 'escalation')
        and exists (
            select
            from ops.alerts as alert
            where alert.id = p_message.alert and ops.silenced_until(alert, p_now) is not null
        )
        and not ops.may_have_arrived(p_message);
end
$$;

comment on function ops.is_silenced(ops.outbox, timestamptz) is
    'Returns whether a message waits because its alert is silenced or in maintenance. One that somebody may have read does not.';

create or replace function ops.waiting_reason(p_message ops.outbox, p_now timestamptz)
returns text
language plpgsql
stable
set search_path = ''
as $$
begin
    if p_message.leased_until > p_now then
        return 'being_sent';
    elsif ops.is_moot(p_message) then
        return 'over';
    elsif ops.is_held_back(p_message, p_now) then
        return 'held';
    elsif p_message.next_attempt_at > p_now and p_message.digest then
        return 'digest';
    elsif p_message.next_attempt_at > p_now then
        return case
            when ops.is_silenced(p_message, p_now) then 'silenced'
            when p_message.attempts > 0 then 'retrying'
            when p_message.not_before > p_now then 'person_later'
            else 'postponed'
        end;
    elsif p_message.after is not null and not ops.is_answerable(p_message, p_now) then
        return 'beginning_unsent';
    end if;
    return 'due';
end
$$;

comment on function ops.waiting_reason(ops.outbox, timestamptz) is
    'Returns why a pending message is not sent now: being_sent, over (its alert has resolved), held (its alert is the consequence of another), digest, retrying, silenced (or in maintenance), person_later (until the later way to a person is due, or the person''s quiet hours end), postponed (until its group or its channel takes more), beginning_unsent (what it answers did not arrive yet), or due where nothing keeps it.';

create or replace function ops.unsent_reason(p_message ops.outbox, p_channels text[], p_now timestamptz)
returns text
language plpgsql
stable
set search_path = ''
as $$
begin
    return case p_message.status
        when 'sent' then null
        when 'superseded' then 'dropped'
        when 'dead' then case when p_message.channel is null then 'no_channel' else 'given_up' end
        else case
            when p_message.channel = any (p_channels) then ops.waiting_reason(p_message, p_now)
            else 'channel_not_configured'
        end
    end;
end
$$;

comment on function ops.unsent_reason(ops.outbox, text[], timestamptz) is
    'Returns why a message was not sent, given the channels that are served: dropped, given_up, no_channel, channel_not_configured, or what ops.waiting_reason says; null if it was sent.';

create or replace function ops.is_claimable(p_message ops.outbox, p_channels text[], p_now timestamptz)
returns boolean
language plpgsql
stable
set search_path = ''
as $$
begin
    return p_message.channel = any (p_channels) and ops.waiting_reason(p_message, p_now) = 'due';
end
$$;

comment on function ops.is_claimable(ops.outbox, text[], timestamptz) is
    'Returns whether a pending message may be leased: its channel is served, and nothing keeps it.';

create or replace function ops.waits_on_purpose(p_message ops.outbox, p_now timestamptz)
returns boolean
language plpgsql
stable
set search_path = ''
as $$
begin
    return p_message.digest
        or ops.waiting_reason(p_message, p_now) in ('held', 'silenced', 'postponed', 'person_later', 'over');
end
$$;

comment on function ops.waits_on_purpose(ops.outbox, timestamptz) is
    'Returns whether a pending message is not to be sent yet, or no more: nobody has failed to send it.';
