-- Subscribers of the status page. Nobody hears anything who did not confirm it. The address
-- is kept encrypted and is erased when the subscription ends; its keyed hash stays, so that a
-- stranger cannot have it written to again and again. Whoever asks learns nothing of whether
-- an address is known.

create or replace function ops.count_subscription_request(p_client text, p_limit integer, p_now timestamptz)
returns boolean
language plpgsql
set search_path = ''
as $$
declare
    v_requests integer;
begin
    insert into ops.subscription_requests as known (client, hour, requests)
    values (p_client, ops.floor_to_hour(p_now), 1)
    on conflict (client, hour) do update set requests = least(known.requests + 1, 1000000)
    returning requests into v_requests;
    return v_requests <= p_limit;
end
$$;

comment on function ops.count_subscription_request(text, integer, timestamptz) is
    'Counts a request of a client in this hour; returns whether it is within the limit.';

create or replace function ops.chosen_components(p_environment text, p_slugs text[])
returns text[]
language sql
stable
set search_path = ''
as $$
    select array(
        select component.slug
        from ops.known_components(p_environment) as component
        where component.slug = any (p_slugs)
        order by 1
    )
$$;

comment on function ops.chosen_components(text, text[]) is 'Those of the slugs that name a component.';

create or replace function ops.queue_confirmation(
    p_message uuid,
    p_subscriber uuid,
    p_kind text,
    p_now timestamptz
)
returns void
language sql
set search_path = ''
as $$
    insert into ops.subscriber_messages (id, subscriber, about, facts, created_at, next_attempt_at)
    values (
        p_message, p_subscriber, format('%s %s', p_kind, p_message),
        jsonb_build_object('kind', p_kind, 'at', p_now), p_now, p_now
    )
$$;

comment on function ops.queue_confirmation(uuid, uuid, text, timestamptz) is
    'Queues the first message to an address: it asks whether it wants to hear, tells it that it does already, or that it will.';

create or replace function ops.ask_subscriber(
    p_id uuid,
    p_subscriber ops.subscribers,
    p_wanted ops.subscribers,
    p_now timestamptz
)
returns void
language plpgsql
set search_path = ''
as $$
begin
    if p_subscriber.id is null then
        insert into ops.subscribers values (p_wanted.*);
        perform ops.queue_confirmation(p_id, p_id, 'confirm', p_now);
        return;
    end if;
    -- One that refused its messages gets none, and any other one a day.
    if p_subscriber.ended_because = 'refused' or p_subscriber.asked_at > p_now - interval '1 day' then
        return;
    end if;
    if p_subscriber.ended_at is null and p_subscriber.confirmed_at is not null then
        update ops.subscribers set asked_at = p_now where id = p_subscriber.id;
        perform ops.queue_confirmation(p_id, p_subscriber.id, 'known', p_now);
        return;
    end if;
    update ops.subscribers
    set
        address = p_wanted.address,
        components = p_wanted.components,
        confirm_hash = p_wanted.confirm_hash,
        confirm_until = p_wanted.confirm_until,
        asked_at = p_now,
        confirmed_at = null,
        ended_at = null,
        ended_because = null,
        refusals = 0
    where id = p_subscriber.id;
    perform ops.queue_confirmation(p_id, p_subscriber.id, 'confirm', p_now);
end
$$;

comment on function ops.ask_subscriber(uuid, ops.subscribers, ops.subscribers, timestamptz) is
    'Does what an address that asks for a subscription is due: nothing, a confirmation, or the word that it has one.';

