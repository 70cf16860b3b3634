-- Counting what comes in by the door. Several sources may bring the same: the application
-- writes its requests itself, and a drain of the platform tells of them too. So each kind of
-- item is counted from one source: from the application's own rows if there were any of the
-- kind lately, else from the first of the door's sources that brought it. The others are kept
-- as items and are in no figure.

create or replace function ops.source_rank(p_source text)
returns integer
language sql
immutable
parallel safe
set search_path = ''
as $$
    -- Clients of one protocol call themselves by what they send.
    select coalesce(array_position('{own,vercel,otlp,sentry,supabase}'::text[], split_part(p_source, ' ', 1)), 9)
$$;

comment on function ops.source_rank(text) is
    'Which source of the door is counted where several bring the same: the one with the least number.';

create or replace function ops.app_writes(p_kind text, p_since timestamptz, p_now timestamptz)
returns boolean
language plpgsql
stable
set search_path = ''
as $$
begin
    -- A row from the future, of which one is enough, says nothing of now.
    return case p_kind
        when 'request' then exists (
            select from public.api_usage_metrics where "timestamp" > p_since and "timestamp" <= p_now
        )
        when 'event' then exists (
            select from public.analytics_events where "timestamp" > p_since and "timestamp" <= p_now
        )
        when 'error' then exists (
            select from public.error_logs where "timestamp" > p_since and "timestamp" <= p_now
        )
        when 'metric' then exists (
            select from public.business_metrics where "timestamp" > p_since and "timestamp" <= p_now
        )
        when 'visit' then exists (
            select from public.user_sessions where session_start > p_since and session_start <= p_now
        )
        when 'web_vital' then exists (
            select
            from public.performance_metrics
            where name in ('LCP', 'INP', 'CLS', 'FCP', 'TTFB', 'FID') and "timestamp" > p_since and "timestamp" <= p_now
        )
        else false
    end;
end
$$;

comment on function ops.app_writes(text, timestamptz, timestamptz) is
    'Whether the application wrote rows of its own of a kind of item, or of visits, since a time.';

create or replace function ops.is_counted(p_kind text, p_environment text, p_source text, p_now timestamptz)
returns boolean
language plpgsql
stable
set search_path = ''
as $$
declare
    v_since timestamptz := ops.sources_since(p_now);
begin
    return not ops.app_writes(p_kind, v_since, p_now) and not exists (
        select
        from ops.figure_sources as other
        -- Visits are known from page views and events.
        where other.kind = case p_kind when 'visit' then 'page_view' else p_kind end
            and other.environment = p_environment
            and other.written_at > v_since
            and ops.source_rank(other.source) < ops.source_rank(p_source)
    );
end
$$;

comment on function ops.is_counted(text, text, text, timestamptz) is
    'Whether items of a kind, or visits, are counted from a source: neither the application nor a source before it has brought any lately.';

