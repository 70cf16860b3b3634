-- Observations: what each rule sees, from the tick's checks and from the
-- application's own tables.
--
-- Why: every rule lives in one place, here, and gives a verdict per subject;
-- what follows from verdicts is decided by ops.step alone. Reads of the
-- application's tables are ranges of time, which their indexes answer.
-- Read by: the tick; ops.error_rate also by the dashboard.
-- Undo: drop the functions of this file.

set local search_path = '';

-- From checks ----------------------------------------------------------------

create function ops.read_checks(
    p_tick jsonb,
    out name text,
    out kind text,
    out service text,
    out critical boolean,
    out status text,
    out latency_ms numeric,
    out reason text,
    out detail jsonb
)
returns setof record
language sql
immutable
set search_path = ''
as $$
    -- A check that is reported twice counts once.
    select distinct on (reported.name)
        reported.name,
        reported.kind,
        reported.service,
        coalesce(reported.critical, false),
        reported.status,
        reported."latencyMs",
        reported.reason,
        coalesce(nullif(reported.detail, 'null'), '{}')
    from jsonb_to_recordset(p_tick -> 'checks') as reported (
        name text, kind text, service text, critical boolean, status text,
        "latencyMs" numeric, reason text, detail jsonb
    )
    where reported.status <> 'unconfigured'
    order by reported.name
$$;

comment on function ops.read_checks(jsonb) is
    'The checks that a tick reports, without those that are not configured.';

create function ops.observe_checks(p_tick jsonb, p_settings jsonb)
returns setof ops.observation
language sql
stable
set search_path = ''
as $$
    with checks as (
        select
            reported.*,
            coalesce(detail ->> 'url', regexp_replace(name, '^app:', '')) as url,
            coalesce(detail ->> 'host', regexp_replace(name, '^certificate:', '')) as host,
            (detail ->> 'daysLeft')::numeric as days_left,
            (p_settings ->> 'threshold.app_latency_ms')::numeric as latency_limit,
            (p_settings ->> 'threshold.certificate_urgent_days')::numeric as urgent_days,
            (p_settings ->> 'threshold.certificate_warning_days')::numeric as warning_days
        from ops.read_checks(p_tick) as reported
    ),
    observed (rule, subject, verdict, value, threshold, unit, affects, seen) as (
        select
            'app_down',
            url,
            case status when 'down' then 'bad' when 'unknown' then 'insufficient' else 'good' end,
            null::numeric, null::numeric, null, null::text[],
            checks
        from checks
        where kind = 'app'

        union all
        select
            'app_slow',
            url,
            case when status in ('up', 'degraded') then ops.judge(latency_ms, latency_limit, 1, 1) else 'insufficient' end,
            latency_ms, latency_limit, 'ms', null,
            checks
        from checks
        where kind = 'app'

        union all
        select
            'database_failing',
            service,
            case status when 'down' then 'bad' when 'unknown' then 'insufficient' else 'good' end,
            null, null, null, null,
            checks
        from checks
        where kind = 'dependency' and service = 'database'

        union all
        select
            'service_degraded',
            service,
            case
                when status = 'up' then 'good'
                when status = 'degraded' then 'bad'
                -- A database that is down has a rule of its own.
                when status = 'down' and service <> 'database' then 'bad'
                else 'insufficient'
            end,
            null, null, null, array[service],
            checks
        from checks
        where kind = 'dependency'

        union all
        select
            'certificate_urgent',
            host,
            case when days_left < urgent_days then 'bad' when days_left >= urgent_days then 'good' else 'insufficient' end,
            days_left, urgent_days, 'd', null,
            checks
        from checks
        where kind = 'certificate'

        union all
        select
            'certificate_expiring',
            host,
            case
                when days_left >= urgent_days and days_left < warning_days then 'bad'
                -- What is urgent is no longer merely expiring: one message, not two.
                when days_left is not null then 'good'
                else 'insufficient'
            end,
            days_left, warning_days, 'd', null,
            checks
        from checks
        where kind = 'certificate'
    )
    -- Several checks of one subject are as bad as their worst.
    select distinct on (rule, subject)
        rule || ':' || subject,
        rule,
        subject,
        null,
        verdict,
        value,
        threshold,
        unit,
        null::bigint,
        1::bigint,
        jsonb_build_object(
            'reason', (seen).reason,
            'service', (seen).service,
            'detail', (seen).detail
        ) || case when affects is null then '{}' else jsonb_build_object('affects', affects) end,
        null::bigint
    from observed
    order by rule, subject, array_position('{bad,insufficient,good}'::text[], verdict)
