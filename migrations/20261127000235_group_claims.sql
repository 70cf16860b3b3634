-- Claims that sort: what is due is sorted, then leased, each group as a whole.
--
-- Why: only one may choose from a channel's messages at a time, or there would be
-- two first messages and two groups.
-- Read by: /api/alerts/dispatch and the end of every tick.
-- Undo: put back the former ops.claimed_messages and public.ops_claim_messages;
-- drop the other functions.

set local search_path = '';

create function ops.enter_delivery(p_channels text[])
returns boolean
language sql
set search_path = ''
as $$
    select bool_and(pg_try_advisory_xact_lock(hashtextextended('ops.delivery:' || entered.channel, 0)))
    from unnest(p_channels) as entered (channel)
$$;

comment on function ops.enter_delivery(text[]) is
    'Whether nobody else is choosing from those channels'' messages at this moment; until the transaction ends nobody else will.';

create function ops.due_groups(p_channels text[], p_now timestamptz)
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
    -- All of it or nothing: half of it would be another message.
    having count(*) = (
        select count(*) from ops.outbox as whole where whole.bundle = bundled.bundle and whole.status = 'pending'
    )
$$;

comment on function ops.due_groups(text[], timestamptz) is 'The groups of which every message is due.';

create or replace function ops.claimed_messages(p_claim uuid, p_now timestamptz)
returns jsonb
language sql
stable
set search_path = ''
as $$
    with claimed as (
        select
            *,
            -- A group of one is a message like others.
            not digest and (bundle is null or 1 = count(*) over (partition by bundle)) as alone
        from ops.outbox
        where lease = p_claim and status = 'pending'
    )
    select jsonb_build_object(
        'now', p_now,
        'runbook', nullif(ops.read_settings() ->> 'links.runbook', ''),
        'messages', coalesce(
            (
                select jsonb_agg(
                    jsonb_build_object(
                        'id', id,
                        'lease', lease,
                        'channel', channel,
                        'kind', kind,
                        'severity', severity,
                        'attempt', attempts,
                        'digest', false,
                        'facts', facts,
                        'thread', case when channel = 'slack' then (ops.first_on_slack(alert)).provider_id end,
                        'createdAt', created_at
                    )
                    order by ops.severity_rank(severity) desc, created_at, facts ->> 'fingerprint', id
                )
                from claimed
                where alone
            ),
            '[]'
        ),
        'digests', coalesce(
            (
                select jsonb_agg(bundled.document order by bundled.channel, bundled.bundle)
                from (
                    select
                        channel,
                        bundle,
                        jsonb_build_object(
                            'channel', channel,
                            'lease', p_claim,
                            'attempt', max(attempts),
                            'occasion', case when bundle is null then 'daily' else 'group' end,
                            'ids', jsonb_agg(id order by place),
                            -- Nobody reads on, and a storm has no end.
                            'items', to_jsonb((array_agg(facts order by place))[1:200])
                        ) as document
                    from (
                        select
                            *,
                            row_number() over (
                                order by
                                    case when bundle is not null then ops.severity_rank(severity) end desc,
                                    created_at,
                                    facts ->> 'fingerprint',
                                    id
                            ) as place
                        from claimed
                        where not alone
                    ) as placed
                    group by channel, bundle
                ) as bundled
            ),
            '[]'
        )
    )
$$;

comment on function ops.claimed_messages(uuid, timestamptz) is
    'What a claim holds: single messages, the worst first, with the thread that one on Slack belongs to; what goes together, as one daily digest per channel and as groups, the worst first; and where the runbook is, if not in the bundle.';

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
    v_settings jsonb := ops.read_settings();
    v_maximum integer := (v_settings ->> 'delivery.maximum_attempts')::integer;
    v_alone uuid[];
begin
    if p_claim is null
        or p_channels is null
        or coalesce(p_limit, 0) not between 1 and 1000
        or coalesce(p_lease_seconds, 0) not between 1 and 3600
    then
        raise exception 'a claim needs an id, channels, a limit of 1 to 1000 and a lease of 1 to 3600 s'
            using errcode = 'invalid_parameter_value';
    end if;

    -- A repeated call waits for the first one and then finds its messages.
    perform pg_advisory_xact_lock(hashtextextended(p_claim::text, 0));
    -- Two who sort at once would both send a first message, and two groups.
    if exists (select from ops.deliveries where lease = p_claim) or not ops.enter_delivery(p_channels) then
        return ops.claimed_messages(p_claim, v_now);
    end if;

    -- Whoever sent these the last time never came back to say how it went.
    perform ops.bury_message(message.id, 'lease ran out at the last attempt')
    from (
        select id
        from ops.outbox
        where status = 'pending' and attempts >= v_maximum and leased_until <= v_now
        for update skip locked
    ) as message;

    v_alone := array(
        select ops.sort_messages(served.channel, v_settings, v_now) from unnest(p_channels) as served (channel)
    );

    with singles as (
        select message.id
        from ops.outbox as message
        where message.status = 'pending'
            and message.next_attempt_at <= v_now
            and not message.digest
            and message.bundle is null
            -- What came up since it was sorted waits for the next claim.
            and (
                message.attempts > 0
                or not ops.may_go_with_others(message)
                or message.id = any (v_alone)
            )
            and ops.is_claimable(message, p_channels, v_now)
        order by ops.severity_rank(message.severity) desc, message.created_at, message.id
        limit p_limit
        for update skip locked
    ),
    digests as (
        select message.id
        from ops.outbox as message
        where message.status = 'pending'
            and message.next_attempt_at <= v_now
            and message.digest
            and ops.is_claimable(message, p_channels, v_now)
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
            and message.bundle in (select due.bundle from ops.due_groups(p_channels, v_now) as due (bundle))
    ),
    leased as (
        update ops.outbox as message
        set
            lease = p_claim,
            leased_until = v_now + make_interval(secs => p_lease_seconds),
            attempts = attempts + 1
        from chosen
        where message.id = chosen.id
        returning message.id, message.attempts
    )
    insert into ops.deliveries (message, lease, attempt, started_at)
    select id, p_claim, attempts, v_now
    from leased;

    return ops.claimed_messages(p_claim, v_now);
end
$$;

comment on function public.ops_claim_messages(uuid, text[], integer, integer, timestamptz) is
    'Leases what is due on those channels: up to p_limit messages that go alone, the worst first, all groups, and all that is due of a digest; nothing while somebody else is choosing. Repeated with the same claim it returns the same messages.';

revoke all on all functions in schema ops from public, anon, authenticated;
grant execute on all functions in schema ops to service_role;
