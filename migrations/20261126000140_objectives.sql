-- Objectives: what was promised, how much of it is used up, and how fast.
--
-- Why: an error budget turns 99.9 % into minutes, and a burn rate says whether
-- today's errors matter this month. Two windows each: the long one says that
-- it matters, the short one that it goes on. With little traffic a rate says
-- nothing, so nothing is called bad on fewer failures than a minimum.
-- Read by: the tick and the dashboard.
-- Undo: put the former ops.observe_app back, drop the functions and the table,
-- delete the settings and rules of this file.

set local search_path = '';

insert into ops.settings (key, kind, value, default_value, minimum, maximum, unit, description)
select key, kind, value, value, minimum, maximum, unit, description
from (values
    ('objective.availability_percent', 'number', '99.9'::jsonb, 50::numeric, 99.999::numeric, '%', 'Share of time that the app is up: what it may be down is the error budget.'),
    ('objective.error_rate_percent', 'number', '0.1', 0.001, 50, '%', 'Share of requests that may fail; burn rates are multiples of it.'),
    ('objective.latency_ms', 'number', '500', 1, 600000, 'ms', 'What counts as a fast answer of the API; a change counts from the next hour on.'),
    ('objective.minimum_failures', 'integer', '10', 1, 100000, null, 'Failed requests in the longer window below which no burn rate is called bad.'),
    ('objective.fast_burn', 'number', '14.4', 1, 1000, null, 'Burn rate over 1 hour and 5 minutes that calls for action: 2 % of a month''s budget in an hour.'),
    ('objective.steady_burn', 'number', '6', 1, 1000, null, 'Burn rate over 6 hours and 30 minutes that calls for action: 5 % of a month''s budget in six hours.'),
    ('objective.slow_burn', 'number', '1', 0.1, 1000, null, 'Burn rate over 3 days and 6 hours that is worth knowing: 10 % of a month''s budget in three days.'),
    ('threshold.lcp_ms', 'number', '2500', 1, 600000, 'ms', 'Largest Contentful Paint, 75th percentile of a day.'),
    ('threshold.fid_ms', 'number', '100', 1, 600000, 'ms', 'First Input Delay, 75th percentile of a day.'),
    ('threshold.inp_ms', 'number', '200', 1, 600000, 'ms', 'Interaction to Next Paint, 75th percentile of a day.'),
    ('threshold.cls', 'number', '0.1', 0.001, 100, null, 'Cumulative Layout Shift, 75th percentile of a day.'),
    ('threshold.minimum_views', 'integer', '100', 1, 1000000, null, 'Page views of a day below which no Web Vital is called bad.')
) as seed (key, kind, value, minimum, maximum, unit, description);

insert into ops.rules (rule, severity, signal, subject_kind, bad_after, good_after, affects)
values
    ('slo_fast_burn', 'high', 'traffic', 'service', null, null, '{app}'),
    ('slo_slow_burn', 'low', 'traffic', 'service', null, null, '{app}'),
    ('web_vital_poor', 'medium', 'traffic', 'metric', null, null, '{app}');

-- Burn rates -----------------------------------------------------------------

create function ops.judge_burn(
    p_long numeric,
    p_short numeric,
    p_factor numeric,
    p_failures bigint,
    p_minimum bigint
)
returns text
language sql
immutable
parallel safe
set search_path = ''
as $$
    select case
        when p_long is null then 'insufficient'
        when p_long <= p_factor then 'good'
        when p_short is null then 'insufficient'
        when p_short <= p_factor then 'good'
        when p_failures < p_minimum then 'insufficient'
        else 'bad'
    end
$$;

comment on function ops.judge_burn(numeric, numeric, numeric, bigint, bigint) is
    'The verdict on a burn rate: bad if both windows are above the factor and enough requests failed in the long one; nothing is said without requests.';

