-- How a row of the application becomes items to be counted: one function for each table, for
-- new rows and for those of before the triggers. A number that no clock and no server can have
-- made is left out: NaN, infinity, less than 0 or more than a million million, and no status
-- code of HTTP. The condition is written out, because a function would be called once a row.

create or replace function ops.hash_id(p_id text)
returns bigint
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
begin
    return ('x' || left(md5(p_id), 16))::bit(64)::bigint;
end
$$;

comment on function ops.hash_id(text) is
    'The hash that stands for a user or a session id in figures: the first 64 bits of its MD5.';

create or replace function ops.request_item(
    p_endpoint text,
    p_method text,
    p_status integer,
    p_ms numeric,
    p_user uuid,
    p_at timestamptz,
    p_fast_ms numeric
)
returns ops.counted_item
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
declare
    v_ms numeric := case when p_ms between 0 and 1e12 then p_ms end;
    v_tally integer := case
        when p_status in (401, 403) then 6
        when p_status between 100 and 599 then p_status / 100
        else 7
    end;
begin
    return row(
        -- The query is left out: it holds personal data, and its variety has no end.
        'request', '', left(p_method || ' ' || split_part(p_endpoint, '?', 1), 300), '', '',
        p_at, 1, v_tally, v_ms, v_ms < p_fast_ms and v_tally < 7, p_ms is not null and v_ms is null, null,
        case when p_user is not null then ops.hash_id(p_user::text) end, null
    )::ops.counted_item;
end
$$;

comment on function ops.request_item(text, text, integer, numeric, uuid, timestamptz, numeric) is
    'A row of api_usage_metrics as an item. An answer in less than p_fast_ms is fast.';

create or replace function ops.event_item(
    p_name text,
    p_user uuid,
    p_session text,
    p_environment text,
    p_at timestamptz
)
returns ops.counted_item
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
begin
    return row(
        'event', coalesce(p_environment, 'production'), left(p_name, 100), '', '',
        p_at, 1, null, null, false, false, null, ops.hash_id(p_user::text), ops.hash_id(p_session)
    )::ops.counted_item;
end
$$;

comment on function ops.event_item(text, uuid, text, text, timestamptz) is
    'A row of analytics_events as an item.';

create or replace function ops.error_item(
    p_message text,
    p_severity text,
    p_category text,
    p_environment text,
    p_at timestamptz
)
returns ops.counted_item
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
begin
    return row(
        'error', coalesce(p_environment, 'production'), ops.message_key(p_message), '',
        coalesce(left(p_category, 50), 'unknown'),
        p_at, 1, array_position('{low,medium,high,critical}'::text[], p_severity), null, false, false,
        left(p_message, 500), null, null
    )::ops.counted_item;
end
$$;

comment on function ops.error_item(text, text, text, text, timestamptz) is
    'A row of error_logs as an item. Its name is the key of its message.';

create or replace function ops.page_of(p_metadata jsonb)
returns text
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
begin
    return left(
        regexp_replace(
            coalesce(
                p_metadata ->> 'page', p_metadata ->> 'route', p_metadata ->> 'path', p_metadata ->> 'url'
            ),
            '^[a-z]+://[^/?#]*|[?#].*$', '', 'g'
        ),
        200
    );
end
$$;

comment on function ops.page_of(jsonb) is
    'The page that a measurement is of, without its host and query: the key page, route, path or url of the metadata, or null.';

create or replace function ops.metric_items(
    p_name text,
    p_value numeric,
    p_metadata jsonb,
    p_environment text,
    p_at timestamptz
)
returns ops.counted_item[]
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
declare
    v_value numeric := case when p_value between 0 and 1e12 then p_value end;
    v_item ops.counted_item := row(
        'metric', coalesce(p_environment, 'production'), left(p_name, 100), '', '',
        p_at, 1, null, v_value, false, p_value is not null and v_value is null, null, null, null
    )::ops.counted_item;
    v_of_page ops.counted_item;
begin
    if p_name in ('LCP', 'INP', 'CLS', 'FCP', 'TTFB', 'FID') and ops.page_of(p_metadata) <> '' then
        v_of_page := v_item;
        v_of_page.kind := 'page';
        v_of_page.name := p_name || ' ' || ops.page_of(p_metadata);
        return array[v_item, v_of_page];
    end if;
    return array[v_item];
end
$$;

comment on function ops.metric_items(text, numeric, jsonb, text, timestamptz) is
    'A row of performance_metrics as items: one of its name, and for a Web Vital one of its page.';

create or replace function ops.business_item(
    p_name text,
    p_value numeric,
    p_environment text,
    p_at timestamptz
)
returns ops.counted_item
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
declare
    -- A metric may be below 0 where rules read it; the dashboard's events are not.
    v_value numeric := case when p_value between -1e12 and 1e12 then p_value end;
begin
    return row(
        'business', coalesce(p_environment, 'production'), left(p_name, 100),
        case when v_value < 0 then 'negative' else '' end, '',
        p_at, 1, null, v_value, false, p_value is not null and v_value is null, null, null, null
    )::ops.counted_item;
end
$$;

comment on function ops.business_item(text, numeric, text, timestamptz) is
    'A row of business_metrics as an item. A number below 0 is a part of its own.';

create or replace function ops.parts_as_items(
    p_kind text,
    p_name text,
    p_at timestamptz,
    p_weight integer,
    p_parts text[],
    p_values numeric[]
)
returns ops.counted_item[]
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
begin
    return array(
        select row(
            p_kind, '', left(p_name, 100), part.name, '',
            p_at, p_weight, null, case when part.value between 0 and 1e12 then part.value end, false,
            part.value not between 0 and 1e12, null, null, null
        )::ops.counted_item
        from unnest(p_parts, p_values) as part (name, value)
    );
end
$$;

comment on function ops.parts_as_items(text, text, timestamptz, integer, text[], numeric[]) is
    'A row that holds several numbers as items, one for each.';

create or replace function ops.session_items(
    p_device text,
    p_seconds numeric,
    p_views numeric,
    p_events numeric,
    p_start timestamptz,
    p_weight integer
)
returns ops.counted_item[]
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
begin
    return ops.parts_as_items(
        'session', coalesce(p_device, 'unknown'), p_start, p_weight,
        array['seconds', 'views', 'events'], array[p_seconds, p_views, p_events]
    );
end
$$;

comment on function ops.session_items(text, numeric, numeric, numeric, timestamptz, integer) is
    'A row of user_sessions as items: its seconds, its page views and its events.';

create or replace function ops.feature_items(
    p_feature text,
    p_uses numeric,
    p_success numeric,
    p_duration numeric,
    p_date date,
    p_weight integer
)
returns ops.counted_item[]
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
begin
    return ops.parts_as_items(
        'feature', p_feature,
        case
            when p_date between '2000-01-01' and '2199-12-31'
            then p_date::timestamp at time zone 'UTC' + interval '1 minute'
        end,
        p_weight, array['uses', 'success', 'duration'], array[p_uses, p_success, p_duration]
    );
end
$$;

comment on function ops.feature_items(text, numeric, numeric, numeric, date, integer) is
    'A row of feature_usage as items of the first minute of its date: its uses, its success rate and its duration.';
