-- Everybody who may have heard of an alert gets one resolution. Several messages about an
-- alert may go to the same audience, and some may be on their way when the alert resolves, so
-- a resolution belongs to an audience and not to a message. It is due when any of these
-- messages may have arrived and none is being sent. Once the alert has resolved nothing says
-- any more that it goes on. The messages before a resolution are called beginnings here.

create or replace function ops.audience_of(p_message ops.outbox)
returns jsonb
language sql
immutable
parallel safe
set search_path = ''
as $$
    -- All readers of a channel are one audience. Whom a message addresses alone is another.
    select case
        when p_message.facts #> '{recipients,usual}' = 'false'
        then p_message.facts #> '{recipients,people}'
        else '[]'
    end
$$;

comment on function ops.audience_of(ops.outbox) is
    'Returns who among the readers of its channel gets a message, as a value that can be compared: [] for all of them, else the people whom it addresses alone.';

create or replace function ops.find_beginnings(p_end ops.outbox)
returns setof ops.outbox
language sql
stable
set search_path = ''
as $$
    select *
    from ops.outbox as beginning
    where beginning.alert = p_end.alert
        and ops.is_beginning(beginning)
        and (
            -- A copy of a resolution answers a message that was sent on another channel.
            beginning.id = p_end.after
            or (
                beginning.channel = p_end.channel
                and ops.audience_of(beginning) = ops.audience_of(p_end)
            )
        )
$$;

comment on function ops.find_beginnings(ops.outbox) is
    'Finds the messages about the alert of a resolution that go to the same audience.';

create or replace function ops.may_be_heard(p_beginning ops.outbox)
returns boolean
language plpgsql
stable
set search_path = ''
as $$
begin
    return p_beginning.status in ('pending', 'sent')
        or p_beginning.status in ('superseded', 'dead') and ops.may_have_arrived(p_beginning);
end
$$;

comment on function ops.may_be_heard(ops.outbox) is
    'Returns whether somebody may have heard a beginning, or may do so yet: it was sent, waits, or no attempt at it is known to have been refused.';

create or replace function ops.is_answerable(p_end ops.outbox, p_now timestamptz)
returns boolean
language plpgsql
stable
set search_path = ''
as $$
begin
    return (
        select coalesce(
            bool_or(beginning.status <> 'pending' and ops.may_be_heard(beginning))
                -- A message that is being sent has to arrive before the resolution.
                and not bool_or(beginning.status = 'pending' and coalesce(beginning.leased_until > p_now, false)),
            false
        )
        from ops.find_beginnings(p_end) as beginning
    );
end
$$;

comment on function ops.is_answerable(ops.outbox, timestamptz) is
    'Returns whether the audience of a resolution may have heard of its alert, and no message to it is being sent.';

create or replace function ops.names_of_people(p_people jsonb)
returns jsonb
language sql
immutable
parallel safe
set search_path = ''
as $$
    select coalesce(
        jsonb_agg(jsonb_build_object('contact', person.value -> 'contact', 'name', person.value -> 'name')), '[]'
    )
    from jsonb_array_elements(p_people) as person (value)
$$;

comment on function ops.names_of_people(jsonb) is
    'Returns people without their addresses: a room may name whom it does not call.';

create or replace function ops.is_addressed_otherwise(p_beginning ops.outbox)
returns boolean
language plpgsql
stable
set search_path = ''
as $$
begin
    return ops.audience_of(p_beginning) <> '[]'
        and exists (
            select
            from ops.outbox as wider
            where wider.alert = p_beginning.alert
                and wider.channel = p_beginning.channel
                and ops.is_beginning(wider)
                and ops.audience_of(wider) = '[]'
                and wider.facts #> '{recipients,people}' @> ops.names_of_people(ops.audience_of(p_beginning))
                and wider.status <> 'pending'
                and ops.may_be_heard(wider)
        );
end
$$;

comment on function ops.is_addressed_otherwise(ops.outbox) is
    'Returns whether those whom a message addresses alone were also addressed by one to the usual readers, so that its resolution reaches them.';

