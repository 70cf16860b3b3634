-- Taking items: one call for a batch, counted against the quota of its key in the same
-- transaction, so that all instances share it. An item is taken or refused whole, and never
-- takes the others along. What came before comes in once: the id is the client's.

create or replace function ops.admit_items(p_key ops.door_keys, p_items bigint, p_now timestamptz)
returns table (admitted bigint, retry_after integer)
language plpgsql
set search_path = ''
as $$
declare
    v_minute timestamptz := date_trunc('minute', p_now);
    v_day timestamptz := date_trunc('day', p_now, 'UTC');
    v_in_minute bigint;
    v_in_day bigint;
begin
    insert into ops.door_counts as counted (key, span, begins_at, taken, refused)
    values (p_key.id, 'day', v_day, 0, 0), (p_key.id, 'minute', v_minute, 0, 0)
    on conflict (key, span, begins_at) do nothing;
    select counted.taken into v_in_day
    from ops.door_counts as counted
    where counted.key = p_key.id and counted.span = 'day' and counted.begins_at = v_day
    for update;
    select counted.taken into v_in_minute
    from ops.door_counts as counted
    where counted.key = p_key.id and counted.span = 'minute' and counted.begins_at = v_minute
    for update;
    admitted := greatest(
        0, least(p_items, p_key.items_a_minute - v_in_minute, p_key.items_a_day - v_in_day)
    );
    update ops.door_counts as counted
    set taken = counted.taken + admitted, refused = counted.refused + p_items - admitted
    where counted.key = p_key.id
        and (counted.span, counted.begins_at) in (('day', v_day), ('minute', v_minute));
    if admitted < p_items then
        retry_after := ceil(extract(epoch from case
            when p_key.items_a_day - v_in_day <= admitted then v_day + interval '1 day'
            else v_minute + interval '1 minute'
        end - p_now));
    end if;
    return next;
end
$$;

comment on function ops.admit_items(ops.door_keys, bigint, timestamptz) is
    'Counts items against the quota of a key, and returns how many it may still bring and, if that is not all, after how many seconds it may bring more.';

create or replace function ops.hashed_visitor(p_visitor text, p_now timestamptz)
returns text
language plpgsql
set search_path = ''
as $$
declare
    v_day date := (p_now at time zone 'UTC')::date;
    v_key text;
begin
    if p_visitor is null then
        return null;
    end if;
    select known.key into v_key from ops.visitor_keys as known where known.day = v_day;
    if v_key is null then
        insert into ops.visitor_keys (day, key)
        values (v_day, gen_random_uuid()::text || gen_random_uuid()::text)
        on conflict (day) do nothing;
        select known.key into v_key from ops.visitor_keys as known where known.day = v_day;
    end if;
    return 'v-' || left(encode(sha256(convert_to(v_key || p_visitor, 'UTF8')), 'hex'), 32);
end
$$;

comment on function ops.hashed_visitor(text, timestamptz) is
    'Returns the hash of a visitor''s address and browser that is the same for one day; null of null.';

create or replace function ops.insert_items(
    p_key integer,
    p_source text,
    p_visitor text,
    p_items jsonb,
    p_now timestamptz
)
returns bigint
language sql
set search_path = ''
as $$
    with inserted as (
        insert into ops.items
            (
                day, id, kind, at, received_at, source, key, environment, release, name, method, status, value, person,
                session, detail
            )
        select
            (item.at at time zone 'UTC')::date, item.id, item.kind, item.at, p_now, p_source, p_key, item.environment,
            item.release, item.name, item.method, item.status, item.value, coalesce(item.person, p_visitor),
            item.session, coalesce(item.detail, '{}')
        from (
            select
                given.*,
                -- A client's clock may be off by years.
                least(
                    greatest(coalesce(given.time, p_now), p_now - interval '7 days'), p_now + interval '5 minutes'
                ) as at
            from jsonb_to_recordset(p_items) as given (
                id uuid, kind text, time timestamptz, environment text, release text, name text, method text,
                status integer, value float8, person text, session text, detail jsonb
            )
        ) as item
        on conflict (day, id) do nothing
        returning id
    )
    select count(*) from inserted
$$;

comment on function ops.insert_items(integer, text, text, jsonb, timestamptz) is
    'Writes items that are not there yet, and returns how many. One without a time is of now.';

create or replace function ops.insert_each_item(
    p_key integer,
    p_source text,
    p_visitor text,
    p_items jsonb,
    p_now timestamptz
)
returns bigint
language plpgsql
set search_path = ''
as $$
declare
    v_item jsonb;
    v_taken bigint := 0;
    v_refused bigint := 0;
