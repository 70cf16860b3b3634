-- These functions show messages to an operator: which were sent, with which receipt, and
-- which were given up and why. An operator may queue a dead message anew.

create or replace function ops.message_document(p_message ops.outbox, p_now timestamptz)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_build_object(
        'id', p_message.id,
        'kind', p_message.kind,
        'channel', p_message.channel,
        'severity', p_message.severity,
        'alert', p_message.alert,
        'rule', p_message.facts ->> 'rule',
        'subject', coalesce(p_message.facts ->> 'subject', p_message.facts ->> 'title'),
        'status', p_message.status,
        'attempts', p_message.attempts,
        'createdAt', p_message.created_at,
        'nextAttemptAt', case p_message.status when 'pending' then p_message.next_attempt_at end,
        'sentAt', p_message.sent_at,
        'providerId', p_message.provider_id,
        'error', p_message.last_error,
        'reason', ops.unsent_reason(p_message, ops.known_channels(), p_now),
        'standsInFor', coalesce(p_message.facts -> 'standsInFor', '[]'),
        'deliveries', coalesce(
            (
                select jsonb_agg(
                    jsonb_build_object(
                        'attempt', delivery.attempt,
                        'startedAt', delivery.started_at,
                        'settledAt', delivery.settled_at,
                        'outcome', delivery.outcome,
                        'statusCode', delivery.status_code,
                        'error', delivery.error
                    )
                    order by delivery.attempt, delivery.id
                )
                from ops.deliveries as delivery
                where delivery.message = p_message.id
            ),
            '[]'
        )
    )
$$;

comment on function ops.message_document(ops.outbox, timestamptz) is
    'Returns a message with its deliveries and its receipt, which says when it was sent and how the provider names it, or with the reason for which it was not sent.';

create or replace function public.ops_list_messages(
    p_dead boolean default false,
    p_alert uuid default null,
    p_limit integer default 50
)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_build_object(
        'messages', coalesce(
            jsonb_agg(ops.message_document(message, now()) order by message.created_at desc, message.id), '[]'
        )
    )
    from (
        select *
        from ops.outbox
        where (not p_dead or status = 'dead') and (p_alert is null or alert = p_alert)
        order by created_at desc, id
        limit least(p_limit, 500)
    ) as message
$$;

comment on function public.ops_list_messages(boolean, uuid, integer) is
    'Lists the newest messages, at most 500: all of them, those that are dead, or those about one alert.';

create or replace function ops.queue_anew(p_message ops.outbox, p_channel text, p_now timestamptz)
returns uuid[]
language plpgsql
set search_path = ''
as $$
declare
    v_ids uuid[];
begin
    with reached as (
        select each.facts
        from ops.for_each_device(p_channel, p_message.facts) as each (facts)
        where not p_message.facts ? 'device'
    ),
    queued as (
        insert into ops.outbox
            (kind, channel, digest, severity, alert, incident, after, facts, created_at, next_attempt_at)
        select
            p_message.kind, p_channel, p_message.digest, p_message.severity, p_message.alert, p_message.incident,
            p_message.after, told.facts, p_now,
            ops.message_due_at(p_message.kind, false, p_message.alert, null, ops.read_settings(), p_now)
        from (
            select facts from reached
            union all
            select p_message.facts where not exists (select from reached)
        ) as told
        returning id
    )
    select array_agg(id) into v_ids from queued;

    update ops.outbox
    set status = 'superseded'
    where id = p_message.id;
    return v_ids;
end
$$;

comment on function ops.queue_anew(ops.outbox, text, timestamptz) is
    'Queues a new message in the place of one that was given up, which is then superseded; one for each device of its person where devices are reached, unless it was to one of them.';

create or replace function public.ops_resend_message(
    p_request uuid,
    p_message uuid,
    p_actor text,
    p_channel text default null,
    p_now timestamptz default null
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_message ops.outbox;
    v_answer jsonb;
    v_result jsonb;
    v_queued uuid[];
begin
    perform ops.hold_functions();
    perform ops.check_request(p_request);
    perform ops.check_given('message', p_message, 'the id of a message');
    perform ops.check_length('actor', btrim(p_actor), 200);
    if p_channel is not null then
        perform ops.check_word('channel', p_channel, ops.known_channels());
    end if;

    perform ops.lock_alerts();
    v_answer := ops.former_answer(p_request, 'ops_resend_message');
    if v_answer is not null then
        return v_answer;
    end if;
    select * into v_message from ops.outbox where id = p_message for update;
    if not found then
        return jsonb_build_object('outcome', 'unknown', 'message', null);
    end if;

    if v_message.status <> 'dead' then
        v_result := jsonb_build_object('outcome', 'unchanged', 'message', null);
    elsif v_message.kind <> 'resolved' and exists (
        select from ops.alerts where id = v_message.alert and status = 'resolved'
    ) then
        -- A firing that is sent after the alert resolved would have no resolution.
        v_result := jsonb_build_object('outcome', 'over', 'message', null);
    elsif coalesce(p_channel, v_message.channel) is null then
        perform ops.refuse('channel', format('given for message %s, which has none', p_message), null, 'Name one.');
    else
        v_queued := ops.queue_anew(v_message, coalesce(p_channel, v_message.channel), v_now);
        v_result := jsonb_build_object('outcome', 'queued', 'message', v_queued[1], 'messages', to_jsonb(v_queued));
    end if;

    return ops.keep_answer(p_request, 'ops_resend_message', v_result, v_now);
end
$$;

comment on function public.ops_resend_message(uuid, uuid, text, text, timestamptz) is
    'Queues a dead message anew, on its channel or on the one that is given; for every device where that reaches devices. The outcome is queued, unchanged if the message is not dead, over if its alert has resolved, or unknown. A call that is repeated with the same request returns its first result.';
