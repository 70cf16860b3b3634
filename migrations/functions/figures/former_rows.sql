-- Former rows: those that the application wrote before the triggers were there. They are
-- counted part by part, the newest first, so that figures of the last minutes are whole at
-- once. The place that was reached parts them from the rows that triggers count, whatever is
-- written meanwhile: it moves only while no transaction holds it.

create or replace function ops.former_requests(p_place ops.counted_tables, p_limit integer)
returns table (item ops.counted_item, key text, at timestamptz, id uuid)
language plpgsql
stable
set search_path = ''
as $$
begin
    return query
    select
        ops.request_item(
            former.endpoint, former.method, former.status_code::integer, former.response_time::numeric,
            former.user_id, former."timestamp",
            (select (s.value #>> '{}')::numeric from ops.settings as s where s.key = 'objective.latency_ms')
        ), '', former."timestamp", former.id
    from (
        select *
        from public.api_usage_metrics as written
        where (written."timestamp", written.id) < (p_place.at, p_place.id)
        order by written."timestamp" desc, written.id desc
        limit p_limit
    ) as former;
end
$$;

comment on function ops.former_requests(ops.counted_tables, integer) is 'The next requests before a place, as items.';

create or replace function ops.former_events(p_place ops.counted_tables, p_limit integer)
returns table (item ops.counted_item, key text, at timestamptz, id uuid)
language plpgsql
stable
set search_path = ''
as $$
begin
    return query
    select
        ops.event_item(
            former.event_name, former.user_id, former.session_id, former.environment, former."timestamp"
        ), '', former."timestamp", former.id
    from (
        select *
        from public.analytics_events as written
        where (written."timestamp", written.id) < (p_place.at, p_place.id)
        order by written."timestamp" desc, written.id desc
        limit p_limit
    ) as former;
end
$$;

comment on function ops.former_events(ops.counted_tables, integer) is 'The next events before a place, as items.';

create or replace function ops.former_errors(p_place ops.counted_tables, p_limit integer)
returns table (item ops.counted_item, key text, at timestamptz, id uuid)
language plpgsql
stable
set search_path = ''
as $$
begin
    return query
    select
        ops.error_item(
            former.message, former.severity, former.context ->> 'category', former.environment, former."timestamp"
        ), '', former."timestamp", former.id
    from (
        select *
        from public.error_logs as written
        where (written."timestamp", written.id) < (p_place.at, p_place.id)
        order by written."timestamp" desc, written.id desc
        limit p_limit
    ) as former;
end
$$;

comment on function ops.former_errors(ops.counted_tables, integer) is 'The next errors before a place, as items.';

create or replace function ops.former_metrics(p_place ops.counted_tables, p_limit integer)
returns table (item ops.counted_item, key text, at timestamptz, id uuid)
language plpgsql
stable
set search_path = ''
as $$
declare
    v_key text := coalesce(p_place.key, (select max(name) from public.performance_metrics));
begin
    return query
    select
        made::ops.counted_item, former.name, former."timestamp", former.id
    from (
        select *
        from public.performance_metrics as written
        where (written.name, written."timestamp", written.id) < (v_key, p_place.at, p_place.id)
            and written."timestamp" is not null
        order by written.name desc, written."timestamp" desc, written.id desc
        limit p_limit
    ) as former
    cross join lateral unnest(
        ops.metric_items(
            former.name, former.value::numeric, former.metadata, former.environment, former."timestamp"
        )
    ) as made;
end
$$;

comment on function ops.former_metrics(ops.counted_tables, integer) is 'The next measurements before a place, as items.';

create or replace function ops.former_business(p_place ops.counted_tables, p_limit integer)
returns table (item ops.counted_item, key text, at timestamptz, id uuid)
language plpgsql
stable
set search_path = ''
as $$
begin
    return query
    select
        ops.business_item(
            former.metric_name, former.metric_value::numeric, former.environment, former."timestamp"
        ), '', former."timestamp", former.id
    from (
        select *
        from public.business_metrics as written
        where (written."timestamp", written.id) < (p_place.at, p_place.id)
        order by written."timestamp" desc, written.id desc
        limit p_limit
    ) as former;
end
$$;

comment on function ops.former_business(ops.counted_tables, integer) is 'The next business metrics before a place, as items.';

create or replace function ops.former_sessions(p_place ops.counted_tables, p_limit integer)
returns table (item ops.counted_item, key text, at timestamptz, id uuid)
language plpgsql
stable
set search_path = ''
as $$
begin
    return query
    select
        made::ops.counted_item, '', former.session_start, former.id
    from (
        select *
        from public.user_sessions as written
        where (written.session_start, written.id) < (p_place.at, p_place.id)
        order by written.session_start desc, written.id desc
        limit p_limit
    ) as former
    cross join lateral unnest(
        ops.session_items(
            former.device_type, former.duration_seconds, former.page_views, former.events_count,
            former.session_start, 1
        )
    ) as made;
end
$$;

comment on function ops.former_sessions(ops.counted_tables, integer) is 'The next sessions before a place, as items.';

create or replace function ops.former_features(p_place ops.counted_tables, p_limit integer)
returns table (item ops.counted_item, key text, at timestamptz, id uuid)
language plpgsql
stable
set search_path = ''
as $$
begin
    return query
    select
        made::ops.counted_item, '', former.date::timestamp at time zone 'UTC', former.id
    from (
        select *
        from public.feature_usage as written
        where (written.date, written.id) < ((p_place.at at time zone 'UTC')::date, p_place.id)
        order by written.date desc, written.id desc
        limit p_limit
    ) as former
    cross join lateral unnest(
        ops.feature_items(
            former.feature_name, former.usage_count, former.success_rate, former.average_duration, former.date, 1
        )
    ) as made;
end
$$;

comment on function ops.former_features(ops.counted_tables, integer) is 'The next uses of features before a place, as items.';

create or replace function ops.read_former(p_place ops.counted_tables, p_limit integer)
returns table (item ops.counted_item, key text, at timestamptz, id uuid)
language plpgsql
stable
set search_path = ''
as $$
begin
    case p_place.name
        when 'api_usage_metrics' then return query select * from ops.former_requests(p_place, p_limit);
        when 'analytics_events' then return query select * from ops.former_events(p_place, p_limit);
        when 'error_logs' then return query select * from ops.former_errors(p_place, p_limit);
        when 'performance_metrics' then return query select * from ops.former_metrics(p_place, p_limit);
        when 'business_metrics' then return query select * from ops.former_business(p_place, p_limit);
        when 'user_sessions' then return query select * from ops.former_sessions(p_place, p_limit);
        when 'feature_usage' then return query select * from ops.former_features(p_place, p_limit);
    end case;
end
$$;

comment on function ops.read_former(ops.counted_tables, integer) is
    'The next rows of a table before a place, the newest first, as items with the place of each.';

create or replace function ops.take_over_hours()
returns void
language sql
set search_path = ''
as $$
    insert into ops.pending_figures (
        kind, environment, name, part, at, n, tallies, fast, left_out, measured, total, buckets, counts, people, sessions
    )
    select
        'request', '', 'other', '', hour, requests, array[0, requests - failures, 0, 0, failures, 0, 0],
        fast, 0, 0, 0, '{}', '{}', '{}', '{}'
    from ops.request_hours
    where requests > 0
        and hour + interval '1 hour' <= coalesce(
            (select min("timestamp") from public.api_usage_metrics where "timestamp" > '2000-01-01Z'), 'infinity'
        )
$$;

comment on function ops.take_over_hours() is
    'Counts the hours of requests that an earlier release counted and whose rows the application has deleted since.';

create or replace function ops.lock_place(p_place integer)
returns boolean
language plpgsql
set search_path = ''
as $$
declare
    v_patience text := current_setting('lock_timeout');
begin
    -- While this waits, statements of the application wait behind it.
    perform set_config('lock_timeout', '300ms', true);
    perform pg_advisory_xact_lock(1718183795, p_place);
    perform set_config('lock_timeout', v_patience, true);
    return true;
exception
    when lock_not_available then
        return false;
end
$$;

comment on function ops.lock_place(integer) is
    'Whether a place could be locked, so that it may be moved. It waits for 0.3 s at most.';

create or replace function ops.with_totals_apart(p_items ops.counted_item[])
returns ops.counted_item[]
language plpgsql
immutable
set search_path = ''
as $$
begin
    -- Of all requests together minutes are kept for longer than of single endpoints.
    return array(
        select row(
            kind, environment, name, part, case kind when 'request' then 'apart' else category end,
            at, weight, tally, value, fast, left_out, sample, person, session
        )::ops.counted_item
        from unnest(p_items)
        union all
        select row(
            'requests', environment, '', part, category,
            at, weight, tally, value, fast, left_out, sample, null, null
        )::ops.counted_item
        from unnest(p_items)
        where kind = 'request'
    );
end
$$;

comment on function ops.with_totals_apart(ops.counted_item[]) is
    'Items with those of all requests together beside the endpoints, which say that they are apart.';

create or replace function ops.count_former_rows(p_limit integer, p_now timestamptz)
returns integer
language plpgsql
set search_path = ''
as $$
declare
    v_place ops.counted_tables;
    v_items ops.counted_item[];
    v_rows integer;
begin
    select * into v_place from ops.counted_tables where not finished order by at desc, place limit 1;
    if not found or not ops.lock_place(v_place.place) then
        return 0;
    end if;
    select * into v_place from ops.counted_tables where name = v_place.name for update;
    if v_place.finished then
        return 0;
    end if;

    select
        array_agg(former.item),
        count(distinct former.id),
        (array_agg(former.key order by nth desc))[1],
        (array_agg(former.at order by nth desc))[1],
        (array_agg(former.id order by nth desc))[1]
    into v_items, v_rows, v_place.key, v_place.at, v_place.id
    from ops.read_former(v_place, p_limit) with ordinality as former (item, key, at, id, nth);
    perform ops.count_items(ops.with_totals_apart(coalesce(v_items, '{}')), p_now);

    if v_rows < p_limit then
        v_place.key := '';
        v_place.at := '-infinity';
        v_place.id := '00000000-0000-0000-0000-000000000000';
        if v_place.name = 'api_usage_metrics' then
            perform ops.take_over_hours();
        end if;
    end if;
    update ops.counted_tables
    set key = v_place.key, at = v_place.at, id = v_place.id, finished = v_rows < p_limit
    where name = v_place.name;
    return greatest(v_rows, 1);
end
$$;

comment on function ops.count_former_rows(integer, timestamptz) is
    'Counts a part of the rows of before the triggers, of the table that is furthest behind. Returns how many rows it took, at least 1 while it does something: 0 if none are left, or if the application keeps the place from moving for now.';
