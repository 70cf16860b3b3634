-- Project keys of the door. A key proves itself to whoever holds the secret that signed it;
-- what it may do is looked up here by its number, in the same call that takes the items.

create or replace function ops.door_key_document(p_key ops.door_keys)
returns jsonb
language sql
immutable
set search_path = ''
as $$
    select jsonb_build_object(
        'id', p_key.id,
        'name', p_key.name,
        'origins', to_jsonb(p_key.origins),
        'itemsAMinute', p_key.items_a_minute,
        'itemsADay', p_key.items_a_day,
        'createdAt', p_key.created_at,
        'createdBy', p_key.created_by,
        'revokedAt', p_key.revoked_at
    )
$$;

comment on function ops.door_key_document(ops.door_keys) is 'Returns a project key as callers see it.';

create or replace function ops.check_origins(p_origins text[])
returns text[]
language plpgsql
stable
set search_path = ''
as $$
declare
    v_wrong text;
begin
    select listed.origin into v_wrong
    from unnest(p_origins) as listed (origin)
    where listed.origin !~ '^https?://[a-z0-9.-]+(:[0-9]{1,5})?$' or length(listed.origin) > 200
    limit 1;
    if found or cardinality(p_origins) > 50 then
        perform ops.refuse(
            'origins', 'at most 50 origins in lower case, such as https://wine.example', v_wrong
        );
    end if;
    return coalesce(p_origins, '{}');
end
$$;

comment on function ops.check_origins(text[]) is
    'Returns the origins. Refuses with SQLSTATE 22023 what is no scheme, host and port.';

create or replace function ops.add_door_key(p_key ops.door_keys)
returns jsonb
language plpgsql
set search_path = ''
as $$
begin
    perform pg_advisory_xact_lock(hashtextextended('ops.door_keys', 0));
    p_key.id := (select coalesce(max(known.id), 0) + 1 from ops.door_keys as known);
    insert into ops.door_keys values (p_key.*);
    return ops.door_key_document(p_key);
end
$$;

comment on function ops.add_door_key(ops.door_keys) is 'Gives a project key the next number, and returns it.';

create or replace function public.ops_add_door_key(
    p_name text,
    p_origins text[],
    p_items_a_minute integer,
    p_items_a_day bigint,
    p_by text,
    p_now timestamptz default null
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_key ops.door_keys;
    v_added jsonb;
begin
    perform ops.hold_functions();
    perform ops.check_length('name', p_name, 100);
    perform ops.check_number('items_a_minute', p_items_a_minute, 1, 1000000);
    perform ops.check_number('items_a_day', p_items_a_day, 1, 1000000000);
    if exists (select from ops.door_keys where lower(name) = lower(p_name) and revoked_at is null) then
        perform ops.refuse('name', 'one that no other key has', p_name);
    end if;
    v_key.name := p_name;
    v_key.origins := ops.check_origins(p_origins);
    v_key.items_a_minute := p_items_a_minute;
    v_key.items_a_day := p_items_a_day;
    v_key.created_at := coalesce(p_now, now());
    v_key.created_by := ops.check_by(p_by);
    v_added := ops.add_door_key(v_key);
    perform ops.write_audit(
        'key.added', p_by, 'door key ' || (v_added ->> 'id'), jsonb_build_object('name', p_name, 'origins', v_key.origins)
    );
    return v_added;
end
$$;

comment on function public.ops_add_door_key(text, text[], integer, bigint, text, timestamptz) is
    'Adds a project key and returns it; its number is signed by whoever gives it out.';

create or replace function ops.find_door_key(p_key integer)
returns ops.door_keys
language plpgsql
stable
set search_path = ''
as $$
declare
    v_key ops.door_keys;
begin
    select * into v_key from ops.door_keys where id = p_key;
    if not found then
        perform ops.refuse('key', 'the number of a project key', p_key::text);
    end if;
    return v_key;
end
$$;

comment on function ops.find_door_key(integer) is 'Returns a project key. Refuses with SQLSTATE 22023 what is none.';

create or replace function public.ops_rotate_door_key(p_key integer, p_by text, p_now timestamptz default null)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_key ops.door_keys;
    v_added jsonb;
begin
    perform ops.hold_functions();
    v_key := ops.find_door_key(p_key);
    v_key.created_at := coalesce(p_now, now());
    v_key.created_by := ops.check_by(p_by);
    v_key.revoked_at := null;
    v_added := ops.add_door_key(v_key);
    perform ops.write_audit(
        'key.rotated', p_by, 'door key ' || p_key, jsonb_build_object('name', v_key.name, 'by', v_added -> 'id')
    );
    return v_added;
end
$$;

comment on function public.ops_rotate_door_key(integer, text, timestamptz) is
    'Adds a project key that may do what that one may, and returns it. The former one stays open until it is revoked.';

create or replace function public.ops_revoke_door_key(
    p_key integer,
    p_now timestamptz default null,
    p_by text default null
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_key ops.door_keys;
begin
    perform ops.hold_functions();
    v_key := ops.find_door_key(p_key);
    if v_key.revoked_at is null then
        perform ops.write_audit(
            'key.revoked', p_by, 'door key ' || p_key, jsonb_build_object('name', v_key.name)
        );
    end if;
    update ops.door_keys
    set revoked_at = coalesce(revoked_at, p_now, now())
    where id = p_key
    returning * into v_key;
    return ops.door_key_document(v_key);
end
$$;

comment on function public.ops_revoke_door_key(integer, timestamptz, text) is
    'Closes the door to a project key for good.';

create or replace function public.ops_list_door_keys(p_now timestamptz default null)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_build_object(
        'keys', coalesce(
            jsonb_agg(
                ops.door_key_document(listed) || jsonb_build_object(
                    'takenToday', coalesce(today.taken, 0), 'refusedToday', coalesce(today.refused, 0)
                )
                order by listed.id
            ),
            '[]'
        ),
        'drops', (
            select coalesce(
                jsonb_agg(
                    jsonb_build_object(
                        'key', latest.key, 'source', latest.source, 'reason', latest.reason, 'items', latest.items
                    )
                    order by latest.items desc, latest.key, latest.source, latest.reason
                ),
                '[]'
            )
            from (
                select drops.key, drops.source, drops.reason, sum(drops.items) as items
                from ops.door_drops as drops
                where drops.at > coalesce(p_now, now()) - interval '24 hours'
                group by drops.key, drops.source, drops.reason
                order by 4 desc
                limit 50
            ) as latest
        )
    )
    from ops.door_keys as listed
    left join ops.door_counts as today
        on today.key = listed.id
        and today.span = 'day'
        and today.begins_at = date_trunc('day', coalesce(p_now, now()), 'UTC')
$$;

comment on function public.ops_list_door_keys(timestamptz) is
    'Lists every project key with what it brought today, and what was not taken in the last 24 hours.';