create or replace function public.ops_subscribe(
    p_id uuid,
    p_kind text,
    p_address_hash text,
    p_address text,
    p_components text[],
    p_confirm_hash text,
    p_client text,
    p_environment text,
    p_now timestamptz default null
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_wanted ops.subscribers;
    v_known ops.subscribers;
begin
    perform ops.hold_functions();
    perform ops.check_id('id', p_id);
    perform ops.check_word('kind', p_kind, ops.words('ops.subscriber_kind'));
    perform ops.check_length('address', p_address, 4000);
    perform ops.check_length('client', p_client, 64);
    if exists (select from ops.subscriber_messages where id = p_id) then
        return jsonb_build_object('outcome', 'taken');
    end if;
    -- Both are counted, whatever the other says.
    if not ops.count_subscription_request(p_client, 10, v_now)
        or not ops.count_subscription_request('all', 300, v_now)
    then
        return jsonb_build_object('outcome', 'limited');
    end if;
    v_wanted.id := p_id;
    v_wanted.kind := p_kind;
    v_wanted.address_hash := p_address_hash;
    v_wanted.address := p_address;
    v_wanted.components := ops.chosen_components(p_environment, p_components);
    v_wanted.confirm_hash := p_confirm_hash;
    v_wanted.confirm_until := v_now + interval '48 hours';
    v_wanted.asked_at := v_now;
    v_wanted.refusals := 0;

    perform pg_advisory_xact_lock(hashtextextended('ops.subscribers ' || p_address_hash, 0));
    select * into v_known from ops.subscribers where kind = p_kind and address_hash = p_address_hash for update;
    perform ops.ask_subscriber(p_id, v_known, v_wanted, v_now);
    return jsonb_build_object('outcome', 'taken');
end
$$;

comment on function public.ops_subscribe(uuid, text, text, text, text[], text, text, text, timestamptz) is
    'Asks an address whether it wants to hear of those components, or of all if none is named. The answer says whether the client asked too often, and nothing of the address. A call that is repeated with the same id does nothing more.';

create or replace function public.ops_confirm_subscription(p_hash text, p_now timestamptz default null)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_id uuid;
begin
    perform ops.hold_functions();
    update ops.subscribers
    set confirmed_at = v_now, confirm_hash = null, confirm_until = null
    where confirm_hash = p_hash and confirm_until > v_now and ended_at is null
    returning id into v_id;
    return jsonb_build_object('subscriber', v_id);
end
$$;

comment on function public.ops_confirm_subscription(text, timestamptz) is
    'Confirms the subscription whose token has that hash, once, and returns it; null for a token that is used, late or none.';

create or replace function public.ops_show_subscription(p_id uuid, p_environment text)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_build_object(
        'isActive', exists (
            select from ops.subscribers where id = p_id and ended_at is null and confirmed_at is not null
        ),
        'components', coalesce((select to_jsonb(components) from ops.subscribers where id = p_id), '[]'),
        'known', coalesce(
            (
                select jsonb_agg(
                    jsonb_build_object('id', component.slug, 'name', component.name)
                    order by component.position, component.slug
                )
                from ops.known_components(p_environment) as component
            ),
            '[]'
        )
    )
$$;

comment on function public.ops_show_subscription(uuid, text) is
    'Returns of which components a subscriber hears, and which there are.';

create or replace function public.ops_change_subscription(
    p_id uuid,
    p_components text[],
    p_environment text
)
returns jsonb
language plpgsql
set search_path = ''
as $$
begin
    perform ops.hold_functions();
    update ops.subscribers
    set components = ops.chosen_components(p_environment, p_components)
    where id = p_id and ended_at is null and confirmed_at is not null;
    return jsonb_build_object('isActive', found);
end
$$;

comment on function public.ops_change_subscription(uuid, text[], text) is
    'Sets of which components a subscriber hears; of all if none is named.';

create or replace function ops.end_subscription(p_id uuid, p_because text, p_now timestamptz)
returns void
language sql
set search_path = ''
as $$
    delete from ops.subscriber_messages where subscriber = p_id;
    update ops.subscribers
    set address = null, components = '{}', confirm_hash = null, confirm_until = null,
        ended_at = p_now, ended_because = p_because
    where id = p_id and ended_at is null
$$;

comment on function ops.end_subscription(uuid, text, timestamptz) is
    'Ends a subscription, erases its address and what it was to be sent.';

create or replace function public.ops_end_subscription(p_id uuid, p_now timestamptz default null)
returns jsonb
language plpgsql
set search_path = ''
as $$
begin
    perform ops.hold_functions();
    perform ops.end_subscription(p_id, 'unsubscribed', coalesce(p_now, now()));
    return jsonb_build_object('outcome', 'ended', 'kind', (select kind from ops.subscribers where id = p_id));
end
$$;

comment on function public.ops_end_subscription(uuid, timestamptz) is
    'Ends a subscription and erases its address; returns what it was reached by. Repeating the call changes nothing.';

create or replace function ops.forget_subscribers(p_now timestamptz)
returns void
language sql
set search_path = ''
as $$
    -- Whoever never confirmed was asked once and leaves nothing after a day more.
    delete from ops.subscribers
    where (ended_at is null and confirmed_at is null and confirm_until < p_now - interval '1 day')
        or (ended_because = 'unsubscribed' and ended_at < p_now - interval '30 days')
        or ended_at < p_now - interval '400 days';
    delete from ops.subscriber_messages
    where created_at < p_now - interval '7 days';
    delete from ops.subscription_requests where hour < p_now - interval '2 days';
    delete from ops.component_changes
    where at < p_now - interval '400 days'
$$;

comment on function ops.forget_subscribers(timestamptz) is
    'Deletes what is no longer needed of subscribers and of what they were sent.';
