-- An alert that fires and that nobody was told of is told again. Its messages may all have
-- been given up, or there was no channel when it opened; without this it would fire in
-- silence, even after its channel works again. Telling a machine counts only where no channel
-- is configured that people read.

create or replace function ops.was_told(p_alert uuid, p_channels text[])
returns boolean
language plpgsql
stable
set search_path = ''
as $$
begin
    return exists (
        select
        from ops.outbox as message
        where message.alert = p_alert
            and message.status = 'sent'
            and ops.is_beginning(message)
            and ops.tells_somebody(message.channel, p_channels)
    );
end
$$;

comment on function ops.was_told(uuid, text[]) is
    'Returns whether a message about an alert was sent to people, or to anything at all where people read none of the channels.';

create or replace function ops.find_untold(p_channels text[], p_now timestamptz)
returns setof ops.alerts
language plpgsql
stable
set search_path = ''
as $$
begin
    return query
    with unheard as materialized (
        select alert
        from ops.alerts as alert
        where alert.status <> 'resolved'
            and alert.status = 'firing'
            and ops.held_by(alert, p_now) is null
            and not ops.was_told(alert.id, p_channels)
    )
    select (unheard.alert).*
    from unheard
    where ops.silenced_until(unheard.alert, p_now) is null;
end
$$;

comment on function ops.find_untold(text[], timestamptz) is
    'Finds the alerts that fire, are neither held nor silenced, and that nobody was told of.';

create or replace function ops.retold_at(p_alert uuid, p_channels text[])
returns timestamptz
language plpgsql
stable
set search_path = ''
as $$
begin
    return (
        with tried as (
            select message.status, message.channel, message.created_at, latest.at
            from ops.outbox as message
            left join lateral (
                select max(coalesce(delivery.settled_at, delivery.started_at)) as at
                from ops.deliveries as delivery
                where delivery.message = message.id
            ) as latest on true
            where message.alert = p_alert and ops.is_beginning(message)
        )
        select
            case when not coalesce(bool_or(tried.status = 'pending' and ops.tells_somebody(tried.channel, p_channels)), false)
            then coalesce(
                max(coalesce(tried.at, tried.created_at)) filter (where tried.channel is not null)
                    + ops.retry_after(
                        (count(*) filter (where tried.status = 'dead' and tried.channel is not null))::integer, 0.5
                    ),
                '-infinity'
            )
            end
        from tried
    );
end
$$;

comment on function ops.retold_at(uuid, text[]) is
    'Returns when an alert that nobody was told of is told again: at once where there was no channel, else after a pause that grows with each message that was given up; null while a message that would tell somebody still waits.';

create or replace function ops.tell_untold(p_context ops.context, p_now timestamptz)
returns void
language plpgsql
set search_path = ''
as $$
begin
    perform ops.queue_message(
        'firing', route.channel, route.digest, untold.severity, untold.id, null,
        ops.message_facts(untold, 'firing', untold.last_facts) || case
            when asked.people is null then '{}'
            else jsonb_build_object('recipients', jsonb_build_object('usual', true, 'people', asked.people))
        end,
        p_context.settings, p_now
    )
    from ops.find_untold(p_context.channels, p_now) as untold
    cross join lateral (
        select jsonb_agg(distinct step.person) as people
        from ops.escalations as step
        where step.alert = untold.id and step.status = 'told' and step.person is not null
    ) as asked
    cross join lateral ops.route_alert(untold, p_context.channels) as route
    where ops.retold_at(untold.id, p_context.channels) <= p_now
        -- It may be over with the next observation.
        and not exists (select from ops.alert_states as state where state.alert = untold.id and state.good_count > 0)
        and route.channel is not null
        and ops.tells_somebody(route.channel, p_context.channels);
end
$$;

comment on function ops.tell_untold(ops.context, timestamptz) is
    'Queues a firing anew, to whoever was asked by now, for each alert that nobody was told of. The caller holds the lock of the alerts.';
