-- Everybody to whom a message about an alert was sent gets one resolution. Several messages
-- about an alert may go to the same audience, and some may still be tried when the alert
-- resolves, so a resolution belongs to an audience and not to a message. It is due when any of
-- these messages was sent, and after it nothing else about the alert goes to that audience.
-- The messages before a resolution are called beginnings here.

create or replace function ops.audience_of(p_message ops.outbox)
returns jsonb
language sql
immutable
parallel safe
set search_path = ''
as $$
    -- All readers of a channel are one audience. Of emails, those to the usual addresses are
    -- one audience, and those to a person alone are another.
    select case
        when p_message.channel = 'email' and p_message.facts #> '{recipients,usual}' = 'false'
        then p_message.facts #> '{recipients,people}'
        else '[]'
    end
$$;

comment on function ops.audience_of(ops.outbox) is
    'Returns who among the readers of its channel gets a message, as a value that can be compared: [] for all of them, else the people whom an email addresses alone.';

create or replace function ops.find_beginnings(p_end ops.outbox)
returns setof ops.outbox
language sql
stable
set search_path = ''
as $$
    select *
    from ops.outbox as beginning
    where beginning.alert = p_end.alert
        and beginning.kind in ('firing', 'escalation', 'reminder')
        and (
            -- A copy of a resolution answers a message that was sent on another channel.
            beginning.id = p_end.after
            or (
                beginning.channel = p_end.channel
                and beginning.digest = p_end.digest
                and ops.audience_of(beginning) = ops.audience_of(p_end)
            )
        )
$$;

comment on function ops.find_beginnings(ops.outbox) is
    'Finds the messages about the alert of a resolution that go to the same audience.';

create or replace function ops.find_audiences(p_alert uuid)
returns setof ops.outbox
language sql
stable
set search_path = ''
as $$
    select distinct on (beginning.channel, beginning.digest, ops.audience_of(beginning)) beginning.*
    from ops.outbox as beginning
    where beginning.alert = p_alert
        and beginning.kind in ('firing', 'escalation', 'reminder')
        and beginning.status in ('pending', 'sent')
    order by
        beginning.channel, beginning.digest, ops.audience_of(beginning), beginning.status = 'sent' desc,
        case beginning.channel
            when 'email' then jsonb_array_length(beginning.facts #> '{recipients,people}')
        end desc nulls last,
        beginning.created_at, beginning.id
$$;

comment on function ops.find_audiences(uuid) is
    'Finds the messages that a resolution of an alert has to answer: one for each channel and audience to which a message was or may yet be sent, preferring one that was sent.';

create or replace function ops.drop_beginnings(p_end ops.outbox, p_now timestamptz)
returns void
language sql
set search_path = ''
as $$
    update ops.outbox as late
    set status = 'superseded', lease = null, leased_until = null
    where late.id in (select id from ops.find_beginnings(p_end))
        and late.status = 'pending'
        and (late.leased_until is null or late.leased_until <= p_now)
        and not ops.speaks_for_others(late)
$$;

comment on function ops.drop_beginnings(ops.outbox, timestamptz) is
    'Drops the pending messages to the audience of a message whose alert is over, unless they are being sent or call for other alerts too.';