$$;

comment on function ops.observe_checks(jsonb, jsonb) is
    'The verdicts on what a tick probed: checked URLs, dependencies and certificates.';

create function ops.observe_unwatched(p_observed text[])
returns setof ops.observation
language sql
stable
set search_path = ''
as $$
    select
        state.fingerprint, state.rule, state.subject, null, 'good', null::numeric, null::numeric, null,
        null::bigint, 1::bigint, jsonb_build_object('reason', 'removed'), null::bigint
    from ops.alert_states as state
    join ops.rules as rule on rule.rule = state.rule
    where rule.signal = 'check'
        and state.fingerprint <> all (p_observed)
$$;

comment on function ops.observe_unwatched(text[]) is
    'What is remembered of checks that are no longer made, as good: nobody would ever resolve it else.';

create function ops.observe_recovery()
returns setof ops.observation
language sql
stable
set search_path = ''
as $$
    select
        fingerprint, rule, subject, null, 'good', null::numeric, null::numeric, null,
        null::bigint, 1::bigint, '{}'::jsonb, null::bigint
    from ops.alert_states
    where rule = 'monitoring_blind' and phase = 'firing'
$$;

comment on function ops.observe_recovery() is
    'A tick that commits is proof that monitoring sees again.';

-- From traffic ---------------------------------------------------------------

create function ops.error_rate(
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
    select
        count(*),
        count(*) filter (where status_code >= 500),
        round(100.0 * count(*) filter (where status_code >= 500) / nullif(count(*), 0), 4)
    from public.api_usage_metrics
    where "timestamp" > p_from and "timestamp" <= p_to
$$;

comment on function ops.error_rate(timestamptz, timestamptz) is
    'The error rate of the API after p_from, up to p_to: requests answered with status 500 or above over all; null without requests. Rules, dashboard and objectives all use this one.';

create function ops.minutes(p_settings jsonb, p_key text)
returns interval
language sql
immutable
set search_path = ''
as $$
    select make_interval(mins => (p_settings ->> p_key)::integer)
$$;

comment on function ops.minutes(jsonb, text) is 'A setting in minutes as an interval.';

create function ops.observe_traffic(p_now timestamptz, p_environment text, p_settings jsonb)
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
    )
    select
        rule || ':app', rule, 'app', null,
        ops.judge(value, threshold, samples, (p_settings ->> 'threshold.minimum_samples')::bigint),
        value, threshold, unit, samples, 1::bigint, jsonb_build_object('service', 'app'), null::bigint
    from figures
$$;

comment on function ops.observe_traffic(timestamptz, text, jsonb) is
    'The verdicts on the API as a whole and on page loads, each over its window.';

create function ops.observe_endpoints(p_now timestamptz, p_settings jsonb)
returns setof ops.observation
language sql
stable
set search_path = ''
as $$
    with measured as (
        select
            -- Without the query, which holds data of people and has no end.
            left(method || ' ' || split_part(endpoint, '?', 1), 300) as subject,
            round((percentile_cont(0.95) within group (order by response_time))::numeric, 3) as value,
            count(*) as samples
        from public.api_usage_metrics
        where "timestamp" > p_now - ops.minutes(p_settings, 'window.endpoint_minutes')
            and "timestamp" <= p_now
        group by 1
    ),
    judged as (
        select
            coalesce(measured.subject, state.subject) as subject,
            case
                when measured.subject is null then 'good'
                else ops.judge(
                    measured.value,
                    (p_settings ->> 'threshold.slow_endpoint_p95_ms')::numeric,
                    measured.samples,
                    (p_settings ->> 'threshold.minimum_samples')::bigint
                )
            end as verdict,
            measured.value,
            coalesce(measured.samples, 0) as samples,
            state.fingerprint is not null as remembered
        from measured
        full join (select * from ops.alert_states where rule = 'endpoint_slow') as state
            on state.subject = measured.subject
    )
    select
        'endpoint_slow:' || subject, 'endpoint_slow', subject, null, verdict, value,
        (p_settings ->> 'threshold.slow_endpoint_p95_ms')::numeric, 'ms', samples,
        1::bigint, jsonb_build_object('service', 'app'), null::bigint
    from judged
    where verdict = 'bad' or remembered
