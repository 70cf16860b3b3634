-- What the rules observe of objectives: how fast the error budget burns, and poor Web Vitals.
-- A burn rate is measured over two windows: the long one shows that it matters, the short one
-- that it goes on. With little traffic a rate says nothing, so fewer failed requests than a
-- minimum are never bad.

create or replace function ops.judge_burn(
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
    'The verdict on a burn rate: bad if it is above the factor in both windows and enough requests failed in the long one. Without requests it is insufficient.';

create or replace function ops.burn_rates(p_settings jsonb, p_now timestamptz, p_environment text)
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
            (select array_agg(pairs.long_seconds) || array_agg(pairs.short_seconds) from pairs), p_now, p_environment
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

comment on function ops.burn_rates(jsonb, timestamptz, text) is
    'How many times faster than the objective allows requests fail, over pairs of windows, with the verdict on each pair. The pairs are listed only here.';

create or replace function ops.observe_burn(p_now timestamptz, p_environment text, p_settings jsonb)
returns setof ops.observation
language sql
stable
set search_path = ''
as $$
    -- A rule that has several pairs is as bad as its worst.
    select distinct on (rule)
        ops.make_observation(
            rule, 'app', verdict, long_burn, factor, 'x', requests,
            p_facts => jsonb_build_object(
                'service', 'app',
                'detail', jsonb_build_object(
                    'longSeconds', long_seconds,
                    'shortSeconds', short_seconds,
                    'shortBurn', short_burn,
                    'failures', failures
                )
            )
        )
    from ops.burn_rates(p_settings, p_now, p_environment)
    order by rule, array_position('{bad,insufficient,good}'::text[], verdict), long_seconds
$$;

comment on function ops.observe_burn(timestamptz, text, jsonb) is
    'The verdicts on the error budget: whether it burns fast, and whether it burns slowly.';

create or replace function ops.judge_web_vitals(p_environment text, p_settings jsonb, p_now timestamptz)
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
        -- A measurement that is an hour old no longer counts.
        and measured.measured_at > p_now - interval '1 hour'
$$;

comment on function ops.judge_web_vitals(text, jsonb, timestamptz) is
    'The Web Vitals with their thresholds and the verdict on each.';

create or replace function ops.observe_web_vitals(p_now timestamptz, p_environment text, p_settings jsonb)
returns setof ops.observation
language sql
stable
set search_path = ''
as $$
    select ops.make_observation(
        'web_vital_poor',
        judged.name,
        -- Otherwise an alert about a vital that pages stop reporting, as FID, would stay open.
        case
            when judged.views = 0 and exists (select from ops.web_vitals where measured_at > p_now - interval '1 hour')
            then 'good'
            else judged.verdict
        end,
        judged.p75, judged.threshold, judged.unit, judged.views,
        p_facts => jsonb_build_object('service', 'app')
    )
    from ops.judge_web_vitals(p_environment, p_settings, p_now) as judged
    where judged.views > 0
        or exists (select from ops.alert_states where fingerprint = 'web_vital_poor:' || judged.name)
$$;

comment on function ops.observe_web_vitals(timestamptz, text, jsonb) is
    'The verdicts on the Web Vitals that pages report, and on those whose earlier verdict is remembered.';
