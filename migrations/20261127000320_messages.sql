-- Messages as an operator sees them: what was sent with which receipt, what was
-- given up and why, and a way to send it after all.
--
-- Why: a dead letter that nobody can read or revive is a lost one.
-- Read by: `pourtrait alerts messages`, `pourtrait alerts resend`.
-- Undo: drop the functions of this file, ops.resends, the index.

set local search_path = '';

create index outbox_created_idx on ops.outbox (created_at desc);

create table ops.resends (
    request uuid primary key,
    message uuid not null references ops.outbox (id),
    actor text not null check (length(btrim(actor)) between 1 and 200),
    result jsonb not null,
    at timestamptz not null
);

comment on table ops.resends is 'Who had which dead message sent anew, and what was answered, to answer it again.';

create index resends_message_idx on ops.resends (message);

alter table ops.resends enable row level security;

create function ops.message_document(p_message ops.outbox)
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

comment on function ops.message_document(ops.outbox) is
    'A message with its attempts and its receipt: when it was sent and what the provider calls it.';

create function public.ops_list_messages(
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
            jsonb_agg(ops.message_document(message) order by message.created_at desc, message.id), '[]'
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
    'The newest messages, at most 500: all, those that were given up, or those about one alert.';

create function ops.queue_anew(p_message ops.outbox, p_channel text, p_now timestamptz)
returns uuid
language plpgsql
set search_path = ''
as $$
declare
    v_id uuid;
begin
    insert into ops.outbox (kind, channel, digest, severity, alert, after, facts, created_at, next_attempt_at)
    values (
        p_message.kind, p_channel, p_message.digest, p_message.severity, p_message.alert, p_message.after,
        p_message.facts, p_now,
        ops.message_due_at(p_message.kind, false, p_message.alert, ops.read_settings(), p_now)
    )
    returning id into v_id;

    update ops.outbox
    set status = 'superseded'
    where id = p_message.id;
    return v_id;
end
$$;

comment on function ops.queue_anew(ops.outbox, text, timestamptz) is
    'Puts a message of its own in the place of one that was given up.';

create function public.ops_resend_message(
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
    v_result jsonb;
begin
    if p_request is null
        or p_message is null
        or coalesce(length(btrim(p_actor)), 0) not between 1 and 200
        or p_channel <> all (ops.known_channels())
    then
        raise exception 'sending anew needs a request, a message, who asks for it, and a channel that there is'
            using errcode = 'invalid_parameter_value';
    end if;

    perform ops.lock_alerts();
    if exists (select from ops.resends where request = p_request) then
        return (select result from ops.resends where request = p_request);
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
        -- Whoever hears of the beginning now would never hear of the end.
        v_result := jsonb_build_object('outcome', 'over', 'message', null);
    elsif coalesce(p_channel, v_message.channel) is null then
        raise exception 'no channel was configured for message %', p_message
            using errcode = 'invalid_parameter_value', hint = 'Name one.';
    else
        v_result := jsonb_build_object(
            'outcome', 'queued',
            'message', ops.queue_anew(v_message, coalesce(p_channel, v_message.channel), v_now)
        );
    end if;

    insert into ops.resends (request, message, actor, result, at)
    values (p_request, p_message, btrim(p_actor), v_result, v_now);
    return v_result;
end
$$;

comment on function public.ops_resend_message(uuid, uuid, text, text, timestamptz) is
    'Queues a dead message anew, on its channel or on the one named: queued, unchanged if it is not dead, over if its alert is, unknown. Repeated with the same request it returns its first result.';

revoke all on all functions in schema ops from public, anon, authenticated;
grant execute on all functions in schema ops to service_role;
revoke all on function public.ops_list_messages(boolean, uuid, integer) from public, anon, authenticated;
grant execute on function public.ops_list_messages(boolean, uuid, integer) to service_role;
revoke all on function public.ops_resend_message(uuid, uuid, text, text, timestamptz) from public, anon, authenticated;
grant execute on function public.ops_resend_message(uuid, uuid, text, text, timestamptz) to service_role;
