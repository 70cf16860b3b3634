-- What the rules observe of the application's traffic: error rate, response times, page loads
-- and single endpoints. Everything is read from figures, so it costs the same however many
-- rows there are. A number that no clock and no server can have made is in no figure.

create or replace function ops.error_rate(
    p_from timestamptz,
    p_to timestamptz,
    p_environment text,
    out requests bigint,
    out failures bigint,
    out percent numeric
)
language sql
stable
set search_path = ''
as $$
    select requests, failures, round(100.0 * failures / nullif(requests, 0), 4)
    from ops.sum_requests(p_from, p_to, p_to, p_environment)
$$;

comment on function ops.error_rate(timestamptz, timestamptz, text) is
    'The error rate of the API after p_from, up to p_to, which is now: the share of requests that were answered with status 500 or above; null without requests.';

create or replace function ops.observe_traffic(p_now timestamptz, p_environment text, p_settings jsonb)
returns setof ops.observation
language sql
stable
set search_path = ''
as $$
    with figures (rule, value, threshold, unit, samples) as (
        select 'error_rate_high', percent, (p_settings ->> 'threshold.error_rate_percent')::numeric, '%', requests
        from ops.error_rate(p_now - ops.minutes(p_settings, 'window.error_rate_minutes'), p_now, p_environment)

        union all
        select
            'api_slow',
            ops.quantile(buckets, counts, low, high, 0.95),
            (p_settings ->> 'threshold.api_p95_ms')::numeric,
            'ms',
            measured
        from ops.measure(
            'requests', p_environment, p_now - ops.minutes(p_settings, 'window.latency_minutes'), p_now, ''
        )

        union all
        select
            'api_average_slow',
            round(total / nullif(measured, 0), 3),
            (p_settings ->> 'threshold.api_average_ms')::numeric,
            'ms',
            measured
        from ops.measure(
            'requests', p_environment, p_now - ops.minutes(p_settings, 'window.performance_minutes'), p_now, ''
        )

        union all
        select
            'page_load_slow',
            round(total / nullif(measured, 0), 3),
            (p_settings ->> 'threshold.page_load_ms')::numeric,
            'ms',
            measured
        from ops.measure(
            'metric', p_environment, p_now - ops.minutes(p_settings, 'window.performance_minutes'), p_now,
            'page_load_time'
        )
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

create or replace function ops.observe_endpoints(p_now timestamptz, p_environment text, p_settings jsonb)
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
    from ops.judge_endpoints(p_now, p_environment, p_settings) as judged
    full join (select * from ops.alert_states where rule = 'endpoint_slow') as state
        on state.subject = judged.subject
    where judged.verdict = 'bad' or state.fingerprint is not null
$$;

comment on function ops.observe_endpoints(timestamptz, text, jsonb) is
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
    select * from ops.observe_endpoints(p_now, p_environment, p_settings)
    union all
    select * from ops.observe_burn(p_now, p_environment, p_settings)
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
    p_environment text,
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
        select name as subject, ops.quantile(buckets, counts, low, high, 0.95) as value, measured as samples
        from ops.sum_figures(
            'request',
            p_environment,
            ops.window_from('request', p_now - ops.minutes(p_settings, 'window.endpoint_minutes'), p_now),
            p_now
        )
        -- Nobody can mend all the others together.
        where measured > 0 and name <> 'other'
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

comment on function ops.judge_endpoints(timestamptz, text, jsonb) is
    'The verdict on each endpoint that was called within the window.';
