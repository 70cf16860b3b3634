-- Messages to subscribers are leased, sent and settled like those of the outbox, in a queue
-- of their own: nobody who is on call waits behind them.

create or replace function public.ops_claim_subscriber_messages(
    p_claim uuid,
    p_limit integer,
    p_lease_seconds integer,
    p_environment text,
    p_queue boolean,
    p_now timestamptz default null,
    p_kind text default null
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
begin
    perform ops.hold_functions();
    perform ops.check_id('claim', p_claim);
    perform ops.check_number('limit', p_limit, 0, 200);
    perform ops.check_number('lease_seconds', p_lease_seconds, 5, 900);
    perform ops.check_word('environment', p_environment, ops.words('ops.environment'));
    perform ops.check_word('kind', coalesce(p_kind, 'email'), ops.words('ops.subscriber_kind'));
    if p_queue then
        -- Two deliveries at once would note a change twice.
        perform pg_advisory_xact_lock(hashtextextended('ops.component_changes', 0));
        perform ops.note_component_states(p_environment, v_now);
        perform ops.queue_news(p_environment, v_now);
        perform ops.forget_subscribers(v_now);
    end if;

    update ops.subscriber_messages as message
    set lease = p_claim, leased_until = v_now + make_interval(secs => p_lease_seconds), attempts = attempts + 1
    where message.id in (
        select due.id
        from ops.subscriber_messages as due
        join ops.subscribers as hearing on hearing.id = due.subscriber
        where due.status = 'pending'
            and due.next_attempt_at <= v_now
            and (due.leased_until is null or due.leased_until <= v_now)
            and (p_kind is null or hearing.kind = p_kind)
        order by due.next_attempt_at, due.id
        limit p_limit
        for update of due skip locked
    );
    return jsonb_build_object(
        'name', ops.read_settings() ->> 'status.name',
        'messages', coalesce(
            (
                select jsonb_agg(
                    jsonb_build_object(
                        'id', message.id,
                        'subscriber', subscriber.id,
                        'kind', subscriber.kind,
                        'addressHash', subscriber.address_hash,
                        'address', subscriber.address,
                        'facts', message.facts
                    )
                    order by message.created_at, message.id
                )
                from ops.subscriber_messages as message
                join ops.subscribers as subscriber on subscriber.id = message.subscriber
                where message.lease = p_claim and message.status = 'pending' and subscriber.address is not null
            ),
            '[]'
        )
    );
end
$$;

comment on function public.ops_claim_subscriber_messages(uuid, integer, integer, text, boolean, timestamptz, text) is
    'Queues what is new for subscribers, if asked to, and leases what is due to be sent to them, or to those of one kind.';

create or replace function ops.settle_subscriber_message(
    p_message ops.subscriber_messages,
    p_outcome text,
    p_after_seconds integer,
    p_now timestamptz
)
returns void
language plpgsql
set search_path = ''
as $$
declare
    v_outcome text := case
        when p_outcome = 'retry' and p_message.attempts >= 8 then 'given_up'
        else p_outcome
    end;
begin
    update ops.subscriber_messages
    set
        status = case
            when v_outcome = 'sent' then 'sent'
            when v_outcome in ('dead', 'gone', 'given_up') then 'dead'
            else status
        end,
        settled_at = case when v_outcome in ('sent', 'dead', 'gone', 'given_up') then p_now end,
        attempts = attempts - case v_outcome when 'untried' then 1 else 0 end,
        next_attempt_at = case v_outcome
            when 'retry' then p_now + make_interval(secs => greatest(
                coalesce(p_after_seconds, 0), least(60 * 2 ^ (attempts - 1), 3600)
            ))
            when 'untried' then p_now + make_interval(secs => coalesce(p_after_seconds, 0))
            else next_attempt_at
        end,
        lease = null,
        leased_until = null
    where id = p_message.id;
    update ops.subscribers
    set refusals = case v_outcome when 'sent' then 0 else refusals + 1 end
    where id = p_message.subscriber and v_outcome in ('sent', 'dead');
    perform ops.end_subscription(refusing.id, 'refused', p_now)
    from ops.subscribers as refusing
    where refusing.id = p_message.subscriber
        and (refusing.refusals >= 3 or v_outcome = 'gone')
        and refusing.ended_at is null;
end
$$;

comment on function ops.settle_subscriber_message(ops.subscriber_messages, text, integer, timestamptz) is
    'Notes what became of a message: sent, dead, gone, retry later or untried. An address that refuses three in a row, or is gone, hears no more.';

create or replace function public.ops_settle_subscriber_messages(
    p_claim uuid,
    p_results jsonb,
    p_now timestamptz default null
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_message ops.subscriber_messages;
    v_settled integer := 0;
begin
    perform ops.hold_functions();
    perform ops.check_list('results', p_results, 200);
    for v_message in
        select message.*
        from ops.subscriber_messages as message
        where message.lease = p_claim
            and message.id in (select (result ->> 'id')::uuid from jsonb_array_elements(p_results) as result)
        order by message.id
        for update
    loop
        perform ops.settle_subscriber_message(
            v_message, result.outcome, result."afterSeconds", coalesce(p_now, now())
        )
        from jsonb_to_recordset(p_results) as result (id uuid, outcome text, "afterSeconds" integer)
        where result.id = v_message.id and result.outcome in ('sent', 'retry', 'dead', 'gone', 'untried')
        limit 1;
        v_settled := v_settled + 1;
    end loop;
    return jsonb_build_object('settled', v_settled);
end
$$;

comment on function public.ops_settle_subscriber_messages(uuid, jsonb, timestamptz) is
    'Notes what became of the messages of a claim. One that somebody else has leased since is left alone.';
