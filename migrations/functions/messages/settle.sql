-- A worker settles the messages that it leased: each was sent, is tried again, or is dead. A
-- message that is not settled is due again when the lease ends. In the place of one that
-- could not be read a bare one is queued, of facts that any release reads.

create or replace function ops.retry_after(p_attempts integer, p_jitter double precision)
returns interval
language sql
immutable
set search_path = ''
as $$
    select make_interval(
        secs => least(30 * power(2, least(p_attempts, 20) - 1), 3600) * (0.8 + 0.4 * p_jitter)
    )
$$;

comment on function ops.retry_after(integer, double precision) is
    'Returns the pause after that many attempts: 30 s, doubled with each attempt up to an hour, and up to 20 % shorter or longer as the jitter from 0 to 1 says.';

create or replace function ops.bury_message(p_message uuid, p_error text)
returns void
language plpgsql
set search_path = ''
as $$
declare
    v_buried ops.outbox;
begin
    update ops.outbox
    set status = 'dead', lease = null, leased_until = null, last_error = p_error
    where id = p_message
    returning * into v_buried;

    perform ops.drop_unasked_ends(v_buried.alert);
end
$$;

comment on function ops.bury_message(uuid, text) is
    'Gives a message up, and with it each resolution for an audience that has heard nothing else.';

create or replace function ops.mark_sent(p_message ops.outbox, p_provider_id text, p_now timestamptz)
returns void
language sql
set search_path = ''
as $$
    update ops.outbox
    set
        status = 'sent', sent_at = p_now, provider_id = p_provider_id,
        lease = null, leased_until = null, last_error = null
    where id = p_message.id
$$;

comment on function ops.mark_sent(ops.outbox, text, timestamptz) is 'Marks a message as sent.';

create or replace function ops.retry_later(
    p_message ops.outbox,
    p_retry_after_seconds numeric,
    p_error text,
    p_now timestamptz
)
returns void
language sql
set search_path = ''
as $$
    update ops.outbox
    set
        next_attempt_at = p_now + greatest(
            make_interval(secs => coalesce(p_retry_after_seconds, 0)::float8),
            ops.retry_after(p_message.attempts, random())
        ),
        lease = null, leased_until = null, last_error = p_error
    where id = p_message.id
$$;

comment on function ops.retry_later(ops.outbox, numeric, text, timestamptz) is
    'Ends the lease of a message and makes it due again after the pause that its attempts ask for, or after the longer one that the provider asks for.';

create or replace function ops.hand_back(
    p_message ops.outbox,
    p_retry_after_seconds numeric,
    p_error text,
    p_now timestamptz
)
returns void
language sql
set search_path = ''
as $$
    update ops.outbox
    set
        attempts = attempts - 1,
        next_attempt_at = greatest(
            next_attempt_at, p_now + make_interval(secs => coalesce(p_retry_after_seconds, 0)::float8)
        ),
        lease = null, leased_until = null, last_error = p_error
    where id = p_message.id
$$;

comment on function ops.hand_back(ops.outbox, numeric, text, timestamptz) is
    'Ends the lease of a message that nobody tried to send. It keeps its attempts, and is due now or when the provider asks for.';

