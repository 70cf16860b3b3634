-- A worker leases the messages that are due, and no other worker gets them until the lease
-- ends. Only one worker at a time chooses from a channel's messages: two would send two
-- first messages and two groups.

create or replace function ops.list_claimed(p_claim uuid)
returns table (message ops.outbox, alone boolean)
language sql
stable
set search_path = ''
as $$
    select
        leased,
        -- A group of one is a message like others.
        not leased.digest and (leased.bundle is null or 1 = count(*) over (partition by leased.bundle))
    from ops.outbox as leased
    where leased.lease = p_claim and leased.status = 'pending'
$$;

comment on function ops.list_claimed(uuid) is
    'Lists the messages that a claim holds, and whether each is sent alone.';

create or replace function ops.claimed_alone(p_claim uuid)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select coalesce(
        jsonb_agg(
            jsonb_build_object(
                'id', single.id,
                'lease', single.lease,
                'channel', single.channel,
                'kind', single.kind,
                'severity', single.severity,
                'attempt', single.attempts,
                'digest', false,
                'facts', ops.addressed_facts(single.channel, single.facts) || ops.answer_facts(single),
                'thread', case
                    when not ops.follows_alerts(single.channel) then null
                    when single.incident is not null then ops.thread_of_incident(single.incident, single.channel)
                    else (ops.first_named(single.alert, single.channel)).provider_id
                end,
                'createdAt', single.created_at
            )
            order by
                ops.severity_rank(single.severity) desc, single.created_at, single.facts ->> 'fingerprint', single.id
        ),
        '[]'
    )
    from (select (claimed.message).* from ops.list_claimed(p_claim) as claimed where claimed.alone) as single
$$;

comment on function ops.claimed_alone(uuid) is
    'Returns the messages of a claim that are sent alone, the worst first, each with the name of its alert''s first message, where the channel keeps that as the alert stands.';

create or replace function ops.claimed_together(p_claim uuid)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
    return (
        with shared as (
            select (claimed.message).*
            from ops.list_claimed(p_claim) as claimed
            where not claimed.alone
        ),
        placed as (
            select
                *,
                row_number() over (
                    order by
                        case when bundle is not null then ops.severity_rank(severity) end desc,
                        created_at,
                        facts ->> 'fingerprint',
                        id
                ) as place
            from shared
        ),
        bundled as (
            select
                channel,
                bundle,
                jsonb_build_object(
                    'channel', channel,
                    'lease', p_claim,
                    'attempt', max(attempts),
                    'occasion', case when bundle is null then 'daily' else 'group' end,
                    'ids', jsonb_agg(id order by place),
                    -- A storm has no end, and nobody reads more than that.
                    'items', to_jsonb(
                        (array_agg(ops.addressed_facts(channel, facts) order by place))[1:200]
                    )
                ) as document
            from placed
            group by channel, bundle
        )
        select coalesce(jsonb_agg(document order by channel, bundle), '[]')
        from bundled
    );
end
$$;

comment on function ops.claimed_together(uuid) is
    'Returns the messages of a claim that are sent together: one digest for each channel, in order of time, and the groups, the worst alert first.';

create or replace function ops.claimed_messages(p_claim uuid, p_now timestamptz)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_build_object(
        'now', p_now,
        'runbook', nullif(ops.read_settings() ->> 'links.runbook', ''),
        'messages', ops.claimed_alone(p_claim),
        'digests', ops.claimed_together(p_claim)
    )
$$;

comment on function ops.claimed_messages(uuid, timestamptz) is
    'Returns what a claim holds, and where the runbook is, if the setting places it outside the bundle.';

create or replace function ops.bury_abandoned(p_maximum integer, p_now timestamptz)
returns void
language sql
set search_path = ''
as $$
    select ops.bury_message(message.id, 'lease ran out at the last attempt')
    from (
        select id
        from ops.outbox
        where status = 'pending' and attempts >= p_maximum and leased_until <= p_now
        for update skip locked
    ) as message
$$;

comment on function ops.bury_abandoned(integer, timestamptz) is
    'Gives up messages whose lease ran out at the last attempt: nobody settled them.';

create or replace function ops.lease_messages(
    p_claim uuid,
    p_channels text[],
    p_alone uuid[],
    p_limit integer,
    p_lease_seconds integer,
    p_now timestamptz
)
returns void
language plpgsql
set search_path = ''
as $$
begin
    with singles as (
        select message.id
        from ops.outbox as message
        where message.status = 'pending'
            and message.next_attempt_at <= p_now
            and not message.digest
            and message.bundle is null
            -- A message that was queued after the sorting waits for the next claim.
            and (
                message.attempts > 0
                or not ops.may_go_with_others(message)
                or message.id = any (p_alone)
            )
            and ops.is_claimable(message, p_channels, p_now)
        order by ops.severity_rank(message.severity) desc, message.created_at, message.id
        limit p_limit
        for update skip locked
    ),
    digests as (
        select message.id
        from ops.outbox as message
        where message.status = 'pending'
            and message.next_attempt_at <= p_now
            and message.digest
            and ops.is_claimable(message, p_channels, p_now)
        order by message.created_at, message.id
        limit 200
        for update skip locked
    ),
    chosen as (
        select id from singles
        union all
        select id from digests
        union all
        select message.id
        from ops.outbox as message
        where message.status = 'pending'
            and message.bundle in (select due.bundle from ops.due_groups(p_channels, p_now) as due (bundle))
    ),
    leased as (
        update ops.outbox as message
        set
            lease = p_claim,
            leased_until = p_now + make_interval(secs => p_lease_seconds),
            attempts = attempts + 1
        from chosen
        where message.id = chosen.id
        returning message.id, message.attempts
    )
    insert into ops.deliveries (message, lease, attempt, started_at)
    select id, p_claim, attempts, p_now
    from leased;