create or replace function ops.find_audiences(p_alert uuid)
returns setof ops.outbox
language sql
stable
set search_path = ''
as $$
    select distinct on (beginning.channel, ops.audience_of(beginning)) beginning.*
    from ops.outbox as beginning
    where beginning.alert = p_alert
        and ops.is_beginning(beginning)
        and ops.may_be_heard(beginning)
        -- Nobody is called to hear that something is over: other messages say so.
        and ops.reach_of(beginning.channel) <> 'call'
        and not ops.is_addressed_otherwise(beginning)
    order by
        beginning.channel, ops.audience_of(beginning),
        -- Who was told at once and read it in the digest as well is told of the end at once.
        beginning.digest, beginning.status = 'sent' desc,
        case ops.reach_of(beginning.channel)
            when 'mail' then jsonb_array_length(beginning.facts #> '{recipients,people}')
        end desc nulls last,
        beginning.created_at, beginning.id
$$;

comment on function ops.find_audiences(uuid) is
    'Finds the messages that a resolution of an alert has to answer: one for each channel and audience that may have heard of it or may do so yet, preferring one that was sent.';

create or replace function ops.drop_moot(p_alert uuid, p_now timestamptz)
returns void
language sql
set search_path = ''
as $$
    update ops.outbox as message
    set status = 'superseded', lease = null, leased_until = null
    where message.alert = p_alert
        and message.status = 'pending'
        and (message.leased_until is null or message.leased_until <= p_now)
        and ops.is_moot(message)
$$;

comment on function ops.drop_moot(uuid, timestamptz) is
    'Drops the pending messages about an alert that has resolved which say that it goes on, unless they are being sent.';

create or replace function ops.drop_abandoned(p_now timestamptz)
returns void
language sql
set search_path = ''
as $$
    update ops.outbox
    set status = 'superseded', lease = null, leased_until = null
    where id in (
        select message.id
        from ops.outbox as message
        where message.status = 'pending' and message.leased_until <= p_now and ops.is_moot(message)
        for update skip locked
    )
$$;

comment on function ops.drop_abandoned(timestamptz) is
    'Drops the messages whose lease ran out while their alert resolved: nobody settled them.';

create or replace function ops.drop_unasked_ends(p_alert uuid)
returns void
language sql
set search_path = ''
as $$
    update ops.outbox as ending
    set status = 'superseded'
    where ending.alert = p_alert
        and ending.kind = 'resolved'
        and ending.status = 'pending'
        and not exists (
            select from ops.find_beginnings(ending) as beginning where ops.may_be_heard(beginning)
        )
$$;

comment on function ops.drop_unasked_ends(uuid) is
    'Drops the resolutions of an alert for audiences that have heard nothing of it and will not.';

create or replace function ops.ends_again_at(p_end ops.outbox)
returns timestamptz
language plpgsql
stable
set search_path = ''
as $$
begin
    return (
        select max(coalesce(delivery.settled_at, delivery.started_at)) + ops.retry_after(p_end.attempts, 0.5)
        from ops.deliveries as delivery
        where delivery.message = p_end.id
    );
end
$$;

comment on function ops.ends_again_at(ops.outbox) is
    'Returns when a resolution that was given up is tried again: after a pause that grows with its attempts.';

create or replace function ops.revive_ends(p_channels text[], p_now timestamptz)
returns void
language sql
set search_path = ''
as $$
    -- Its channel may have been cut off for that moment alone. Whoever heard that something is
    -- wrong must not be left with that.
    update ops.outbox as ending
    set status = 'pending', next_attempt_at = p_now, bundle = null, bundled_at = null
    from ops.alerts as alert
    where ending.status = 'dead'
        and ending.kind = 'resolved'
        and ending.channel = any (p_channels)
        and alert.id = ending.alert
        -- A day later the end is no news.
        and ending.created_at > p_now - interval '1 day'
        and ops.ends_again_at(ending) <= p_now
        and ops.is_answerable(ending, p_now)
        and not exists (
            select
            from ops.outbox as other
            where other.alert = ending.alert
                and other.kind = 'resolved'
                and other.channel = ending.channel
                and ops.audience_of(other) = ops.audience_of(ending)
                and other.status in ('pending', 'sent')
        )
        -- It would say that all is well.
        and not exists (
            select from ops.alerts as later where later.fingerprint = alert.fingerprint and later.status <> 'resolved'
        )
$$;

comment on function ops.revive_ends(text[], timestamptz) is
    'Makes the resolutions due again that their channel refused, for audiences that have heard of the alert and of no end, for a day. The caller holds the lock of the alerts.';