create or replace function ops.bare_facts(p_message ops.outbox)
returns jsonb
language sql
immutable
parallel safe
set search_path = ''
as $$
    select jsonb_object_agg(fact.key, to_jsonb(left(fact.value #>> '{}', 200)))
        || jsonb_build_object('severity', p_message.severity, 'bare', true)
    from jsonb_each(p_message.facts) as fact
    where fact.key in (
            'alert', 'fingerprint', 'rule', 'subject', 'title', 'since', 'openedAt', 'resolvedAt', 'environment'
        )
        and jsonb_typeof(fact.value) = 'string'
$$;

comment on function ops.bare_facts(ops.outbox) is
    'Returns what any release can read of the facts of a message: short texts that say which alert it is about.';

create or replace function ops.queue_bare(p_message ops.outbox, p_now timestamptz)
returns void
language sql
set search_path = ''
as $$
    insert into ops.outbox (kind, channel, severity, alert, incident, after, facts, created_at, next_attempt_at)
    select
        bare.kind, p_message.channel, p_message.severity, p_message.alert, p_message.incident, p_message.after,
        coalesce(ops.bare_facts(p_message), '{"bare": true}') || jsonb_build_object('kind', bare.kind),
        p_now, p_now
    from (
        select case
            when p_message.alert is null then 'notice'
            when p_message.kind = 'resolved' then 'resolved'
            else 'firing'
        end as kind
    ) as bare
    -- A change is no message of its own, and of a bare message nothing can be left out.
    where p_message.kind <> 'change' and not p_message.facts ? 'bare'
$$;

comment on function ops.queue_bare(ops.outbox, timestamptz) is
    'Queues a bare message in the place of one that could not be read: a beginning, an end or a notice.';

create or replace function ops.settle_message(
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

    if v_outcome in ('retry', 'refused') and v_message.attempts >= p_maximum then
        v_outcome := 'dead';
    end if;
    update ops.deliveries
    set
        settled_at = p_now, outcome = v_outcome, status_code = p_status_code,
        provider_id = p_provider_id, error = p_error
    where lease = p_claim and message = p_message;
    case v_outcome
        when 'sent' then
            perform ops.mark_sent(v_message, p_provider_id, p_now);
        when 'retry', 'refused' then
            perform ops.retry_later(v_message, p_retry_after_seconds, p_error, p_now);
        when 'untried' then
            perform ops.hand_back(v_message, p_retry_after_seconds, p_error, p_now);
        when 'unread' then
            -- The bare one comes first, so that a resolution finds a beginning to answer.
            perform ops.queue_bare(v_message, p_now);
            perform ops.bury_message(p_message, p_error);
        when 'gone' then
            perform ops.leave_device(v_message, p_now);
            perform ops.bury_message(p_message, p_error);
        when 'dead' then
            perform ops.bury_message(p_message, p_error);
    end case;
    -- The alert may have resolved while the message was on its way.
    if v_outcome in ('retry', 'refused', 'untried') then
        perform ops.drop_moot(v_message.alert, p_now);
        perform ops.drop_unasked_ends(v_message.alert);
    end if;
    return v_outcome;
end
$$;

comment on function ops.settle_message(uuid, uuid, text, numeric, integer, text, text, integer, timestamptz) is
    'Settles one message under its lease and returns the outcome; one that is to be tried again after the last attempt is dead. If the claim does not hold the message, it returns what the claim settled before, or stale.';

create or replace function ops.check_results(p_results jsonb)
returns void
language plpgsql
stable
set search_path = ''
as $$
begin
    perform ops.check_list('results', p_results);
    perform
        ops.check_given('id of each result', result.id, 'the id of a message'),
        ops.check_word('outcome of each result', result.outcome, ops.words('ops.delivery_outcome'))
    from jsonb_to_recordset(p_results) as result (id uuid, outcome text);
end
$$;

comment on function ops.check_results(jsonb) is
    'Refuses results that do not name a message and an outcome each with SQLSTATE 22023.';

create or replace function public.ops_settle_messages(
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
    v_maximum integer;
    v_result jsonb;
begin
    perform ops.hold_functions();
    perform ops.check_given('claim', p_claim, 'the claim that leased the messages');
    perform ops.check_results(p_results);
    v_maximum := (ops.read_settings() ->> 'delivery.maximum_attempts')::integer;

    -- A tick that resolves alerts locks messages in another order, so the two must not overlap.
    perform ops.lock_alerts();
    select jsonb_build_object(
        'settled', count(*) filter (where settled.outcome <> 'stale'),
        'stale', count(*) filter (where settled.outcome = 'stale'),
        'sent', count(*) filter (where settled.outcome = 'sent'),
        'retried', count(*) filter (where settled.outcome in ('retry', 'refused', 'untried')),
        'dead', count(*) filter (where settled.outcome in ('dead', 'gone', 'unread'))
    )
    into v_result
    from (
        select ops.settle_message(
            p_claim, result.id, result.outcome, result."retryAfterSeconds", result."statusCode",
            left(result."providerId", 200), left(result.error, 1000), v_maximum, v_now
        ) as outcome
        from (
            -- Every settlement locks in the order of ids, so that two cannot deadlock.
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
    'Settles the deliveries of a claim and counts their outcomes. Messages that the claim no longer holds are stale. A repeated call returns the same counts.';