begin
    for v_item in select value from jsonb_array_elements(p_items) loop
        begin
            v_taken := v_taken + ops.insert_items(
                p_key, p_source, p_visitor, jsonb_build_array(v_item), p_now
            );
        exception
            when data_exception or integrity_constraint_violation or program_limit_exceeded then
                v_refused := v_refused + 1;
        end;
    end loop;
    perform ops.note_drop(p_key, p_source, 'unusable', v_refused, p_now);
    return v_taken;
end
$$;

comment on function ops.insert_each_item(integer, text, text, jsonb, timestamptz) is
    'Writes items one by one, notes how many cannot be written, and returns how many are new.';

create or replace function ops.note_drop(
    p_key integer,
    p_source text,
    p_reason text,
    p_items bigint,
    p_now timestamptz
)
returns void
language sql
set search_path = ''
as $$
    insert into ops.door_drops as known (at, key, source, reason, items)
    select date_trunc('hour', p_now), p_key, p_source, left(p_reason, 100), p_items
    where p_items > 0
    on conflict (at, key, source, reason) do update
    set items = known.items + excluded.items
$$;

comment on function ops.note_drop(integer, text, text, bigint, timestamptz) is
    'Counts items that were not taken, by the hour.';

create or replace function public.ops_take_items(
    p_key integer,
    p_source text,
    p_origin text,
    p_visitor text,
    p_items jsonb,
    p_drops jsonb default '{}',
    p_now timestamptz default null,
    p_deployments jsonb default '[]',
    p_check_ins jsonb default '[]',
    p_check_runs jsonb default '[]'
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_key ops.door_keys;
    v_quota record;
    v_items jsonb := p_items;
    v_admitted bigint;
    v_taken bigint;
begin
    perform ops.hold_functions();
    perform ops.check_length('source', p_source, 30);
    select * into v_key from ops.door_keys where id = p_key and revoked_at is null;
    if not found then
        return jsonb_build_object('refused', 'key');
    elsif p_origin is not null and v_key.origins <> '{}' and lower(p_origin) <> all (v_key.origins) then
        return jsonb_build_object('refused', 'origin');
    end if;

    perform ops.note_drop(p_key, p_source, dropped.key, dropped.value::bigint, v_now)
    from jsonb_each_text(p_drops) as dropped;
    select * into v_quota from ops.admit_items(v_key, jsonb_array_length(v_items), v_now);
    if v_quota.admitted < jsonb_array_length(v_items) then
        v_items := (
            select coalesce(jsonb_agg(item.value order by item.nth), '[]')
            from jsonb_array_elements(v_items) with ordinality as item (value, nth)
            where item.nth <= v_quota.admitted
        );
        perform ops.note_drop(
            p_key, p_source, 'over quota', jsonb_array_length(p_items) - v_quota.admitted, v_now
        );
    end if;
    v_admitted := jsonb_array_length(v_items);
    v_items := ops.without_refused(v_items);
    perform ops.note_drop(p_key, p_source, 'consent refused', v_admitted - jsonb_array_length(v_items), v_now);
    if v_items <> '[]' then
        perform ops.open_item_days(v_now);
    end if;
    begin
        v_taken := ops.insert_items(p_key, p_source, ops.hashed_visitor(p_visitor, v_now), v_items, v_now);
    exception
        when data_exception or integrity_constraint_violation or program_limit_exceeded then
            v_taken := ops.insert_each_item(
                p_key, p_source, ops.hashed_visitor(p_visitor, v_now), v_items, v_now
            );
    end;
    perform ops.take_feedback(p_key, p_source, v_items, v_now);
    perform ops.take_deployments(p_key, p_source, p_deployments, v_now);
    if v_key.origins = '{}' then
        perform ops.take_check_ins(p_key, p_source, p_check_ins, v_now);
        perform ops.take_check_runs(p_key, p_source, p_check_runs, v_now);
    else
        -- Everybody can read it, and a job that strangers made up would alarm people.
        perform ops.note_drop(
            p_key, p_source, 'check-in by the key of a page', jsonb_array_length(p_check_ins), v_now
        );
        perform ops.note_drop(
            p_key, p_source, 'check run by the key of a page', jsonb_array_length(p_check_runs), v_now
        );
    end if;
    return jsonb_build_object(
        'taken', v_taken,
        'overQuota', jsonb_array_length(p_items) - v_quota.admitted,
        'retryAfterSeconds', v_quota.retry_after
    );
end
$$;

comment on function public.ops_take_items(integer, text, text, text, jsonb, jsonb, timestamptz, jsonb, jsonb, jsonb) is
    'Takes a batch of items that a project key brings, as far as its quota goes, and notes what was left out of it. Events of deployments, check-ins of jobs and runs of the deployment check are taken whatever the quota. A batch that comes again is taken once. Answers refused, key or origin, where the key is closed or the page may not use it.';
