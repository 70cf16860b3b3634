-- What the rules observe of the application's URLs and of the services it depends on, in the
-- checks that a tick reports. Each subject gets a verdict; ops.step alone decides what
-- follows from it.

create or replace function ops.read_checks(
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
language plpgsql
immutable
set search_path = ''
as $$
begin
    return query
    -- A check that a tick reports twice counts once.
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
    order by reported.name;
end
$$;

comment on function ops.read_checks(jsonb) is
    'The checks that a tick reports, except those that are not configured.';

create or replace function ops.facts_of_check(p_reason text, p_service text, p_detail jsonb)
returns jsonb
language sql
immutable
set search_path = ''
as $$
    select jsonb_build_object('reason', p_reason, 'service', p_service, 'detail', p_detail)
$$;

comment on function ops.facts_of_check(text, text, jsonb) is 'What an observation of a check remembers beside its verdict.';

create or replace function ops.observe_urls(p_tick jsonb, p_settings jsonb)
returns setof ops.observation
language sql
stable
set search_path = ''
as $$
    with checks as (
        select
            status,
            latency_ms,
            coalesce(detail ->> 'url', regexp_replace(name, '^app:', '')) as url,
            (p_settings ->> 'threshold.app_latency_ms')::numeric as latency_limit,
            ops.facts_of_check(reason, service, detail) as facts
        from ops.read_checks(p_tick)
        where kind = 'app'
    )
    select ops.make_observation(
        'app_down', url,
        case status when 'down' then 'bad' when 'unknown' then 'insufficient' else 'good' end,
        p_facts => facts
    )
    from checks

    union all
    select ops.make_observation(
        'app_slow', url,
        case when status in ('up', 'degraded') then ops.judge(latency_ms, latency_limit, 1, 1) else 'insufficient' end,
        latency_ms, latency_limit, 'ms',
        p_facts => facts
    )
    from checks
$$;

comment on function ops.observe_urls(jsonb, jsonb) is
    'The verdicts on the checked URLs of the application: whether each is up, and whether it answers fast enough.';

create or replace function ops.observe_pages(p_tick jsonb)
returns setof ops.observation
language sql
stable
set search_path = ''
as $$
    select ops.make_observation(
        'pages_unwatched', 'app', case (p_tick ->> 'pages')::integer when 0 then 'bad' else 'good' end,
        p_facts => jsonb_build_object('service', 'app')
    )
    -- A tick of a release before this one does not tell.
    where p_tick ->> 'pages' is not null
$$;

comment on function ops.observe_pages(jsonb) is
    'The verdict on whether any page of the application is watched at all.';

create or replace function ops.observe_services(p_tick jsonb)
returns setof ops.observation
language sql
stable
set search_path = ''
as $$
    with checks as (
        select service, status, ops.facts_of_check(reason, service, detail) as facts
        from ops.read_checks(p_tick)
        where kind = 'dependency'
    )
    select ops.make_observation(
        'database_failing', service,
        case status when 'down' then 'bad' when 'unknown' then 'insufficient' else 'good' end,
        p_facts => facts
    )
    from checks
    where service = 'database'

    union all
    select ops.make_observation(
        'service_degraded', service,
        case
            when status = 'up' then 'good'
            when status = 'degraded' then 'bad'
            -- A database that is down has a rule of its own.
            when status = 'down' and service <> 'database' then 'bad'
            else 'insufficient'
        end,
        p_facts => facts || jsonb_build_object('affects', array[service])
    )
    from checks
$$;

comment on function ops.observe_services(jsonb) is
    'The verdicts on the services that the application depends on: whether the database fails, and whether another service is degraded or down.';

create or replace function ops.observe_certificates(p_tick jsonb, p_settings jsonb)
returns setof ops.observation
language sql
stable
set search_path = ''
as $$
    with checks as (
        select
            coalesce(detail ->> 'host', regexp_replace(name, '^certificate:', '')) as host,
            (detail ->> 'daysLeft')::numeric as days_left,
            (p_settings ->> 'threshold.certificate_urgent_days')::numeric as urgent_days,
            (p_settings ->> 'threshold.certificate_warning_days')::numeric as warning_days,
            ops.facts_of_check(reason, service, detail) as facts
        from ops.read_checks(p_tick)
        where kind = 'certificate'
    )
    select ops.make_observation(
        'certificate_urgent', host,
        case when days_left < urgent_days then 'bad' when days_left >= urgent_days then 'good' else 'insufficient' end,
        days_left, urgent_days, 'd',
        p_facts => facts
    )
    from checks

    union all
    select ops.make_observation(
        'certificate_expiring', host,
        case
            when days_left >= urgent_days and days_left < warning_days then 'bad'
            -- A certificate that is urgent counts as good here: one message, not two.
            when days_left is not null then 'good'
            else 'insufficient'
        end,
        days_left, warning_days, 'd',
        p_facts => facts
    )
    from checks
$$;

comment on function ops.observe_certificates(jsonb, jsonb) is
    'The verdicts on TLS certificates: whether each expires soon, and whether that is urgent.';

create or replace function ops.observe_checks(p_tick jsonb, p_settings jsonb)
returns setof ops.observation
language sql
stable
set search_path = ''
as $$
    with observed as (
        select * from ops.observe_urls(p_tick, p_settings)
        union all
        select * from ops.observe_pages(p_tick)
        union all
        select * from ops.observe_services(p_tick)
        union all
        select * from ops.observe_certificates(p_tick, p_settings)
    )
    -- Several checks of one subject are as bad as their worst.
    select distinct on (rule, subject) *
    from observed
    order by rule, subject, array_position('{bad,insufficient,good}'::text[], verdict)
$$;

comment on function ops.observe_checks(jsonb, jsonb) is
    'The verdicts on the checks that a tick reports: checked URLs, services and certificates, one for each rule and subject.';

create or replace function ops.observe_unwatched(p_observed text[])
returns setof ops.observation
language sql
stable
set search_path = ''
as $$
    select ops.make_observation(
        state.rule, state.subject, 'good',
        p_fingerprint => state.fingerprint,
        p_facts => jsonb_build_object('reason', 'removed')
    )
    from ops.alert_states as state
    join ops.rules as rule on rule.rule = state.rule
    where rule.signal = 'check'
        and state.fingerprint <> all (p_observed)
        -- A custom check that is not due at this tick is still watched.
        and not ops.is_custom(state.rule, state.subject, 'infinity')
$$;

comment on function ops.observe_unwatched(text[]) is
    'Good verdicts on the subjects of checks that are no longer made, because no other observation would ever resolve their alerts. p_observed holds the fingerprints that the tick did observe.';

create or replace function ops.observe_recovery()
returns setof ops.observation
language sql
stable
set search_path = ''
as $$
    select ops.make_observation(rule, subject, 'good', p_fingerprint => fingerprint)
    from ops.alert_states
    where rule = 'monitoring_blind' and phase = 'firing'
$$;

comment on function ops.observe_recovery() is
    'Good verdicts on the alerts that monitoring is blind: a tick that commits proves that it sees again.';
