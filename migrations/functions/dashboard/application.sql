-- The dashboard's sections about the application: performance, errors and business. Every
-- number is computed from all rows of its range, which is after p_from and up to p_now. A
-- number without data is null; only counts are 0. A row whose number cannot be real is left
-- out of the figures made of that number, as the rules do it, and counted in leftOut.

create or replace function ops.active_users(p_from timestamptz, p_to timestamptz, p_environment text)
returns bigint
language sql
stable
set search_path = ''
as $$
    select count(*)
    from (
        select user_id
        from public.analytics_events
        where "timestamp" > p_from
            and "timestamp" <= p_to
            and coalesce(environment, 'production') = p_environment
            and user_id is not null
        union
        select user_id
        from public.api_usage_metrics
        where "timestamp" > p_from and "timestamp" <= p_to and user_id is not null
    ) as people
$$;

comment on function ops.active_users(timestamptz, timestamptz, text) is
    'How many different people caused an event or an API call in the range.';

create or replace function ops.dashboard_performance(p_from timestamptz, p_now timestamptz, p_environment text)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_build_object(
        'averageResponseTime', round(avg(measured), 3),
        'p50ResponseTime', round((percentile_cont(0.50) within group (order by measured))::numeric, 3),
        'p95ResponseTime', round((percentile_cont(0.95) within group (order by measured))::numeric, 3),
        'p99ResponseTime', round((percentile_cont(0.99) within group (order by measured))::numeric, 3),
        'throughput', round(60 * count(status) / extract(epoch from p_now - p_from), 4),
        'requests', count(status),
        'activeUsers', ops.active_users(p_from, p_now, p_environment),
        -- The database knows neither of these two.
        'memoryUsage', null,
        'cpuUsage', null,
        'leftOut', jsonb_build_object(
            'responseTimes', count(response_time) - count(measured),
            'statusCodes', count(*) - count(status)
        )
    )
    from (
        select
            response_time,
            case when response_time between 0 and 1e12 then response_time end as measured,
            case when status_code between 100 and 599 then status_code end as status
        from public.api_usage_metrics
        where "timestamp" > p_from and "timestamp" <= p_now
    ) as calls
$$;

comment on function ops.dashboard_performance(timestamptz, timestamptz, text) is
    'Response times of all API calls in ms, throughput in requests per minute, how many people were active, and how many response times and status codes were left out.';

create or replace function ops.recent_errors(p_from timestamptz, p_now timestamptz, p_environment text)
returns jsonb
language sql
stable
set search_path = ''
as $$
    with newest as (
        -- This bounds the work when errors come in floods; dashboard_errors counts them all.
        select message, severity, coalesce(context ->> 'category', 'unknown') as category, "timestamp" as at
        from public.error_logs
        where "timestamp" > p_from
            and "timestamp" <= p_now
            and coalesce(environment, 'production') = p_environment
        order by "timestamp" desc
        limit 10000
    ),
    -- Equal messages are grouped first, because normalising costs more than comparing.
    messages as (
        select message, severity, category, count(*) as occurrences, min(at) as first_seen, max(at) as last_seen
        from newest
        group by message, severity, category
    ),
    kinds as (
        select
            ops.message_key(message) as key,
            (array_agg(message order by last_seen desc))[1] as message,
            (array_agg(severity order by ops.severity_rank(severity) desc))[1] as severity,
            (array_agg(category order by last_seen desc))[1] as category,
            sum(occurrences) as occurrences,
            min(first_seen) as first_seen,
            max(last_seen) as last_seen
        from messages
        group by 1
        order by max(last_seen) desc, 1
        limit 20
    )
    select coalesce(
        jsonb_agg(
            jsonb_build_object(
                'message', left(message, 500),
                'severity', severity,
                'category', category,
                'timestamp', last_seen,
                'count', occurrences,
                'firstSeen', first_seen,
                'fingerprint', 'error:' || key
            )
            order by last_seen desc, key
        ),
        '[]'
    )
    from kinds
