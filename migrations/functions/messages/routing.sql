-- These functions decide to which channels a message goes. A room gets everything. Mail gets
-- what is critical, and everything where no room is configured. A pager gets what is
-- critical, and a phone, also by a call, only what is addressed to its owner. A machine gets each message at
-- once, because it needs no digest. An alert about a channel never goes to people by that
-- channel alone if another one is configured.

create or replace function ops.known_channels()
returns text[]
language plpgsql
stable
parallel safe
set search_path = ''
as $$
begin
    return array(select channel from ops.channel_kinds order by place);
end
$$;

comment on function ops.known_channels() is
    'Returns the channels that messages may go to, the one to prefer first.';

create or replace function ops.reach_of(p_channel text)
returns text
language plpgsql
stable
parallel safe
set search_path = ''
as $$
begin
    return (select reach from ops.channel_kinds where channel = p_channel);
end
$$;

comment on function ops.reach_of(text) is 'Returns who reads a channel, in a word.';

create or replace function ops.follows_alerts(p_channel text)
returns boolean
language plpgsql
stable
parallel safe
set search_path = ''
as $$
begin
    return (select follows from ops.channel_kinds where channel = p_channel);
end
$$;

comment on function ops.follows_alerts(text) is
    'Returns whether the first message about an alert on a channel is kept as the alert stands.';

create or replace function ops.reaches_people(p_channel text)
returns boolean
language plpgsql
stable
parallel safe
set search_path = ''
as $$
begin
    return ops.reach_of(p_channel) <> 'machine';
end
$$;

comment on function ops.reaches_people(text) is
    'Returns whether people read a channel; a webhook tells a machine, and nobody knows what that does.';

create or replace function ops.read_by_people(p_channels text[])
returns boolean
language plpgsql
stable
parallel safe
set search_path = ''
as $$
begin
    return exists (
        select
        from ops.channel_kinds
        -- A phone reaches nobody who is not addressed.
        where channel = any (p_channels) and reach in ('room', 'mail', 'pager')
    );
end
$$;

comment on function ops.read_by_people(text[]) is 'Returns whether people read any of these channels, whomever a message addresses.';

create or replace function ops.tells_somebody(p_channel text, p_channels text[])
returns boolean
language plpgsql
stable
parallel safe
set search_path = ''
as $$
begin
    return ops.reaches_people(p_channel) or not ops.read_by_people(p_channels);
end
$$;

comment on function ops.tells_somebody(text, text[]) is
    'Returns whether a message on a channel counts as told, given those that are configured: people read it, or none that people read is configured.';

create or replace function ops.route(
    p_severity text,
    p_channels text[],
    out channel text,
    out digest boolean
)
returns setof record
language sql
stable
set search_path = ''
as $$
    with configured as (
        select kind.*, bool_or(kind.reach = 'room') over () as in_rooms
        from ops.channel_kinds as kind
        where kind.channel = any (p_channels)
    ),
    chosen as (
        select *
        from configured
        where case reach
            when 'mail' then p_severity = 'critical' or not in_rooms
            when 'pager' then p_severity = 'critical'
            else reach not in ('phone', 'call')
        end
    )
    (
        select chosen.channel, p_severity = 'low' and chosen.reach <> 'machine'
        from chosen
        order by chosen.place
    )
    union all
    -- If nothing is configured the channel is null, and the row in the outbox shows that.
    select null, p_severity = 'low'
    where not exists (select from chosen)
$$;

comment on function ops.route(text, text[]) is
    'Returns where a message of that severity goes to its usual readers, given the configured channels: to rooms and machines; to mail if it is critical or there is no room; to pagers if it is critical; never to phones. One of low severity goes into the digest, except to a machine. The channel is null if nothing is configured.';

create or replace function ops.concerned_channel(p_rule text, p_subject text)
returns text
language sql
immutable
parallel safe
set search_path = ''
as $$
    select case
        when p_rule in ('channel_failing', 'delivery_unproven') then p_subject
        when p_rule = 'service_degraded' and p_subject = 'email' then 'email'
    end
$$;

comment on function ops.concerned_channel(text, text) is
    'Returns the channel that an alert casts doubt on; null for an alert about anything else.';

create or replace function ops.route_alert(
    p_alert ops.alerts,
    p_channels text[],
    out channel text,
    out digest boolean
)
returns setof record
language sql
stable
set search_path = ''
as $$
    with usual as (
        select route.*
        from ops.route(p_alert.severity, p_channels) as route
    ),
    doubted as (
        select ops.concerned_channel(p_alert.rule, p_alert.subject) as channel
    ),
    trusted as (
        select exists (
            select
            from usual
            cross join doubted
            where usual.channel is distinct from doubted.channel
                -- A machine that is told is nobody who is told.
                and ops.tells_somebody(usual.channel, p_channels)
        ) as there
    )
    select usual.channel, usual.digest
    from usual
    cross join trusted
    where trusted.there

    union all
    select other.channel, other.digest
    from trusted
    cross join doubted
    cross join lateral ops.route(
        p_alert.severity,
        -- If no other channel is configured, the doubted one is better than none.
        coalesce(nullif(array_remove(p_channels, doubted.channel), '{}'), p_channels)
    ) as other
    where not trusted.there
$$;

comment on function ops.route_alert(ops.alerts, text[]) is
    'Returns where a message about an alert goes: where ops.route says, but to people never only by the channel that the alert is about if another one is configured.';
