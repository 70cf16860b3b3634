-- Devices that hear of changes. A browser hands out where it is reached only after somebody
-- pressed a button and allowed it, so that nothing is left to confirm; its push service says
-- when that is over.

create or replace function public.ops_subscribe_device(
    p_id uuid,
    p_address_hash text,
    p_address text,
    p_components text[],
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
    v_components text[];
    v_heard uuid;
    v_id uuid;
begin
    perform ops.hold_functions();
    perform ops.check_id('id', p_id);
    perform ops.check_length('address', p_address, 4000);
    perform ops.check_length('client', p_client, 64);
    -- Both are counted, whatever the other says.
    if not ops.count_subscription_request(p_client, 10, v_now)
        or not ops.count_subscription_request('all', 300, v_now)
    then
        return jsonb_build_object('outcome', 'limited');
    end if;
    v_components := ops.chosen_components(p_environment, p_components);
    perform pg_advisory_xact_lock(hashtextextended('ops.subscribers ' || p_address_hash, 0));
    select known.id into v_heard
    from ops.listening() as known
    where known.kind = 'push' and known.address_hash = p_address_hash;

    insert into ops.subscribers as known (id, kind, address_hash, address, components, asked_at, confirmed_at)
    values (p_id, 'push', p_address_hash, p_address, v_components, v_now, v_now)
    on conflict (kind, address_hash) do update
    set
        address = excluded.address,
        components = excluded.components,
        asked_at = excluded.asked_at,
        confirmed_at = case when v_heard is null then excluded.confirmed_at else known.confirmed_at end,
        ended_at = null,
        ended_because = null,
        refusals = 0
    returning known.id into v_id;
    if v_heard is null then
        perform ops.queue_confirmation(p_id, v_id, 'welcome', v_now);
    end if;
    return jsonb_build_object('outcome', 'taken', 'subscriber', v_id);
end
$$;

comment on function public.ops_subscribe_device(uuid, text, text, text[], text, text, timestamptz) is
    'Lets a device hear of those components, or of all if none is named, at once. A device that hears already is changed. A call that is repeated does nothing more.';

create or replace function public.ops_end_device_subscription(p_address_hash text, p_now timestamptz default null)
returns jsonb
language plpgsql
set search_path = ''
as $$
begin
    perform ops.hold_functions();
    perform ops.end_subscription(known.id, 'unsubscribed', coalesce(p_now, now()))
    from ops.subscribers as known
    where known.kind = 'push' and known.address_hash = p_address_hash;
    return jsonb_build_object('outcome', 'ended');
end
$$;

comment on function public.ops_end_device_subscription(text, timestamptz) is
    'Ends what a device heard and erases where it was reached. Repeating the call changes nothing.';
