-- The dashboard's sections about the application: performance, errors and business. Every
-- number counts all rows of its range, which begins where ops.window_from says and ends now. A
-- number without data is null; only counts are 0. A row whose number cannot be real is left
-- out of the figures made of that number, as the rules do it, and counted in leftOut.

create or replace function ops.dashboard_endpoints(p_from timestamptz, p_now timestamptz, p_environment text)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
    v_minutes numeric := extract(epoch from p_now - p_from) / 60;
begin
    return (
        select coalesce(
            jsonb_agg(
                jsonb_build_object(
                    'endpoint', name,
                    'requests', n - tallies[7],
                    'throughput', round((n - tallies[7]) / v_minutes, 4),
                    'failedRequests', tallies[5],
                    'errorRate', round(100.0 * tallies[5] / nullif(n - tallies[7], 0), 4),
                    'statusClasses', jsonb_build_object(
                        '1xx', tallies[1], '2xx', tallies[2], '3xx', tallies[3],
                        '4xx', tallies[4] + tallies[6], '5xx', tallies[5]
                    ),
                    'averageResponseTime', round(total / nullif(measured, 0), 3),
                    'p50ResponseTime', quantiles[1],
                    'p95ResponseTime', quantiles[2],
                    'p99ResponseTime', quantiles[3]
                )
                order by n desc, name
            ),
            '[]'
        )
        from ops.sum_figures(
            'request', p_environment, ops.window_from('request', p_from, p_now), p_now, null, 20, 10
        )
        cross join lateral ops.quantiles(buckets, counts, low, high, array[0.50, 0.95, 0.99]) as quantiles
    );
end
$$;

comment on function ops.dashboard_endpoints(timestamptz, timestamptz, text) is
    'The 20 endpoints that were called most: how often, how many calls failed, and how long they took in ms, with percentiles of the first ten.';

create or replace function ops.dashboard_performance(p_from timestamptz, p_now timestamptz, p_environment text)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
    return (
        select jsonb_build_object(
            'averageResponseTime', round(sum(total) / nullif(sum(measured), 0), 3),
            'p50ResponseTime', min(quantiles[1]),
            'p95ResponseTime', min(quantiles[2]),
            'p99ResponseTime', min(quantiles[3]),
            'throughput', round(60 * coalesce(sum(n - tallies[7]), 0) / extract(epoch from p_now - p_from), 4),
            'requests', coalesce(sum(n - tallies[7]), 0),
            -- The memory of an instance is added by the function that answers.
            'memoryUsage', null,
            'cpuUsage', ops.host_busy_percent(p_now),
            'endpoints', ops.dashboard_endpoints(p_from, p_now, p_environment),
            'leftOut', jsonb_build_object(
                'responseTimes', coalesce(sum(left_out), 0), 'statusCodes', coalesce(sum(tallies[7]), 0)
            )
        )
        -- All requests have one name.
        from ops.sum_figures('requests', p_environment, ops.window_from('requests', p_from, p_now), p_now)
        cross join lateral ops.quantiles(buckets, counts, low, high, array[0.50, 0.95, 0.99]) as quantiles
    );
end
$$;

comment on function ops.dashboard_performance(timestamptz, timestamptz, text) is
    'Response times of all API calls in ms, throughput in requests per minute, the endpoints, and how many response times and status codes were left out.';

create or replace function ops.recent_errors(p_from timestamptz, p_now timestamptz, p_environment text)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
    return (
        with kinds as (
            select
                name as key,
                sum(n) as occurrences,
                array[sum(tallies[1]), sum(tallies[2]), sum(tallies[3]), sum(tallies[4])] as severities,
                min(first_at) as first_seen,
                max(last_at) as last_seen
            from ops.read_figures('error', p_environment, ops.window_from('error', p_from, p_now), p_now)
            group by name
            order by max(last_at) desc, name
            limit 20
        ),
        told as (
            select kinds.*, newest.message, newest.category
            from kinds
            cross join lateral (
                select sample as message, category, last_at as at
                from ops.pending_figures
                where kind = 'error' and environment = p_environment and name = kinds.key and at < p_now
                union all
                select message, category, last_seen
                from ops.error_groups as known
                where known.environment = p_environment and known.key = kinds.key
                order by at desc
                limit 1
            ) as newest
        )
        select coalesce(
            jsonb_agg(
                jsonb_build_object(
                    'message', message,
                    'severity', case
                        when severities[4] > 0 then 'critical'
                        when severities[3] > 0 then 'high'
                        when severities[2] > 0 then 'medium'
                        else 'low'
                    end,
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
        from told
    );
end
$$;

comment on function ops.recent_errors(timestamptz, timestamptz, text) is
    'The 20 kinds of error that were seen last, grouped by normalised message, each with its newest message.';

create or replace function ops.dashboard_errors(p_from timestamptz, p_now timestamptz, p_environment text)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
    return (
        with categories as (
            select name as category, n as errors, tallies[4] as critical
            from ops.sum_figures('errors', p_environment, ops.window_from('errors', p_from, p_now), p_now)
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
        from ops.error_rate(p_from, p_now, p_environment) as rate
        left join categories on true
    );
end
$$;

comment on function ops.dashboard_errors(timestamptz, timestamptz, text) is
    'How many errors were logged, by category and by kind, and the error rate of the API in %.';

create or replace function ops.dashboard_business(p_from timestamptz, p_now timestamptz, p_environment text)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
    return (
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
            select name as event, n
            from ops.sum_figures('event', p_environment, ops.window_from('event', p_from, p_now), p_now)
        ),
        metrics as materialized (
            select name, part, n, left_out, measured, total, low, high
            from ops.sum_figures(
                'business', p_environment, ops.window_from('business', p_from, p_now), p_now, null, 500, 0
            )
        ),
        most as (
            select * from metrics where part = '' and measured > 0 order by n desc, name limit 50
        ),
        -- The application may count an event itself instead of logging it. An event that
        -- it does both with is counted once, from the log.
        counted as (
            select name as event, round(total) as n
            from metrics
            where part = ''
                and measured > 0
                and name in (select event from known)
                and name not in (select event from events)
        ),
        totals as (
            select event, n from events union all select event, n from counted
        ),
        figures as (
            select jsonb_object_agg(known.key, coalesce(totals.n, 0)) as document
            from known
            left join totals on totals.event = known.event
        )
        select figures.document || jsonb_build_object(
            'conversionRate', round(
                100 * (figures.document ->> 'tasteProfilesCompleted')::numeric
                / nullif((figures.document ->> 'usersRegistered')::numeric, 0),
                2
            ),
            'events', coalesce((select jsonb_object_agg(event, n) from totals), '{}'),
            'metrics', (
                select coalesce(
                    jsonb_object_agg(
                        name,
                        jsonb_build_object(
                            'count', measured,
                            'sum', round(total, 3),
                            'average', round(total / nullif(measured, 0), 3),
                            'lowest', low,
                            'highest', high
                        )
                    ),
                    '{}'
                )
                from most
            ),
            'leftOut', (
                select coalesce(sum(left_out) + coalesce(sum(n) filter (where part = 'negative'), 0), 0) from metrics
            )
        )
        from figures
    );
end
$$;

comment on function ops.dashboard_business(timestamptz, timestamptz, text) is
    'How often each event of the application happened in the range, the completed taste profiles per registration in %, which are null without registrations, the figures that the application counts itself, the 50 that it wrote most, and how many of these were left out.';
