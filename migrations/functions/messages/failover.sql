-- A message that its channel does not take is copied to another channel. The copy is a
-- message of its own, which is sent, retried and given up by itself, and a resolution
-- answers whichever of the two was sent.

create or replace function ops.list_failing(p_settings jsonb, p_memory interval, p_now timestamptz)
returns table (message uuid, channel ops.channel, since timestamptz, tried_at timestamptz, error text)
language plpgsql
stable
set search_path = ''
as $$
begin
    return query
    with tried as (
        select waiting.id, waiting.channel, waiting.last_error, false as dead
        from ops.outbox as waiting
        where waiting.status = 'pending' and waiting.attempts > 0
        union
        -- A message that was given up is found by its deliveries, because only they say when.
        select given_up.id, given_up.channel, given_up.last_error, true
        from ops.deliveries as delivery
        join ops.outbox as given_up on given_up.id = delivery.message
        where delivery.started_at > p_now - p_memory
            and delivery.started_at <= p_now
            and given_up.status = 'dead'
            -- What cannot be read here cannot be read elsewhere; a bare message took its place.
            and not exists (
                select
                from ops.deliveries as unread
                where unread.message = given_up.id and unread.outcome = 'unread'
            )
    )
    select tried.id, tried.channel, attempts.first_at, attempts.last_at, tried.last_error
    from tried
    cross join lateral (
        select min(delivery.started_at) as first_at, max(delivery.started_at) as last_at
        from ops.deliveries as delivery
        where delivery.message = tried.id and delivery.outcome is distinct from 'untried'
    ) as attempts
    where tried.dead
        or attempts.first_at <= p_now - ops.minutes(p_settings, 'delivery.failover_minutes');
end
$$;

comment on function ops.list_failing(jsonb, interval, timestamptz) is
    'Lists messages that their channel did not take: those that are still tried after longer than the setting, and those that were given up and whose last deliveries began within p_memory.';

create or replace function ops.last_sent_at(p_channel text)
returns timestamptz
language plpgsql
stable
set search_path = ''
as $$
begin
    return (
        -- This asks for the last row up to the end of that channel. If it asked for equality, the
        -- planner might read all that was ever sent to find a channel that has taken nothing.
        select case when last.channel = p_channel then last.sent_at end
        from (
            select channel, sent_at
            from ops.outbox
            where status = 'sent' and (channel, sent_at) <= (p_channel, 'infinity'::timestamptz)
            order by channel desc, sent_at desc
            limit 1
        ) as last
    );
end
$$;

comment on function ops.last_sent_at(text) is 'Returns when a channel last took a message; null if it never did.';

create or replace function ops.failing_channels(p_settings jsonb, p_now timestamptz)
returns table (channel text, since timestamptz, messages bigint, error text)
language sql
stable
set search_path = ''
as $$
    select
        failing.channel,
        min(failing.since),
        count(*),
        (array_agg(failing.error order by failing.tried_at desc))[1]
    from ops.list_failing(p_settings, interval '1 hour', p_now) as failing
    -- A channel that has taken another message since then does not fail.
    where coalesce(ops.last_sent_at(failing.channel) <= failing.tried_at, true)
        -- An address that is gone says nothing of its channel.
        and not exists (
            select
            from ops.deliveries as delivery
            where delivery.message = failing.message and delivery.outcome = 'gone'
        )
    group by failing.channel
$$;

comment on function ops.failing_channels(jsonb, timestamptz) is
    'Finds the channels that take nothing: since when, how many messages each has not taken, and the last error.';

create or replace function ops.reaches_another_device(p_message uuid)
returns boolean
language plpgsql
stable
set search_path = ''
as $$
begin
    return exists (
        select
        from ops.outbox as failed
        join ops.outbox as other on other.alert = failed.alert
        where failed.id = p_message
            and failed.facts ? 'device'
            and other.id <> failed.id
            and other.channel = failed.channel
            and other.created_at = failed.created_at
            and other.kind = failed.kind
            and other.facts #> '{recipients,people}' = failed.facts #> '{recipients,people}'
            and other.status = 'sent'
    );
end
$$;

comment on function ops.reaches_another_device(uuid) is
    'Returns whether the same message about an alert, to the same person, was sent to another device.';

create or replace function ops.list_stranded(p_context ops.context, p_failing text[], p_now timestamptz)
returns setof ops.outbox
language plpgsql
stable
set search_path = ''
as $$
begin
    return query
    with stranded as (
        select failing.message
        -- While every channel fails there is no other one, so messages are remembered for a day.
        from ops.list_failing(p_context.settings, interval '1 day', p_now) as failing
        union
        -- No worker has tried these, because their channel takes nothing or is no longer
        -- configured.
        select waiting.id
        from ops.outbox as waiting
        where waiting.status = 'pending'
            and waiting.attempts = 0
            and waiting.next_attempt_at <= p_now - ops.minutes(p_context.settings, 'delivery.failover_minutes')
            and (waiting.channel = any (p_failing) or waiting.channel <> all (p_context.channels))
            and not ops.is_held_back(waiting, p_now)
    )
    select message.*
    from stranded
    join ops.outbox as message on message.id = stranded.message
    left join ops.alerts as alert on alert.id = message.alert
    -- A message without a rule tests its own channel.
    where message.facts ? 'rule'
        -- The change of a message on Slack makes no sense on another channel.
        and message.kind <> 'change'
        and not exists (select from ops.outbox as copy where copy.stands_in_for = message.id)
        and not ops.reaches_another_device(message.id)
        -- What was told anew since has been copied, or will be.
        and not exists (
            select
            from ops.outbox as anew
            where anew.alert = message.alert
                and anew.kind = 'firing'
                and anew.channel = message.channel
                and anew.created_at > message.created_at
                and message.kind <> 'resolved'
        )
        -- A beginning that is sent after the alert resolved would have no resolution.
        and (alert.id is null or alert.status = 'firing' or message.kind = 'resolved')
        and (
            message.after is null
            or exists (
                select
                from ops.outbox as answered
                where answered.id = message.after and answered.status = 'sent'
            )
        )
    order by ops.severity_rank(message.severity) desc, message.created_at, message.id
    limit 20;
