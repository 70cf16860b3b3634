-- Objectives: what was promised, and how much of it is used up, as the error budget in
-- minutes and as the Web Vitals of the last day.

create or replace function ops.measure_web_vitals(p_now timestamptz)
returns integer
language plpgsql
set search_path = ''
as $$
declare
    v_measured integer;
begin
    insert into ops.web_vitals (environment, name, p75, views, left_out, measured_at)
    select
        known.environment,
        known.name,
        ops.quantile(seen.buckets, seen.counts, seen.low, seen.high, 0.75),
        seen.measured,
        seen.left_out,
        p_now
    from (
        select environment, name
        from unnest(ops.words('ops.environment')) as environment
        cross join unnest('{LCP,FID,INP,CLS}'::text[]) as name
    ) as known
    cross join lateral ops.measure('metric', known.environment, p_now - interval '24 hours', p_now, known.name) as seen
    where seen.n > 0
    on conflict (environment, name) do update
    set
        p75 = excluded.p75,
        views = excluded.views,
        left_out = excluded.left_out,
        measured_at = excluded.measured_at;
    get diagnostics v_measured = row_count;

    delete from ops.web_vitals where measured_at <> p_now;
    return v_measured;
end
$$;

comment on function ops.measure_web_vitals(timestamptz) is
    'Measures the Web Vitals of the last 24 hours anew, and returns how many there are. The maintenance job does this.';

create or replace function ops.error_budget(p_uptime jsonb, p_seconds integer, p_target numeric)
returns jsonb
language sql
immutable
set search_path = ''
as $$
    select jsonb_build_object(
        'budgetMinutes', round(budget.seconds / 60, 2),
        'minutesLeft', case
            -- If nothing is known of the window, neither is what is left of its budget.
            when p_uptime -> 'percent' <> 'null' then round((budget.seconds - (p_uptime ->> 'down')::numeric) / 60, 2)
        end,
        'percent', p_uptime -> 'percent'
    )
    from (select p_seconds * (100 - p_target) / 100 as seconds) as budget
$$;

comment on function ops.error_budget(jsonb, integer, numeric) is
    'How many minutes a window may be down, and how many of these are left: fewer than 0 if the budget is overspent, null if nothing is known.';

create or replace function ops.burn_rates_document(p_settings jsonb, p_now timestamptz, p_environment text)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_agg(
        jsonb_build_object(
            'rule', rule,
            'factor', factor,
            'longSeconds', long_seconds,
            'longBurn', long_burn,
            'shortSeconds', short_seconds,
            'shortBurn', short_burn,
            'requests', requests,
            'failures', failures,
            'verdict', verdict
        )
        order by long_seconds
    )
    from ops.burn_rates(p_settings, p_now, p_environment)
$$;

comment on function ops.burn_rates_document(jsonb, timestamptz, text) is
    'The burn rates of the error budget as the dashboard shows them.';

create or replace function ops.web_vitals_document(p_environment text, p_settings jsonb, p_now timestamptz)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_object_agg(
        name,
        jsonb_build_object(
            'p75', p75,
            'target', threshold,
            'views', views,
            'measuredAt', measured_at,
            'verdict', verdict
        )
    )
    from ops.judge_web_vitals(p_environment, p_settings, p_now)
$$;

comment on function ops.web_vitals_document(text, jsonb, timestamptz) is
    'The Web Vitals as the dashboard shows them.';

create or replace function ops.dashboard_slo(p_windows jsonb, p_environment text, p_now timestamptz)
returns jsonb
language sql
stable
set search_path = ''
as $$
    with objectives as (
        select
            (settings ->> 'objective.availability_percent')::numeric as availability,
            (settings ->> 'objective.error_rate_percent')::numeric as error_rate,
            (settings ->> 'objective.latency_ms')::numeric as latency_ms,
            settings
        from ops.read_settings() as settings
    )
    select jsonb_build_object(
        'availability', jsonb_build_object(
            'target', availability,
            '30d', ops.error_budget(p_windows -> '30d', 2592000, availability),
            '1y', ops.error_budget(p_windows -> '1y', 31536000, availability)
        ),
        'errorRate', jsonb_build_object(
            'target', error_rate,
            'percent', round(100.0 * counted.failures / nullif(counted.requests, 0), 4),
            'requests', counted.requests,
            'failures', counted.failures
        ),
        'latency', jsonb_build_object(
            'targetMs', latency_ms,
            'percent', round(100.0 * counted.fast / nullif(counted.requests, 0), 4),
            'requests', counted.requests
        ),
        'burnRates', ops.burn_rates_document(settings, p_now, p_environment),
        'webVitals', ops.web_vitals_document(p_environment, settings, p_now)
    )
    from objectives
    cross join lateral ops.sum_requests(p_now - interval '720 hours', p_now, p_now, p_environment) as counted
$$;

comment on function ops.dashboard_slo(jsonb, text, timestamptz) is
    'The objectives over the last 30 days: error budgets in minutes, the error rate and the share of fast answers of the API in %, burn rates and Web Vitals. p_windows is the uptime of the application by window.';