$$;

comment on function ops.recent_errors(timestamptz, timestamptz, text) is
    'The 20 kinds of error that were seen last, grouped by normalised message, from the newest 10,000 rows of the range.';

create or replace function ops.dashboard_errors(p_from timestamptz, p_now timestamptz, p_environment text)
returns jsonb
language sql
stable
set search_path = ''
as $$
    with categories as (
        select
            coalesce(context ->> 'category', 'unknown') as category,
            count(*) as errors,
            count(*) filter (where severity = 'critical') as critical
        from public.error_logs
        where "timestamp" > p_from
            and "timestamp" <= p_now
            and coalesce(environment, 'production') = p_environment
        group by 1
    )
    select jsonb_build_object(
        'totalErrors', coalesce(sum(categories.errors), 0),
        'criticalErrors', coalesce(sum(categories.critical), 0),
        'errorsByCategory', coalesce(jsonb_object_agg(category, errors) filter (where category is not null), '{}'),
        'errorRate', min(rate.percent),
        'failedRequests', min(rate.failures),
        'requests', min(rate.requests),
        'recentErrors', ops.recent_errors(p_from, p_now, p_environment)
    )
    from ops.error_rate(p_from, p_now) as rate
    left join categories on true
$$;

comment on function ops.dashboard_errors(timestamptz, timestamptz, text) is
    'How many errors were logged, by category and by kind, and the error rate of the API in %.';

create or replace function ops.dashboard_business(p_from timestamptz, p_now timestamptz, p_environment text)
returns jsonb
language sql
stable
set search_path = ''
as $$
    with known (event, key) as (
        values
            ('wine_added', 'winesAdded'),
            ('recommendation_generated', 'recommendationsGenerated'),
            ('ai_query_processed', 'aiQueriesProcessed'),
            ('image_processed', 'imageProcessingRequests'),
            ('user_registered', 'usersRegistered'),
            ('taste_profile_completed', 'tasteProfilesCompleted'),
            ('wine_consumed', 'winesConsumed'),
            ('food_pairing_requested', 'foodPairingsRequested')
    ),
    events as (
        select event_name as event, count(*) as n
        from public.analytics_events
        where "timestamp" > p_from
            and "timestamp" <= p_now
            and coalesce(environment, 'production') = p_environment
        group by event_name
    ),
    -- The application may count an event itself instead of logging it. An event that
    -- it does both with is counted once, from the log.
    counted as (
        select
            metric_name as event,
            round(sum(metric_value) filter (where metric_value between 0 and 1e12)) as n,
            count(*) filter (where metric_value not between 0 and 1e12) as left_out
        from public.business_metrics
        where "timestamp" > p_from
            and "timestamp" <= p_now
            and coalesce(environment, 'production') = p_environment
            and metric_name in (select event from known)
            and metric_name not in (select event from events)
        group by metric_name
    ),
    totals as (
        select event, n from events union all select event, n from counted where n is not null
    ),
    figures as (
        select jsonb_object_agg(known.key, coalesce(totals.n, 0)) as document
        from known
        left join totals on totals.event = known.event
    )
    select figures.document || jsonb_build_object(
        'dailyActiveUsers', ops.active_users(p_now - interval '24 hours', p_now, p_environment),
        'conversionRate', round(
            100 * (figures.document ->> 'tasteProfilesCompleted')::numeric
            / nullif((figures.document ->> 'usersRegistered')::numeric, 0),
            2
        ),
        'events', coalesce((select jsonb_object_agg(event, n) from totals), '{}'),
        'leftOut', (select coalesce(sum(left_out), 0) from counted)
    )
    from figures
$$;

comment on function ops.dashboard_business(timestamptz, timestamptz, text) is
    'How often each event of the application happened in the range, how many people were active in the last 24 hours, the completed taste profiles per registration in %, which are null without registrations, and how many metrics were left out.';
