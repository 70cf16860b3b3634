-- Delivery: lease what is due, send it, settle it.
--
-- Why: two workers must never hold one message, a killed worker must not lose
-- one, and a lost answer must be askable again. See the outbox's tables.
-- Read by: /api/alerts/dispatch and the end of every tick.
-- Undo: drop the functions of this file.

set local search_path = '';

-- Claim ----------------------------------------------------------------------

create function ops.is_claimable(p_message ops.outbox, p_channels text[], p_now timestamptz)
returns boolean
language sql
stable
set search_path = ''
as $$
    select p_message.channel = any (p_channels)
        and (p_message.leased_until is null or p_message.leased_until <= p_now)
        and (
            p_message.after is null
            or exists (
                select
                from ops.outbox as firing
                where firing.id = p_message.after and firing.status = 'sent'
            )
        )
$$;

comment on function ops.is_claimable(ops.outbox, text[], timestamptz) is
    'Whether a due message may be leased: its channel is served, nobody holds it, and what it answers was sent.';

create function ops.claimed_messages(p_claim uuid, p_now timestamptz)
returns jsonb
language sql
stable
set search_path = ''
as $$
    with claimed as (
        select *
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
                        'createdAt', created_at
                    )
                    order by ops.severity_rank(severity) desc, created_at, id
                )
                from claimed
                where not digest
            ),
            '[]'
        ),
        'digests', coalesce(
            (
                select jsonb_agg(bundle.document order by bundle.channel)
                from (
                    select
                        channel,
                        jsonb_build_object(
                            'channel', channel,
                            'lease', p_claim,
                            'attempt', max(attempts),
                            'ids', jsonb_agg(id order by created_at, id),
                            'items', jsonb_agg(facts order by created_at, id)
                        ) as document
                    from claimed
                    where digest
                    group by channel
                ) as bundle
            ),
            '[]'
        )
    )
$$;

comment on function ops.claimed_messages(uuid, timestamptz) is
    'What a claim holds: single messages, the worst first, and one digest per channel; and where the runbook is, if not in the bundle.';

create function public.ops_claim_messages(
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
    v_maximum integer := (ops.read_settings() ->> 'delivery.maximum_attempts')::integer;
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
    if exists (select from ops.deliveries where lease = p_claim) then
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

    with singles as (
        select message.id
        from ops.outbox as message
        where message.status = 'pending'
            and message.next_attempt_at <= v_now
            and not message.digest
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
        select id from singles union all select id from digests
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
    'Leases what is due on those channels: up to p_limit single messages, the worst first, and all that is due of a digest. Repeated with the same claim it returns the same messages.';

-- Settle ---------------------------------------------------------------------

create function ops.bury_message(p_message uuid, p_error text)
returns void
language plpgsql
set search_path = ''
as $$
begin
    update ops.outbox
    set status = 'dead', lease = null, leased_until = null, last_error = p_error
    where id = p_message;

    -- A resolution is delivered only if its firing was.
    update ops.outbox
    set status = 'superseded'
    where after = p_message and status = 'pending';
end
$$;

comment on function ops.bury_message(uuid, text) is
    'Gives a message up, and with it the resolution that answers it.';

create function ops.settle_message(
    p_claim uuid,
    p_message uuid,
    p_outcome text,
    p_retry_after_seconds numeric,
    p_status_code integer,
    p_provider_id text,
    p_error text,
    p_maximum integer,
    p_now timestamptz
)
returns text
language plpgsql
set search_path = ''
as $$
declare
    v_outcome text := p_outcome;
    v_message ops.outbox;
begin
    select * into v_message from ops.outbox where id = p_message for update;
    if v_message.lease is distinct from p_claim then
        return coalesce(
            (
                select outcome
                from ops.deliveries
                where lease = p_claim and message = p_message and settled_at is not null
            ),
            'stale'
        );
    end if;

    if v_outcome = 'retry' and v_message.attempts >= p_maximum then
        v_outcome := 'dead';
    end if;

    case v_outcome
        when 'sent' then
            update ops.outbox
            set
                status = 'sent', sent_at = p_now, provider_id = p_provider_id,
                lease = null, leased_until = null, last_error = null
            where id = p_message;
        when 'retry' then
            update ops.outbox
            set
                next_attempt_at = p_now + greatest(
                    make_interval(secs => coalesce(p_retry_after_seconds, 0)::float8),
                    ops.retry_after(v_message.attempts, random())
                ),
                lease = null, leased_until = null, last_error = p_error
            where id = p_message;
        when 'dead' then
            perform ops.bury_message(p_message, p_error);
    end case;

    update ops.deliveries
    set
        settled_at = p_now, outcome = v_outcome, status_code = p_status_code,
        provider_id = p_provider_id, error = p_error
    where lease = p_claim and message = p_message;

    return v_outcome;
end
$$;

comment on function ops.settle_message(uuid, uuid, text, numeric, integer, text, text, integer, timestamptz) is
    'Settles one message under its lease and returns sent, retry or dead; stale if the lease is no longer ours, and the first answer if it was settled before.';

create function public.ops_settle_messages(
    p_claim uuid,
    p_results jsonb,
    p_now timestamptz default null
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_maximum integer := (ops.read_settings() ->> 'delivery.maximum_attempts')::integer;
    v_result jsonb;
begin
    if p_claim is null or jsonb_typeof(p_results) is distinct from 'array' then
        raise exception 'a settlement needs its claim and an array of results'
            using errcode = 'invalid_parameter_value';
    end if;
    if exists (
        select
        from jsonb_to_recordset(p_results) as result (id uuid, outcome text)
        where result.id is null or result.outcome is null or result.outcome not in ('sent', 'retry', 'dead')
    ) then
        raise exception 'a result needs the id of a message and an outcome: sent, retry or dead'
            using errcode = 'invalid_parameter_value';
    end if;

    -- A tick that resolves locks messages in an order of its own.
    perform ops.lock_alerts();
    select jsonb_build_object(
        'settled', count(*) filter (where settled.outcome <> 'stale'),
        'stale', count(*) filter (where settled.outcome = 'stale'),
        'sent', count(*) filter (where settled.outcome = 'sent'),
        'retried', count(*) filter (where settled.outcome = 'retry'),
        'dead', count(*) filter (where settled.outcome = 'dead')
    )
    into v_result
    from (
        select ops.settle_message(
            p_claim, result.id, result.outcome, result."retryAfterSeconds", result."statusCode",
            left(result."providerId", 200), left(result.error, 1000), v_maximum, v_now
        ) as outcome
        from (
            -- In order of id, so that two settlements cannot lock each other out.
            select *
            from jsonb_to_recordset(p_results) as result (
                id uuid, outcome text, "retryAfterSeconds" numeric, "statusCode" integer,
                "providerId" text, error text
            )
            order by result.id
        ) as result
    ) as settled;
    return v_result;
end
$$;

comment on function public.ops_settle_messages(uuid, jsonb, timestamptz) is
    'Says how the delivery of claimed messages went. Only what is still leased by the claim is settled, the rest is stale; repeated it returns the same counts.';

revoke all on all functions in schema ops from public, anon, authenticated;
grant execute on all functions in schema ops to service_role;
revoke all on function public.ops_claim_messages(uuid, text[], integer, integer, timestamptz) from public, anon, authenticated;
grant execute on function public.ops_claim_messages(uuid, text[], integer, integer, timestamptz) to service_role;
revoke all on function public.ops_settle_messages(uuid, jsonb, timestamptz) from public, anon, authenticated;
grant execute on function public.ops_settle_messages(uuid, jsonb, timestamptz) to service_role;