$$;

comment on function ops.observe_endpoints(timestamptz, jsonb) is
    'The verdicts on single endpoints that are slow, or were: one that nobody calls any more is good.';

-- From events ----------------------------------------------------------------

create function ops.observe_events(
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
    with bounds as (
        select
            -- Never less than what happened since the last tick.
            least(p_now - ops.minutes(p_settings, 'window.critical_error_minutes'), p_since) as seen_from,
            p_now - ops.minutes(p_settings, 'alert.event_quiet_minutes') as quiet_from
    ),
    horizon as (
        select
            case
                when exists (select from ops.alert_states where rule in ('critical_error', 'app_alert'))
                then least(seen_from, quiet_from)
                else seen_from
            end as at
        from bounds
    ),
    events (rule, subject, key, severity, at, message, handled, resolved) as (
        select
            'critical_error', 'error', ops.message_key(message), 'critical', "timestamp", message,
            coalesce(resolved, false), coalesce(resolved, false)
        from public.error_logs
        where severity = 'critical'
            and coalesce(environment, 'production') = p_environment
            and "timestamp" > (select at from horizon)
            and "timestamp" <= p_now

        union all
        select
            'app_alert', type, ops.message_key(message), coalesce(ops.severity_of(severity), 'medium'),
            "timestamp", message,
            coalesce(resolved, false) or coalesce(acknowledged, false), coalesce(resolved, false)
        from public.alerts
        where "timestamp" > (select at from horizon)
            and "timestamp" <= p_now
    ),
    grouped as (
        select
            rule,
            case rule when 'app_alert' then 'app:' else rule || ':' end || subject || ':' || key as fingerprint,
            case rule when 'app_alert' then subject else subject || ':' || key end as subject,
            (array_agg(severity order by ops.severity_rank(severity) desc))[1] as severity,
            (array_agg(message order by at desc))[1] as message,
            min(at) filter (where not handled and at > seen_from) as since,
            count(*) filter (where not handled and at > seen_from) as seen,
            count(*) filter (where not handled and at > coalesce(p_since, seen_from)) as fresh,
            bool_and(resolved) as all_resolved
        from events
        cross join bounds
        group by rule, subject, key
    )
    select
        coalesce(grouped.fingerprint, state.fingerprint),
        coalesce(grouped.rule, state.rule),
        coalesce(grouped.subject, state.subject),
        grouped.severity,
        case
            when grouped.seen > 0 then 'bad'
            when grouped.all_resolved then 'good'
            when state.last_bad_at <= bounds.quiet_from then 'good'
            else 'insufficient'
        end,
        null::numeric,
        null::numeric,
        null,
        coalesce(grouped.seen, 0),
        coalesce(grouped.fresh, 0),
        jsonb_strip_nulls(jsonb_build_object(
            'service', 'app',
            'message', left(grouped.message, 500),
            'since', grouped.since
        )),
        null::bigint
    from grouped
    full join (
        select * from ops.alert_states where rule in ('critical_error', 'app_alert')
    ) as state on state.fingerprint = grouped.fingerprint
    cross join bounds
    where grouped.seen > 0 or state.fingerprint is not null
$$;

comment on function ops.observe_events(timestamptz, timestamptz, text, jsonb) is
    'The verdicts on critical errors and on alerts of the application, one per kind of message: bad while new ones come, good once all are marked resolved or after enough silence.';

create function ops.observe_app(
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
    select * from ops.observe_events(p_since, p_now, p_environment, p_settings)
$$;

comment on function ops.observe_app(timestamptz, timestamptz, text, jsonb) is
    'All verdicts that come from the application''s own tables; p_since is the time of the last committed tick.';

revoke all on all functions in schema ops from public, anon, authenticated;
grant execute on all functions in schema ops to service_role;
