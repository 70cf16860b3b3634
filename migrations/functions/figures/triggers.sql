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
begin
    v_place := ops.hold_place('api_usage_metrics');
    perform ops.count_items(array(
        select ops.request_item(
            endpoint, method, status_code::integer, response_time::numeric, user_id, "timestamp",
            (select (s.value #>> '{}')::numeric from ops.settings as s where s.key = 'objective.latency_ms')
        )
        from fresh
        where ("timestamp", id) >= (v_place.at, v_place.id)
    ));
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
begin
    v_place := ops.hold_place('analytics_events');
    perform ops.count_items(array(
        select ops.event_item(event_name, user_id, session_id, environment, "timestamp")
        from fresh
        where ("timestamp", id) >= (v_place.at, v_place.id)
    ));
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
begin
    v_place := ops.hold_place('error_logs');
    perform ops.count_items(array(
        select ops.error_item(message, severity, context ->> 'category', environment, "timestamp")
        from fresh
        where ("timestamp", id) >= (v_place.at, v_place.id)
    ));
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
begin
    v_place := ops.hold_place('performance_metrics');
    perform ops.count_items(array(
        select item::ops.counted_item
        from fresh
        cross join lateral unnest(
            ops.metric_items(fresh.name, fresh.value::numeric, fresh.metadata, fresh.environment, fresh."timestamp")
        ) as item
        where (fresh.name, fresh."timestamp", fresh.id) >= (v_place.key, v_place.at, v_place.id)
    ));
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
begin
    v_place := ops.hold_place('business_metrics');
    perform ops.count_items(array(
        select ops.business_item(metric_name, metric_value::numeric, environment, "timestamp")
        from fresh
        where ("timestamp", id) >= (v_place.at, v_place.id)
    ));
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
begin
    v_place := ops.hold_place('user_sessions');
    perform ops.count_items(array(
        select item::ops.counted_item
        from fresh
        cross join lateral unnest(
            ops.session_items(device_type, duration_seconds, page_views, events_count, session_start, 1)
        ) as item
        where (session_start, id) >= (v_place.at, v_place.id)
    ));
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
begin
    v_place := ops.hold_place('user_sessions');
    perform ops.count_items(array(
        select item::ops.counted_item
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
        where (session_start, id) >= (v_place.at, v_place.id)
    ));
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
begin
    v_place := ops.hold_place('feature_usage');
    perform ops.count_items(array(
        select item::ops.counted_item
        from fresh
        cross join lateral unnest(
            ops.feature_items(feature_name, usage_count, success_rate, average_duration, date, 1)
        ) as item
        where (date::timestamp at time zone 'UTC', id) >= (v_place.at, v_place.id)
    ));
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
begin
    v_place := ops.hold_place('feature_usage');
    perform ops.count_items(array(
        select item::ops.counted_item
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
        where (date::timestamp at time zone 'UTC', id) >= (v_place.at, v_place.id)
    ));
    return null;
exception
    when others then
        perform ops.note_uncounted('feature_usage', (select count(*) from fresh), sqlstate || ': ' || sqlerrm);
        return null;
end
$$;

comment on function ops.recount_features() is 'Takes back what uses of features counted before a statement changed them, and counts them as they are now.';