create or replace function ops.sources_since(p_now timestamptz)
returns timestamptz
language sql
stable
set search_path = ''
as $$
    select p_now - make_interval(hours => (value #>> '{}')::integer)
    from ops.settings
    where key = 'figures.source_quiet_hours'
$$;

comment on function ops.sources_since(timestamptz) is
    'Since when a source must have brought nothing for the next one to be counted.';

create or replace function ops.is_visitor(p_person text)
returns boolean
language sql
immutable
parallel safe
set search_path = ''
as $$
    select p_person ~ '^(v-[0-9a-f]{32}$|vercel-)'
$$;

comment on function ops.is_visitor(text) is
    'Whether that is what is left of somebody whom nobody knows, and good for a day: our own hash, or the number of Vercel''s for a device.';

create or replace function ops.dependency_item(p_item ops.items)
returns ops.counted_item
language plpgsql
immutable
set search_path = ''
as $$
declare
    v_failed boolean := coalesce(p_item.status >= 500 or p_item.detail -> 'failed' = 'true', false);
    v_ms numeric := case when p_item.value between 0 and 1e12 then p_item.value end;
begin
    return row(
        'dependency', p_item.environment,
        left(case p_item.kind when 'request' then 'supabase ' else '' end || p_item.name, 300), '', '',
        p_item.at, 1, case when v_failed then 5 when p_item.status >= 400 then 4 else 2 end,
        v_ms, false, p_item.value is not null and v_ms is null, null, null, null
    )::ops.counted_item;
end
$$;

comment on function ops.dependency_item(ops.items) is
    'A request that the application made as an item to be counted: failed or answered with 500 or more, refused, or fine.';

create or replace function ops.release_item(p_item ops.items, p_part text, p_weight integer, p_value numeric default null)
returns ops.counted_item
language plpgsql
immutable
set search_path = ''
as $$
begin
    return row(
        'release', p_item.environment, p_item.release, p_part, '', p_item.at, p_weight, null, p_value, false, false,
        null, null, null
    )::ops.counted_item;
end
$$;

comment on function ops.release_item(ops.items, text, integer, numeric) is
    'What happened in a version of the application, as an item to be counted.';

create or replace function ops.visit_ends(p_item ops.items)
returns ops.counted_item[]
language plpgsql
immutable
set search_path = ''
as $$
declare
    v_ends integer[];
begin
    if p_item.release is null then
        return array[]::ops.counted_item[];
    elsif p_item.name = 'sessions' then
        select array_agg(coalesce(least(greatest((p_item.detail ->> word)::float8, 0), 1000000), 0)::integer order by nth)
        into v_ends
        from unnest('{exited,abnormal,errored,crashed,unhandled}'::text[]) with ordinality as listed (word, nth);
        return array[
            ops.release_item(p_item, 'sessions', v_ends[1] + v_ends[2] + v_ends[3] + v_ends[4] + v_ends[5]),
            ops.release_item(p_item, 'crashed', v_ends[4] + v_ends[5]),
            ops.release_item(p_item, 'errored', v_ends[3])
        ];
    end if;
    -- The beginning of a visit comes once, and so does its end.
    return array[
        ops.release_item(p_item, 'sessions', case when p_item.detail -> 'init' = 'true' then 1 else 0 end),
        ops.release_item(p_item, 'crashed', case when p_item.name in ('crashed', 'unhandled') then 1 else 0 end),
        ops.release_item(p_item, 'errored', case when p_item.name = 'errored' then 1 else 0 end)
    ];
end
$$;

comment on function ops.visit_ends(ops.items) is
    'How visits of a version of the application ended, of one visit or of the visits of a minute, as items to be counted.';

create or replace function ops.vital_items(p_item ops.items)
returns ops.counted_item[]
language plpgsql
stable
set search_path = ''
as $$
declare
    v_part text := case p_item.detail ->> 'navigationType' when 'soft-navigation' then 'soft' else '' end;
    v_items ops.counted_item[];
    v_item ops.counted_item;
begin
    foreach v_item in array ops.metric_items(
        p_item.name, p_item.value::numeric, p_item.detail, p_item.environment, p_item.at
    ) loop
        v_item.part := v_part;
        v_items := v_items || v_item;
    end loop;
    if p_item.release is not null and p_item.name in ('LCP', 'INP', 'CLS', 'FCP', 'TTFB', 'FID')
        and p_item.value between 0 and 1e12
    then
        v_items := v_items
            || ops.release_item(p_item, rtrim(p_item.name || ' ' || v_part), 1, p_item.value::numeric);
    end if;
    return v_items;
end
$$;

comment on function ops.vital_items(ops.items) is
    'A Web Vital as items to be counted: one of its name, one of its page and one of its version of the application, of pages that were loaded and of those that were changed without apart.';

create or replace function ops.figures_of_item(p_item ops.items, p_fast_ms numeric, p_begins_visits boolean)
returns ops.counted_item[]
language plpgsql
stable
set search_path = ''
as $$
declare
    v_person bigint := case when not ops.is_visitor(p_item.person) then ops.hash_id(p_item.person) end;
    v_item ops.counted_item;
    v_error jsonb;
begin
    case p_item.kind
        when 'request' then
            if p_item.source = 'supabase' then
                return array[ops.dependency_item(p_item)];
            end if;
            v_item := ops.request_item(
                p_item.name, coalesce(p_item.method, 'ANY'), p_item.status, p_item.value::numeric, null, p_item.at, p_fast_ms
            );
            v_item.environment := p_item.environment;
            v_item.person := v_person;
            return array[v_item];
        when 'span' then
            return array[ops.dependency_item(p_item)];
        when 'event', 'page_view' then
            v_item := ops.event_item(
                p_item.name, null, case when p_begins_visits then p_item.session end, p_item.environment, p_item.at
            );
            v_item.person := v_person;
            if p_item.kind = 'page_view' then
                v_item.kind := 'view';
                v_item.name := left(p_item.name, 200);
            end if;
            if p_item.release is null then
                return array[v_item];
            elsif p_item.kind = 'page_view' then
                return array[v_item, ops.release_item(p_item, 'views', 1)];
            end if;
            return array[v_item] || row(
                'adoption', p_item.environment, v_item.name || ' ' || p_item.release, '', '',
                p_item.at, 1, null, null, false, false, null, null, null
            )::ops.counted_item;
        when 'error' then
            v_error := p_item.detail -> 'issue';
            v_item := ops.error_item(
                coalesce(v_error ->> 'title', p_item.detail ->> 'message', p_item.name), ops.issue_severity(p_item),
                ops.issue_category(p_item.detail), p_item.environment, p_item.at
            );
            v_item.name := coalesce(left(v_error ->> 'key', 200), v_item.name);
            if p_item.release is null then
                return array[v_item];
            end if;
            return array[v_item, ops.release_item(p_item, 'errors', 1)];
        when 'web_vital' then
            return ops.vital_items(p_item);
        when 'session' then
            return ops.visit_ends(p_item);
        when 'metric' then
            return array[
                ops.business_item(p_item.name, p_item.value::numeric, p_item.environment, p_item.at)
            ];
        when 'report' then
            return array[row(
                'report', p_item.environment, p_item.name, '', '', p_item.at, 1, null, null, false, false, null, null, null
            )::ops.counted_item];
        else
            return array[]::ops.counted_item[];
    end case;
end
$$;

comment on function ops.figures_of_item(ops.items, numeric, boolean) is
    'What came in by the door, as items to be counted. An answer in less than p_fast_ms is fast. Session ids are counted if p_begins_visits, which they are not where the application''s own events have theirs.';