create function ops.burn_rates(p_settings jsonb, p_now timestamptz)
returns table (
    rule text,
    factor numeric,
    long_seconds integer,
    short_seconds integer,
    long_burn numeric,
    short_burn numeric,
    requests bigint,
    failures bigint,
    verdict text
)
language sql
stable
set search_path = ''
as $$
    with pairs (rule, setting, long_seconds, short_seconds) as (
        values
            ('slo_fast_burn', 'objective.fast_burn', 3600, 300),
            ('slo_fast_burn', 'objective.steady_burn', 21600, 1800),
            ('slo_slow_burn', 'objective.slow_burn', 259200, 21600)
    ),
    burning as (
        select
            counted.*,
            round(
                100.0 * counted.failures
                / nullif(counted.requests, 0)
                / (p_settings ->> 'objective.error_rate_percent')::numeric,
                2
            ) as burn
        from ops.request_windows(
            (select array_agg(pairs.long_seconds) || array_agg(pairs.short_seconds) from pairs),
            (p_settings ->> 'objective.latency_ms')::numeric,
            p_now
        ) as counted
    )
    select
        pairs.rule,
        (p_settings ->> pairs.setting)::numeric,
        pairs.long_seconds,
        pairs.short_seconds,
        long_window.burn,
        short_window.burn,
        long_window.requests,
        long_window.failures,
        ops.judge_burn(
            long_window.burn,
            short_window.burn,
            (p_settings ->> pairs.setting)::numeric,
            long_window.failures,
            (p_settings ->> 'objective.minimum_failures')::bigint
        )
    from pairs
    join burning as long_window on long_window.seconds = pairs.long_seconds
    join burning as short_window on short_window.seconds = pairs.short_seconds
$$;

comment on function ops.burn_rates(jsonb, timestamptz) is
    'How many times faster than the objective allows requests fail, over pairs of windows, and what follows: the one place where the pairs stand.';

create function ops.observe_burn(p_now timestamptz, p_settings jsonb)
returns setof ops.observation
language sql
stable
set search_path = ''
as $$
    -- Several pairs of one rule are as bad as their worst.
    select distinct on (rule)
        rule || ':app', rule, 'app', null, verdict, long_burn, factor, 'x', requests, 1::bigint,
        jsonb_build_object(
            'service', 'app',
            'detail', jsonb_build_object(
                'longSeconds', long_seconds,
                'shortSeconds', short_seconds,
                'shortBurn', short_burn,
                'failures', failures
            )
        ),
        null::bigint
    from ops.burn_rates(p_settings, p_now)
    order by rule, array_position('{bad,insufficient,good}'::text[], verdict), long_seconds
$$;

comment on function ops.observe_burn(timestamptz, jsonb) is
    'The verdicts on the error budget: it burns fast, or slowly.';

-- Web Vitals -----------------------------------------------------------------

create table ops.web_vitals (
    environment text not null,
    name text not null check (name in ('LCP', 'FID', 'INP', 'CLS')),
    p75 numeric not null,
    views bigint not null check (views > 0),
    measured_at timestamptz not null,
    primary key (environment, name)
);

comment on table ops.web_vitals is 'The Web Vitals of the last 24 hours, as the maintenance job measured them last.';
comment on column ops.web_vitals.name is 'As the web-vitals library names them; the application stores them under these names in performance_metrics.';
comment on column ops.web_vitals.p75 is 'Three views in four were as good or better: milliseconds, of CLS a bare number.';

alter table ops.web_vitals enable row level security;

create function ops.measure_web_vitals(p_now timestamptz)
returns integer
language plpgsql
set search_path = ''
as $$
declare
    v_measured integer;
begin
    insert into ops.web_vitals (environment, name, p75, views, measured_at)
    select
        coalesce(environment, 'production'),
        name,
        round((percentile_cont(0.75) within group (order by value))::numeric, 3),
        count(*),
        p_now
    from public.performance_metrics
    where name in ('LCP', 'FID', 'INP', 'CLS')
        and "timestamp" > p_now - interval '24 hours'
        and "timestamp" <= p_now
    group by 1, 2
    on conflict (environment, name) do update
    set p75 = excluded.p75, views = excluded.views, measured_at = excluded.measured_at;
    get diagnostics v_measured = row_count;

    delete from ops.web_vitals where measured_at <> p_now;
    return v_measured;
end
$$;

comment on function ops.measure_web_vitals(timestamptz) is
    'Measures the Web Vitals of the last 24 hours anew; returns how many there are. A day of views is too much for every tick.';