end
$$;

comment on function ops.list_stranded(ops.context, text[], timestamptz) is
    'Finds messages that should be copied to another channel and were not yet, the worst first. It returns at most 20; the next call finds the rest.';

create or replace function ops.first_queued_at(p_message ops.outbox)
returns timestamptz
language sql
stable
set search_path = ''
as $$
    with recursive ways as (
        select p_message.created_at, p_message.stands_in_for
        union all
        select original.created_at, original.stands_in_for
        from ways
        join ops.outbox as original on original.id = ways.stands_in_for
    )
    select min(created_at) from ways
$$;

comment on function ops.first_queued_at(ops.outbox) is
    'Returns when a message was queued; of a copy, when that was whose place it takes.';

create or replace function ops.has_counterpart(p_message ops.outbox, p_channel text)
returns boolean
language sql
stable
set search_path = ''
as $$
    with counterparts as (
        select other.facts #> '{recipients,people}' as people
        from ops.outbox as other
        where (other.alert = p_message.alert or other.incident = p_message.incident)
            and other.channel = p_channel
            and ops.first_queued_at(other) = ops.first_queued_at(p_message)
            and other.status in ('pending', 'sent')
            and (other.kind = 'resolved') = (p_message.kind = 'resolved')
    )
    select exists (select from counterparts)
        and not exists (
            select
            from jsonb_array_elements(p_message.facts #> '{recipients,people}') as person (value)
            where not exists (
                select from counterparts where counterparts.people @> jsonb_build_array(person.value)
            )
        )
$$;

comment on function ops.has_counterpart(ops.outbox, text) is
    'Returns whether messages about the same alert, queued at the same moment on that channel or copied to it, address all the people whom the message addresses.';

create or replace function ops.choose_stand_in(p_message ops.outbox, p_failing text[], p_channels text[])
returns text
language sql
stable
set search_path = ''
as $$
    with others as (
        select configured.channel, configured.place
        from unnest(p_channels) with ordinality as configured (channel, place)
        where configured.channel <> p_message.channel
            and configured.channel <> all (p_failing)
            and case ops.reach_of(configured.channel)
                -- Whom it would wake was not asked for.
                when 'pager' then p_message.severity in ('critical', 'high')
                when 'phone' then false
                when 'call' then false
                -- A machine that was told is nobody who was told.
                when 'machine' then not ops.reaches_people(p_message.channel)
                else true
            end
            and not coalesce(p_message.facts -> 'standsInFor', '[]') ? configured.channel
    )
    select others.channel
    from others
    where not exists (select from others as other where ops.has_counterpart(p_message, other.channel))
    order by others.place
    limit 1
$$;

comment on function ops.choose_stand_in(ops.outbox, text[], text[]) is
    'Returns the first configured channel that does not fail and was not tried with this message, one that people read if they read that of the message, a pager only for what is critical or high, never a phone; null if there is none, or if one of them has a counterpart of the message.';

create or replace function ops.repeat_message(
    p_message ops.outbox,
    p_channel text,
    p_context ops.context,
    p_now timestamptz
)
returns void
language plpgsql
set search_path = ''
as $$
begin
    insert into ops.outbox
        (kind, channel, digest, severity, alert, incident, after, facts, created_at, next_attempt_at, stands_in_for)
    values (
        p_message.kind, p_channel, p_message.digest, p_message.severity, p_message.alert, p_message.incident,
        p_message.after,
        (p_message.facts - 'device') || jsonb_build_object(
            'standsInFor',
            coalesce(p_message.facts -> 'standsInFor', '[]') || to_jsonb(p_message.channel)
        ),
        p_now,
        -- The hour of the digest is over, so the copy does not wait for another one.
        ops.message_due_at(p_message.kind, false, p_message.alert, null, p_context.settings, p_now),
        p_message.id
    );

    -- No worker serves a channel that is no longer configured, so the original would wait
    -- for ever.
    update ops.outbox
    set status = 'superseded'
    where id = p_message.id
        and status = 'pending'
        and not ops.may_have_arrived(p_message)
        and channel <> all (p_context.channels);
end
$$;

comment on function ops.repeat_message(ops.outbox, text, ops.context, timestamptz) is
    'Queues a copy of a message on another channel; the copy names the channels that did not take it. An original that nobody can have read, on a channel that is no longer configured, is superseded.';

create or replace function ops.fail_over(p_context ops.context, p_now timestamptz)
returns void
language plpgsql
set search_path = ''
as $$
declare
    v_failing text[] := array(
        select failing.channel from ops.failing_channels(p_context.settings, p_now) as failing
    );
    v_message ops.outbox;
    v_channel text;
begin
    for v_message in
        select * from ops.list_stranded(p_context, v_failing, p_now)
    loop
        v_channel := ops.choose_stand_in(v_message, v_failing, p_context.channels);
        if v_channel is not null then
            perform ops.repeat_message(v_message, v_channel, p_context, p_now);
        end if;
    end loop;
end
$$;

comment on function ops.fail_over(ops.context, timestamptz) is
    'Copies each message that its channel has not taken for too long to another channel, once. The caller holds the lock of the alerts.';
