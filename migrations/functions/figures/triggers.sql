-- The triggers that count: one function for each of the application's tables. A row of before
-- the triggers that is not counted yet is left to the counting of former rows.

create or replace function ops.count_new_requests()
returns trigger
language plpgsql
-- Whoever writes the row may not write figures.
security definer
set search_path = ''
as $$
declare
    v_place ops.counted_tables;
    v_items refcursor;
begin
    v_place := ops.hold_place('api_usage_metrics');
    open v_items for
        select ops.request_item(
            endpoint, method, status_code::integer, response_time::numeric, user_id, "timestamp",
            (select (s.value #>> '{}')::numeric from ops.settings as s where s.key = 'objective.latency_ms')
        ) as item
        from fresh
        where ("timestamp", id) >= (v_place.at, v_place.id);
    perform ops.count_all(v_items);
    return null;
exception
    when others then
        perform ops.note_uncounted('api_usage_metrics', (select count(*) from fresh), sqlstate || ': ' || sqlerrm);
        return null;
end
$$;

comment on function ops.count_new_requests() is 'Counts the requests that a statement wrote.';

create or replace function ops.count_new_events()
returns trigger
language plpgsql
-- Whoever writes the row may not write figures.
security definer
set search_path = ''
as $$
declare
    v_place ops.counted_tables;
    v_items refcursor;
begin
    v_place := ops.hold_place('analytics_events');
    open v_items for
        select ops.event_item(event_name, user_id, session_id, environment, "timestamp") as item
        from fresh
        where ("timestamp", id) >= (v_place.at, v_place.id);
    perform ops.count_all(v_items);
    return null;
exception
    when others then
        perform ops.note_uncounted('analytics_events', (select count(*) from fresh), sqlstate || ': ' || sqlerrm);
        return null;
end
$$;

comment on function ops.count_new_events() is 'Counts the events that a statement wrote.';

create or replace function ops.count_new_errors()
returns trigger
language plpgsql
-- Whoever writes the row may not write figures.
security definer
set search_path = ''
as $$
declare
    v_place ops.counted_tables;
    v_items refcursor;
begin
    v_place := ops.hold_place('error_logs');
    open v_items for
        select ops.error_item(message, severity, context ->> 'category', environment, "timestamp") as item
        from fresh
        where ("timestamp", id) >= (v_place.at, v_place.id);
    perform ops.count_all(v_items);
    return null;
exception
    when others then
        perform ops.note_uncounted('error_logs', (select count(*) from fresh), sqlstate || ': ' || sqlerrm);
        return null;
end
$$;

comment on function ops.count_new_errors() is 'Counts the errors that a statement wrote.';

create or replace function ops.count_new_metrics()
returns trigger
language plpgsql
-- Whoever writes the row may not write figures.
security definer
set search_path = ''
as $$
declare
    v_place ops.counted_tables;
    v_items refcursor;
begin
    v_place := ops.hold_place('performance_metrics');
    open v_items for
        select item::ops.counted_item as item
        from fresh
        cross join lateral unnest(
            ops.metric_items(fresh.name, fresh.value::numeric, fresh.metadata, fresh.environment, fresh."timestamp")
        ) as item
        where (fresh.name, fresh."timestamp", fresh.id) >= (v_place.key, v_place.at, v_place.id);
    perform ops.count_all(v_items);
    return null;
exception
    when others then
        perform ops.note_uncounted('performance_metrics', (select count(*) from fresh), sqlstate || ': ' || sqlerrm);
        return null;
end
$$;

comment on function ops.count_new_metrics() is 'Counts the measurements that a statement wrote.';

create or replace function ops.count_new_business()
returns trigger
language plpgsql
-- Whoever writes the row may not write figures.
security definer
set search_path = ''
as $$
declare
    v_place ops.counted_tables;
    v_items refcursor;
begin
    v_place := ops.hold_place('business_metrics');
    open v_items for
        select ops.business_item(metric_name, metric_value::numeric, environment, "timestamp") as item
        from fresh
        where ("timestamp", id) >= (v_place.at, v_place.id);
    perform ops.count_all(v_items);
    return null;
exception
    when others then
        perform ops.note_uncounted('business_metrics', (select count(*) from fresh), sqlstate || ': ' || sqlerrm);
        return null;
end
$$;

comment on function ops.count_new_business() is 'Counts the business metrics that a statement wrote.';

create or replace function ops.count_new_sessions()
returns trigger
language plpgsql
-- Whoever writes the row may not write figures.
security definer
set search_path = ''
as $$
declare
    v_place ops.counted_tables;
    v_items refcursor;
begin
    v_place := ops.hold_place('user_sessions');
    open v_items for
        select item::ops.counted_item as item
        from fresh
        cross join lateral unnest(
            ops.session_items(device_type, duration_seconds, page_views, events_count, session_start, 1)
        ) as item
        where (session_start, id) >= (v_place.at, v_place.id);
    perform ops.count_all(v_items);
    return null;
exception
    when others then
        perform ops.note_uncounted('user_sessions', (select count(*) from fresh), sqlstate || ': ' || sqlerrm);
        return null;
end
$$;

comment on function ops.count_new_sessions() is 'Counts the sessions that a statement wrote.';

create or replace function ops.recount_sessions()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
    v_place ops.counted_tables;
    v_items refcursor;
begin
    v_place := ops.hold_place('user_sessions');
    open v_items for
        select item::ops.counted_item as item
        from fresh
        cross join lateral unnest(
            ops.session_items(device_type, duration_seconds, page_views, events_count, session_start, 1)
        ) as item
        where (session_start, id) >= (v_place.at, v_place.id)
        union all
        select item::ops.counted_item
        from former
        cross join lateral unnest(
            ops.session_items(device_type, duration_seconds, page_views, events_count, session_start, -1)
        ) as item
        where (session_start, id) >= (v_place.at, v_place.id);
    perform ops.count_all(v_items);
    return null;
exception
    when others then
        perform ops.note_uncounted('user_sessions', (select count(*) from fresh), sqlstate || ': ' || sqlerrm);
        return null;
end
$$;

comment on function ops.recount_sessions() is 'Takes back what sessions counted before a statement changed them, and counts them as they are now.';

create or replace function ops.count_new_features()
returns trigger
language plpgsql
-- Whoever writes the row may not write figures.
security definer
set search_path = ''
as $$
declare
    v_place ops.counted_tables;
    v_items refcursor;
begin
    v_place := ops.hold_place('feature_usage');
    open v_items for
        select item::ops.counted_item as item
        from fresh
        cross join lateral unnest(
            ops.feature_items(feature_name, usage_count, success_rate, average_duration, date, 1)
        ) as item
        where (date::timestamp at time zone 'UTC', id) >= (v_place.at, v_place.id);
    perform ops.count_all(v_items);
    return null;
exception
    when others then
        perform ops.note_uncounted('feature_usage', (select count(*) from fresh), sqlstate || ': ' || sqlerrm);
        return null;
end
$$;

comment on function ops.count_new_features() is 'Counts the uses of features that a statement wrote.';

create or replace function ops.recount_features()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
    v_place ops.counted_tables;
    v_items refcursor;
begin
    v_place := ops.hold_place('feature_usage');
    open v_items for
        select item::ops.counted_item as item
        from fresh
        cross join lateral unnest(
            ops.feature_items(feature_name, usage_count, success_rate, average_duration, date, 1)
        ) as item
        where (date::timestamp at time zone 'UTC', id) >= (v_place.at, v_place.id)
        union all
        select item::ops.counted_item
        from former
        cross join lateral unnest(
            ops.feature_items(feature_name, usage_count, success_rate, average_duration, date, -1)
        ) as item
        where (date::timestamp at time zone 'UTC', id) >= (v_place.at, v_place.id);
    perform ops.count_all(v_items);
    return null;
exception
    when others then
        perform ops.note_uncounted('feature_usage', (select count(*) from fresh), sqlstate || ': ' || sqlerrm);
        return null;
end
$$;

comment on function ops.recount_features() is 'Takes back what uses of features counted before a statement changed them, and counts them as they are now.';

create or replace function ops.counted_sources(p_items ops.items[], p_now timestamptz)
returns table (kind text, environment text, source text, counted boolean)
language sql
set search_path = ''
as $$
    -- What was written within the hour is not written again: others would have to wait for it.
    insert into ops.figure_sources as known (kind, environment, source, written_at)
    select distinct item.kind, item.environment, item.source, p_now
    from unnest(p_items) as item
    where not exists (
        select
        from ops.figure_sources as noted
        where noted.kind = item.kind
            and noted.environment = item.environment
            and noted.source = item.source
            and noted.written_at > p_now - interval '1 hour'
    )
    order by 1, 2, 3
    on conflict (kind, environment, source) do update
    set written_at = greatest(known.written_at, excluded.written_at);

    select
        brought.kind, brought.environment, brought.source,
        ops.is_counted(brought.kind, brought.environment, brought.source, p_now)
    from (
        select distinct item.kind::text, item.environment, item.source from unnest(p_items) as item
        -- Page views and events tell of visits, and page views begin them as events do.
        union
        select told.kind, item.environment, item.source
        from unnest(p_items) as item
        cross join (values ('visit'), ('event')) as told (kind)
        where item.kind in ('page_view', 'event')
    ) as brought;
$$;

comment on function ops.counted_sources(ops.items[], timestamptz) is
    'Notes which sources bring which kinds of item, and returns which of them are counted.';

create or replace function ops.count_new_items()
returns trigger
language plpgsql
set search_path = ''
as $$
declare
    v_items ops.items[];
    v_figures ops.counted_item[];
    v_visits ops.door_sessions[];
    v_fast_ms numeric := (select (value #>> '{}')::numeric from ops.settings where key = 'objective.latency_ms');
begin
    v_items := array(select row(taken.*)::ops.items from taken where kind <> 'feedback');
    if v_items = '{}' then
        return null;
    end if;
    with sources as materialized (
        select * from ops.counted_sources(v_items, v_items[1].received_at)
    ),
    counted as materialized (
        select item
        from unnest(v_items) as item
        join sources using (kind, environment, source)
        where sources.counted
    ),
    figures as (
        select figure::ops.counted_item as figure
        from counted
        left join sources as events
            on events.kind = 'event'
            and events.environment = (counted.item).environment
            and events.source = (counted.item).source
        cross join lateral unnest(
            ops.figures_of_item(counted.item, v_fast_ms, coalesce(events.counted, false))
        ) as figure
        where figure.weight <> 0
    ),
    visits as (
        select
            item.environment, ops.hash_id(item.session) as session, min(item.at) as first_at,
            max(item.at) as last_at, count(*) filter (where item.kind = 'page_view')::integer as views,
            count(*) filter (where item.kind = 'event')::integer as events,
            coalesce(left(min(item.detail ->> 'deviceType'), 50), 'unknown') as device
        from unnest(v_items) as item
        join sources using (environment, source)
        where sources.kind = 'visit' and sources.counted
            and item.kind in ('page_view', 'event') and item.session is not null
        group by 1, 2
    )
    select
        (select array_agg(item) from counted),
        (select array_agg(figure) from figures),
        (select array_agg(visits::ops.door_sessions) from visits)
    into v_items, v_figures, v_visits;

    perform ops.count_items(coalesce(v_figures, '{}') || ops.new_visitors(v_items));
    perform ops.count_door_visits(v_visits);
    return null;
end
$$;

comment on function ops.count_new_items() is
    'Counts the items that came in by the door, as far as they are of a source that is counted. What it cannot count, the door does not take.';
