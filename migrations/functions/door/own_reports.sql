-- Reports of this bundle's own pages: violations of their policy, above all. They come without
-- a key, and are kept under one of their own, which an operator may revoke like any other.

create or replace function ops.own_pages_key(p_origin text, p_now timestamptz)
returns ops.door_keys
language plpgsql
set search_path = ''
as $$
declare
    v_key ops.door_keys;
begin
    perform pg_advisory_xact_lock(hashtextextended('ops.own_pages_key', 0));
    select * into v_key
    from ops.door_keys
    where created_by = 'this bundle'
    order by id desc
    limit 1;
    if not found then
        v_key.name := 'pages of this bundle';
        v_key.items_a_minute := 60;
        v_key.items_a_day := 2000;
        v_key.created_at := p_now;
        v_key.created_by := 'this bundle';
        v_key.origins := array[p_origin];
        perform ops.write_audit(
            'key.added', v_key.created_by, 'door key ' || (ops.add_door_key(v_key) ->> 'id'),
            jsonb_build_object('name', v_key.name, 'origins', v_key.origins)
        );
        select * into v_key from ops.door_keys where created_by = 'this bundle' order by id desc limit 1;
    elsif v_key.origins <> array[p_origin] then
        update ops.door_keys set origins = array[p_origin] where id = v_key.id returning * into v_key;
    end if;
    return v_key;
end
$$;

comment on function ops.own_pages_key(text, timestamptz) is
    'Returns the project key of this bundle''s own pages; makes it the first time, and has it follow their origin.';

create or replace function ops.count_own_reports(p_client text, p_now timestamptz)
returns integer
language sql
set search_path = ''
as $$
    insert into ops.own_reports as known (client, hour, requests)
    values (p_client, ops.floor_to_hour(p_now), 1)
    on conflict (client, hour) do update set requests = least(known.requests + 1, 1000000)
    returning requests
$$;

comment on function ops.count_own_reports(text, timestamptz) is 'Counts a request of a client in this hour.';

create or replace function public.ops_take_own_reports(
    p_origin text,
    p_client text,
    p_items jsonb,
    p_drops jsonb,
    p_now timestamptz default null
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_key ops.door_keys;
begin
    perform ops.hold_functions();
    perform ops.check_length('client', p_client, 64);
    perform ops.check_list('items', p_items, 50);
    if ops.count_own_reports(p_client, v_now) > 30 then
        return jsonb_build_object('refused', 'client');
    end if;
    v_key := ops.own_pages_key(p_origin, v_now);
    return public.ops_take_items(v_key.id, 'pages', p_origin, null, p_items, p_drops, v_now);
end
$$;

comment on function public.ops_take_own_reports(text, text, jsonb, jsonb, timestamptz) is
    'Takes reports of the pages at an origin, which is that of this bundle, under the key of those pages. Answers refused: client, where a client brought some more than 30 times in an hour, or key, where an operator revoked the key.';
