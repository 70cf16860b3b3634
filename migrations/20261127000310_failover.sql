-- Failover: what a channel does not take goes to another one.
--
-- Why: an alert that waits for a broken channel is an alert that nobody hears.
-- The copy is a message of its own: it is told, retried and given up by itself,
-- and a resolution answers whichever of the two arrived.
-- Read by: every tick and delivery (ops.mind_delivery), the rule channel_failing.
-- Undo: drop the functions of this file, the column, the indexes, the setting.

set local search_path = '';

insert into ops.settings (key, kind, value, default_value, minimum, maximum, unit, description)
values
    ('delivery.failover_minutes', 'integer', '5', '5', 1, 120, 'min', 'How long a message may fail on its channel before a copy goes to another.');

alter table ops.outbox add column stands_in_for uuid references ops.outbox (id);

comment on column ops.outbox.stands_in_for is 'The message that its own channel did not take, and that this one repeats elsewhere.';
comment on column ops.outbox.status is 'superseded: no longer worth sending, because its alert was acknowledged or resolved before the first attempt, its firing died, another message took its place, or the database was restored while it waited.';

-- One copy a message; a copy that fails too is copied once itself.
create unique index outbox_stands_in_key on ops.outbox (stands_in_for) where stands_in_for is not null;
create index outbox_channel_sent_idx on ops.outbox (channel, sent_at) where status = 'sent';

-- What fails -----------------------------------------------------------------

create function ops.list_failing(p_settings jsonb, p_memory interval, p_now timestamptz)
returns table (message uuid, channel text, since timestamptz, tried_at timestamptz, error text)
language sql
stable
set search_path = ''
as $$
    with tried as (
        select waiting.id, waiting.channel, waiting.last_error, false as dead
        from ops.outbox as waiting
        where waiting.status = 'pending' and waiting.attempts > 0
        union
        -- Found by its attempts, because nothing else says when it was given up.
        select given_up.id, given_up.channel, given_up.last_error, true
        from ops.deliveries as delivery
        join ops.outbox as given_up on given_up.id = delivery.message
        where delivery.started_at > p_now - p_memory
            and delivery.started_at <= p_now
            and given_up.status = 'dead'
    )
    select tried.id, tried.channel, attempts.first_at, attempts.last_at, tried.last_error
    from tried
    cross join lateral (
        select min(delivery.started_at) as first_at, max(delivery.started_at) as last_at
        from ops.deliveries as delivery
        where delivery.message = tried.id
    ) as attempts
    where tried.dead
        or attempts.first_at <= p_now - ops.minutes(p_settings, 'delivery.failover_minutes')
$$;

comment on function ops.list_failing(jsonb, interval, timestamptz) is
    'Messages that their channel did not take: tried in vain for longer than the setting, or given up for no longer than p_memory.';

create function ops.last_sent_at(p_channel text)
returns timestamptz
language sql
stable
set search_path = ''
as $$
    -- The last up to that channel's end: asked for equality, the planner may walk
    -- all that was ever sent in search of a channel that has taken nothing.
    select case when last.channel = p_channel then last.sent_at end
    from (
        select channel, sent_at
        from ops.outbox
        where status = 'sent' and (channel, sent_at) <= (p_channel, 'infinity'::timestamptz)
        order by channel desc, sent_at desc
        limit 1
    ) as last
$$;

comment on function ops.last_sent_at(text) is 'When a channel last took a message; null if it never did.';

create function ops.failing_channels(p_settings jsonb, p_now timestamptz)
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
    -- A channel that has taken something since is not what fails.
    where coalesce(ops.last_sent_at(failing.channel) <= failing.tried_at, true)
    group by failing.channel
$$;

comment on function ops.failing_channels(jsonb, timestamptz) is
    'Channels that take nothing: since when, how many messages they keep, and the last error.';

-- The copy -------------------------------------------------------------------

create function ops.list_stranded(p_context ops.context, p_failing text[], p_now timestamptz)
returns setof ops.outbox
language sql
stable
set search_path = ''
as $$
    with stranded as (
        select failing.message
        -- While every channel fails, nobody can stand in: that may take a while.
        from ops.list_failing(p_context.settings, interval '1 day', p_now) as failing
        union
        -- Nobody has come to try these, because their channel takes nothing or is
        -- no longer configured.
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
    -- What names no rule tests its own channel.
    where message.facts ? 'rule'
        -- How a message on Slack is to read is said nowhere else.
        and message.kind <> 'change'
        and not exists (select from ops.outbox as copy where copy.stands_in_for = message.id)
        -- Who is told of a beginning only now would never hear of its end.
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
    limit 20
$$;

comment on function ops.list_stranded(ops.context, text[], timestamptz) is
    'Messages that should be repeated elsewhere and were not yet, the worst first; a bounded part, the rest follows.';

create function ops.is_said_on(p_message ops.outbox, p_channel text)
returns boolean
language sql
stable
set search_path = ''
as $$
    with said as (
        select other.facts #> '{recipients,people}' as people
        from ops.outbox as other
        where other.alert = p_message.alert
            and other.channel = p_channel
            and other.created_at = p_message.created_at
            and other.status in ('pending', 'sent')
            and (other.kind = 'resolved') = (p_message.kind = 'resolved')
    )
    select exists (select from said)
        and not exists (
            select
            from jsonb_array_elements(p_message.facts #> '{recipients,people}') as person (value)
            where not exists (select from said where said.people @> jsonb_build_array(person.value))
        )
$$;

comment on function ops.is_said_on(ops.outbox, text) is
    'Whether another channel was given the same news at the same moment, for all the people whom the message addresses.';

create function ops.choose_stand_in(p_message ops.outbox, p_failing text[], p_channels text[])
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
            and not coalesce(p_message.facts -> 'standsInFor', '[]') ? configured.channel
    )
    select others.channel
    from others
    where not exists (select from others as other where ops.is_said_on(p_message, other.channel))
    order by others.place
    limit 1
$$;

comment on function ops.choose_stand_in(ops.outbox, text[], text[]) is
    'The first configured channel that works and was not tried with this message; null if there is none, or if one says the same already.';

create function ops.repeat_message(p_message ops.outbox, p_channel text, p_context ops.context, p_now timestamptz)
returns void
language plpgsql
set search_path = ''
as $$
begin
    insert into ops.outbox
        (kind, channel, digest, severity, alert, after, facts, created_at, next_attempt_at, stands_in_for)
    values (
        p_message.kind, p_channel, p_message.digest, p_message.severity, p_message.alert, p_message.after,
        p_message.facts || jsonb_build_object(
            'standsInFor',
            coalesce(p_message.facts -> 'standsInFor', '[]') || to_jsonb(p_message.channel)
        ),
        p_now,
        -- Its digest has had its hour.
        ops.message_due_at(p_message.kind, false, p_message.alert, p_context.settings, p_now),
        p_message.id
    );

    -- Where nobody serves the channel any more, nobody else would end the wait.
    update ops.outbox
    set status = 'superseded'
    where id = p_message.id
        and status = 'pending'
        and attempts = 0
        and channel <> all (p_context.channels);
end
$$;

comment on function ops.repeat_message(ops.outbox, text, ops.context, timestamptz) is
    'Queues a copy of a message on another channel, naming those that did not take it.';

create function ops.fail_over(p_context ops.context, p_now timestamptz)
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
    'Repeats on another channel, once, what its own has not taken for too long. The caller holds the lock of the alerts.';

revoke all on all functions in schema ops from public, anon, authenticated;
grant execute on all functions in schema ops to service_role;