create function ops.judge_web_vitals(p_environment text, p_settings jsonb, p_now timestamptz)
returns table (
    name text,
    p75 numeric,
    threshold numeric,
    unit text,
    views bigint,
    measured_at timestamptz,
    verdict text
)
language sql
stable
set search_path = ''
as $$
    select
        limits.name,
        measured.p75,
        (p_settings ->> limits.setting)::numeric,
        limits.unit,
        coalesce(measured.views, 0),
        measured.measured_at,
        ops.judge(
            measured.p75,
            (p_settings ->> limits.setting)::numeric,
            measured.views,
            (p_settings ->> 'threshold.minimum_views')::bigint
        )
    from (values
        ('LCP', 'threshold.lcp_ms', 'ms'),
        ('FID', 'threshold.fid_ms', 'ms'),
        ('INP', 'threshold.inp_ms', 'ms'),
        ('CLS', 'threshold.cls', null)
    ) as limits (name, setting, unit)
    left join ops.web_vitals as measured
        on measured.name = limits.name
        and measured.environment = p_environment
        -- What nobody has measured for an hour is not known any more.
        and measured.measured_at > p_now - interval '1 hour'
$$;

comment on function ops.judge_web_vitals(text, jsonb, timestamptz) is
    'The Web Vitals against their thresholds.';

create function ops.observe_web_vitals(p_now timestamptz, p_environment text, p_settings jsonb)
returns setof ops.observation
language sql
stable
set search_path = ''
as $$
    select
        'web_vital_poor:' || judged.name, 'web_vital_poor', judged.name, null,
        -- A vital that pages no longer report, as FID, would stay open else.
        case
            when judged.views = 0 and exists (select from ops.web_vitals where measured_at > p_now - interval '1 hour')
            then 'good'
            else judged.verdict
        end,
        judged.p75, judged.threshold, judged.unit, judged.views, 1::bigint,
        jsonb_build_object('service', 'app'), null::bigint
    from ops.judge_web_vitals(p_environment, p_settings, p_now) as judged
    where judged.views > 0
        or exists (select from ops.alert_states where fingerprint = 'web_vital_poor:' || judged.name)
$$;

comment on function ops.observe_web_vitals(timestamptz, text, jsonb) is
    'The verdicts on Web Vitals that pages report, or did.';

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
$$;

-- The dashboard's section ----------------------------------------------------

create function ops.error_budget(p_uptime jsonb, p_seconds integer, p_target numeric)
returns jsonb
language sql
immutable
set search_path = ''
as $$
    select jsonb_build_object(
        'budgetMinutes', round(budget.seconds / 60, 2),
        'minutesLeft', case
            -- Without any knowledge nothing was used and nothing is left.
            when p_uptime -> 'percent' <> 'null' then round((budget.seconds - (p_uptime ->> 'down')::numeric) / 60, 2)
        end,
        'percent', p_uptime -> 'percent'
    )
    from (select p_seconds * (100 - p_target) / 100 as seconds) as budget
$$;

comment on function ops.error_budget(jsonb, integer, numeric) is
    'How many minutes a window may be down, and how many of them are left: less than 0 is overspent, null is not known.';

create function ops.dashboard_slo(p_windows jsonb, p_environment text, p_now timestamptz)
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
    ),
    counted as (
        select month.*
        from objectives
        cross join lateral ops.sum_requests(p_now - interval '720 hours', p_now, latency_ms) as month
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
        'burnRates', (
            select jsonb_agg(
                jsonb_build_object(
                    'rule', rule,
                    'factor', factor,
                    'longSeconds', long_seconds,
                    'longBurn', long_burn,
                    'shortSeconds', short_seconds,
                    'shortBurn', short_burn,
                    'requests', burning.requests,
                    'failures', burning.failures,
                    'verdict', verdict
                )
                order by long_seconds
            )
            from ops.burn_rates(settings, p_now) as burning
        ),
        'webVitals', (
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
            from ops.judge_web_vitals(p_environment, settings, p_now)
        )
    )
    from objectives
    cross join counted
$$;

comment on function ops.dashboard_slo(jsonb, text, timestamptz) is
    'The objectives over the last 30 days: error budgets in minutes, the error rate and the share of fast answers of the API in %, burn rates, Web Vitals. p_windows is the uptime of the application.';

revoke all on all functions in schema ops from public, anon, authenticated;
grant execute on all functions in schema ops to service_role;
