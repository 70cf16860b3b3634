-- What the rules observe in the application's own tables: error rate, response times, page
-- loads and single endpoints. Every read is a range of time that an index of its table
-- answers. A number that no clock and no server can have made is left out of its figure: NaN,
-- infinity, less than 0 or more than a million million, and no status code of HTTP. The
-- condition is written out wherever a figure is made, because a function would be called once
-- a row.

create or replace function ops.error_rate(
    p_from timestamptz,
    p_to timestamptz,
    out requests bigint,
    out failures bigint,
    out percent numeric
)
language sql
stable
set search_path = ''
as $$
    select requests, failures, round(100.0 * failures / nullif(requests, 0), 4)
    from ops.count_requests(p_from, p_to, null)
$$;

comment on function ops.error_rate(timestamptz, timestamptz) is
    'The error rate of the API after p_from, up to p_to: the share of requests that were answered with status 500 or above; null without requests.';

create or replace function ops.observe_traffic(p_now timestamptz, p_environment text, p_settings jsonb)
returns setof ops.observation
language sql
stable
set search_path = ''
as $$
    with figures (rule, value, threshold, unit, samples) as (
        select 'error_rate_high', percent, (p_settings ->> 'threshold.error_rate_percent')::numeric, '%', requests
        from ops.error_rate(p_now - ops.minutes(p_settings, 'window.error_rate_minutes'), p_now)

        union all
        select
            'api_slow',
            round((percentile_cont(0.95) within group (order by response_time))::numeric, 3),
            (p_settings ->> 'threshold.api_p95_ms')::numeric,
            'ms',
            count(*)
        from public.api_usage_metrics
        where "timestamp" > p_now - ops.minutes(p_settings, 'window.latency_minutes')
            and "timestamp" <= p_now
            and response_time between 0 and 1e12

        union all
        select
            'api_average_slow',
            round(avg(response_time), 3),
            (p_settings ->> 'threshold.api_average_ms')::numeric,
            'ms',
            count(*)
        from public.api_usage_metrics
        where "timestamp" > p_now - ops.minutes(p_settings, 'window.performance_minutes')
            and "timestamp" <= p_now
            and response_time between 0 and 1e12

        union all
        select
            'page_load_slow',
            round(avg(value), 3),
            (p_settings ->> 'threshold.page_load_ms')::numeric,
            'ms',
            count(*)
        from public.performance_metrics
        where name = 'page_load_time'
            and coalesce(environment, 'production') = p_environment
            and "timestamp" > p_now - ops.minutes(p_settings, 'window.performance_minutes')
            and "timestamp" <= p_now
            and value between 0 and 1e12
    )
    select ops.make_observation(
        rule, 'app',
        ops.judge(value, threshold, samples, (p_settings ->> 'threshold.minimum_samples')::bigint),
        value, threshold, unit, samples,
        p_facts => jsonb_build_object('service', 'app')
    )
    from figures
$$;

comment on function ops.observe_traffic(timestamptz, text, jsonb) is
    'The verdicts on the API as a whole and on page loads, each over a window of its own.';

create or replace function ops.observe_endpoints(p_now timestamptz, p_settings jsonb)
returns setof ops.observation
language sql
stable
set search_path = ''
as $$
    select ops.make_observation(
        'endpoint_slow',
        coalesce(judged.subject, state.subject),
        coalesce(judged.verdict, 'good'),
        judged.value,
        (p_settings ->> 'threshold.slow_endpoint_p95_ms')::numeric,
        'ms',
        coalesce(judged.samples, 0),
        p_facts => jsonb_build_object('service', 'app')
    )
    from ops.judge_endpoints(p_now, p_settings) as judged
    full join (select * from ops.alert_states where rule = 'endpoint_slow') as state
        on state.subject = judged.subject
    where judged.verdict = 'bad' or state.fingerprint is not null
$$;

comment on function ops.observe_endpoints(timestamptz, jsonb) is
    'The verdicts on single endpoints that are slow or were remembered as slow. An endpoint that nobody calls any more is good.';

create or replace function ops.observe_app(
    p_since timestamptz,
    p_now timestamptz,
    p_environment text,
    p_settings jsonb
)
returns setof ops.observation
language sql
stable
set search_path = ''
as $$
    select * from ops.observe_traffic(p_now, p_environment, p_settings)
    union all
    select * from ops.observe_endpoints(p_now, p_settings)
    union all
    select * from ops.observe_burn(p_now, p_settings)
    union all
    select * from ops.observe_web_vitals(p_now, p_environment, p_settings)
    union all
    select * from ops.observe_events(p_since, p_now, p_environment, p_settings)
    union all
    select * from ops.observe_issues(p_now, p_environment, p_settings)
$$;

comment on function ops.observe_app(timestamptz, timestamptz, text, jsonb) is
    'All verdicts that come from the application''s own tables: traffic, endpoints, the error budget, Web Vitals and events. p_since is when the last tick was committed.';

create or replace function ops.judge_endpoints(
    p_now timestamptz,
    p_settings jsonb,
    out subject text,
    out verdict text,
    out value numeric,
    out samples bigint
)
returns setof record
language sql
stable
set search_path = ''
as $$
    with measured as (
        select
            -- The query is left out: it holds personal data, and its variety has no end.
            left(method || ' ' || split_part(endpoint, '?', 1), 300) as subject,
            round((percentile_cont(0.95) within group (order by response_time))::numeric, 3) as value,
            count(*) as samples
        from public.api_usage_metrics
        where "timestamp" > p_now - ops.minutes(p_settings, 'window.endpoint_minutes')
            and "timestamp" <= p_now
            and response_time between 0 and 1e12
        group by 1
    )
    select
        measured.subject,
        ops.judge(
            measured.value,
            (p_settings ->> 'threshold.slow_endpoint_p95_ms')::numeric,
            measured.samples,
            (p_settings ->> 'threshold.minimum_samples')::bigint
        ),
        measured.value,
        measured.samples
    from measured
$$;

comment on function ops.judge_endpoints(timestamptz, jsonb) is
    'The verdict on each endpoint that was called within the window.';