end
$$;

comment on function ops.lease_messages(uuid, text[], uuid[], integer, integer, timestamptz) is
    'Leases to a claim what is due on those channels, and begins a delivery for each message. A message that may go in a group and was never tried is leased alone only if it is in p_alone.';

create or replace function ops.postpone_silenced(p_channels text[], p_settings jsonb, p_now timestamptz)
returns void
language plpgsql
set search_path = ''
as $$
begin
    if not exists (select from ops.silences where ends_at > p_now)
        and not exists (select from ops.list_maintenance(p_now, p_now + interval '1 second'))
    then
        return;
    end if;
    update ops.outbox as message
    set
        next_attempt_at = ops.message_due_at(
            message.kind, message.digest, message.alert, message.not_before, p_settings, p_now
        ),
        -- The others of its group do not wait for it.
        bundle = null, bundled_at = null
    where message.id in (
        select waiting.id
        from ops.outbox as waiting
        where waiting.status = 'pending'
            and waiting.next_attempt_at <= p_now
            and waiting.channel = any (p_channels)
            and not ops.speaks_for_others(waiting)
            and ops.is_silenced(waiting, p_now)
        for update skip locked
    );
end
$$;

comment on function ops.postpone_silenced(text[], jsonb, timestamptz) is
    'Postpones the messages that are due, that nobody can have read, and whose alert is silenced or in maintenance by now: what was announced may have begun since they were queued or last tried.';

create or replace function public.ops_claim_messages(
    p_claim uuid,
    p_channels text[],
    p_limit integer,
    p_lease_seconds integer,
    p_now timestamptz default null
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_settings jsonb;
    v_alone uuid[];
begin
    perform ops.hold_functions();
    perform ops.check_id('claim', p_claim);
    perform ops.check_given('channels', p_channels, 'the channels that the caller can send to');
    perform ops.check_number('limit', p_limit, 1, 1000);
    perform ops.check_number('lease_seconds', p_lease_seconds, 1, 3600);
    v_settings := ops.read_settings();

    -- A repeated call waits for the first one and then finds its messages.
    perform pg_advisory_xact_lock(hashtextextended(p_claim::text, 0));
    -- Two workers that sort at once would send two first messages and two groups.
    if exists (select from ops.deliveries where lease = p_claim) or not ops.enter_delivery(p_channels) then
        return ops.claimed_messages(p_claim, v_now);
    end if;

    perform ops.postpone_silenced(p_channels, v_settings, v_now);
    perform ops.drop_abandoned(v_now);
    perform ops.bury_abandoned((v_settings ->> 'delivery.maximum_attempts')::integer, v_now);
    v_alone := array(
        select ops.sort_messages(served.channel, v_settings, v_now) from unnest(p_channels) as served (channel)
    );
    perform ops.lease_messages(p_claim, p_channels, v_alone, p_limit, p_lease_seconds, v_now);
    return ops.claimed_messages(p_claim, v_now);
end
$$;

comment on function public.ops_claim_messages(uuid, text[], integer, integer, timestamptz) is
    'Leases what is due on those channels: up to p_limit messages that are sent alone, the worst first, all groups that are due, and up to 200 messages of digests. It leases nothing while another worker is choosing. A call that is repeated with the same claim returns the same messages.';

create or replace function ops.enter_delivery(p_channels text[])
returns boolean
language sql
set search_path = ''
as $$
    select bool_and(pg_try_advisory_xact_lock(hashtextextended('ops.delivery:' || entered.channel, 0)))
    from unnest(p_channels) as entered (channel)
$$;

comment on function ops.enter_delivery(text[]) is
    'Takes the right to choose from the messages of those channels until the transaction ends; false if another worker has it for one of them.';

create or replace function ops.due_groups(p_channels text[], p_now timestamptz)
returns setof uuid
language sql
set search_path = ''
as $$
    with bundled as (
        select message.bundle, message.id
        from ops.outbox as message
        where message.status = 'pending'
            and message.bundle is not null
            and message.next_attempt_at <= p_now
            and ops.is_claimable(message, p_channels, p_now)
        for update skip locked
    )
    select bundled.bundle
    from bundled
    group by bundled.bundle
    -- A group is sent whole: a part of it would be another message.
    having count(*) = (
        select count(*) from ops.outbox as whole where whole.bundle = bundled.bundle and whole.status = 'pending'
    )
$$;

comment on function ops.due_groups(text[], timestamptz) is 'Finds the groups of which every pending message is due and may be leased, and locks these messages.';
