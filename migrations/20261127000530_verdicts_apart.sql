-- Verdicts apart from what is remembered, so that they can be given on the past.
--
-- Why: what a tick observes depends on what is remembered now, because what is
-- well and was never bad need not be said. The verdicts themselves do not, and
-- trying other rules on the past needs the same verdicts over another memory.
-- Read by: the tick, `pourtrait alerts replay`.
-- Undo: put back the former functions of these names; drop the others.

set local search_path = '';

-- Flapping -------------------------------------------------------------------

create function ops.damp_rule(p_rule ops.rules, p_openings bigint, p_settings jsonb)
returns ops.rules
language plpgsql
immutable
set search_path = ''
as $$
begin
    if p_openings >= (p_settings ->> 'alert.flap_openings')::integer then
        p_rule.good_after := p_rule.good_after * (p_settings ->> 'alert.flap_factor')::integer;
    end if;
    return p_rule;
end
$$;

comment on function ops.damp_rule(ops.rules, bigint, jsonb) is
    'The rule as it is in force after so many openings of late: from some on it needs more good observations to resolve.';

create or replace function ops.damp_flapping(
    p_rule ops.rules,
    p_fingerprint text,
    p_settings jsonb,
    p_now timestamptz
)
returns ops.rules
language plpgsql
stable
set search_path = ''
as $$
begin
    return ops.damp_rule(
        p_rule,
        (
            select count(*)
            from ops.alerts
            where fingerprint = p_fingerprint
                and opened_at > p_now - ops.minutes(p_settings, 'alert.flap_minutes')
                and opened_at <= p_now
        ),
        p_settings
    );
end
$$;

-- Endpoints ------------------------------------------------------------------

create function ops.judge_endpoints(
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
            -- Without the query, which holds data of people and has no end.
            left(method || ' ' || split_part(endpoint, '?', 1), 300) as subject,
            round((percentile_cont(0.95) within group (order by response_time))::numeric, 3) as value,
            count(*) as samples
        from public.api_usage_metrics
        where "timestamp" > p_now - ops.minutes(p_settings, 'window.endpoint_minutes')
            and "timestamp" <= p_now
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

create or replace function ops.observe_endpoints(p_now timestamptz, p_settings jsonb)
returns setof ops.observation
language sql
stable
set search_path = ''
as $$
    select
        'endpoint_slow:' || coalesce(judged.subject, state.subject),
        'endpoint_slow',
        coalesce(judged.subject, state.subject),
        null,
        coalesce(judged.verdict, 'good'),
        judged.value,
        (p_settings ->> 'threshold.slow_endpoint_p95_ms')::numeric,
        'ms',
        coalesce(judged.samples, 0),
        1::bigint,
        jsonb_build_object('service', 'app'),
        null::bigint
    from ops.judge_endpoints(p_now, p_settings) as judged
    full join (select * from ops.alert_states where rule = 'endpoint_slow') as state
        on state.subject = judged.subject
    where judged.verdict = 'bad' or state.fingerprint is not null
$$;

-- Kept checks ----------------------------------------------------------------

create function ops.judge_definitions(p_tick jsonb)
returns setof ops.observation
language sql
stable
set search_path = ''
as $$
    with checks as (
        select
            definition.name as subject,
            definition.severity,
            reported.status,
            reported.latency_ms,
            (definition.spec ->> 'maxLatencyMs')::numeric as latency_limit,
            jsonb_build_object(
                'reason', reported.reason,
                'service', reported.service,
                'detail', reported.detail || jsonb_build_object('check', definition.kind)
            ) as facts
        from ops.read_checks(p_tick) as reported
        join ops.check_definitions as definition on definition.check_name = reported.name
    )
    select
        'check_failing:' || subject, 'check_failing', subject, severity,
        case status when 'down' then 'bad' when 'unknown' then 'insufficient' else 'good' end,
        null::numeric, null::numeric, null, null::bigint, 1::bigint, facts, null::bigint
    from checks

    union all
    select
        'check_slow:' || subject, 'check_slow', subject, null,
        case
            -- A limit that was taken away leaves nothing to be above.
            when latency_limit is null then 'good'
            when status in ('up', 'degraded') then ops.judge(latency_ms, latency_limit, 1, 1)
            else 'insufficient'
        end,
        latency_ms, latency_limit, 'ms', null, 1, facts, null
    from checks
$$;

comment on function ops.judge_definitions(jsonb) is
    'The verdicts on the kept checks among those that a tick holds: whether each does what it should, and how quickly.';

create function ops.with_derived_checks(p_tick jsonb, p_now timestamptz)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select p_tick || jsonb_build_object(
        'checks',
        p_tick -> 'checks' || coalesce(
            jsonb_agg(
                jsonb_build_object(
                    'name', name,
                    'kind', kind,
                    'service', service,
                    'critical', critical,
                    'status', status,
                    'latencyMs', latency_ms,
                    'reason', reason,
                    'detail', detail
                )
            ),
            '[]'
        )
    )
    from ops.derived_checks(p_tick, p_now)
$$;

comment on function ops.with_derived_checks(jsonb, timestamptz) is
    'A tick with the checks that the database reads itself beside those that were probed.';

create or replace function ops.observe_definitions(p_tick jsonb, p_now timestamptz, p_settings jsonb)
returns setof ops.observation
language sql
stable
set search_path = ''
as $$
    select judged.*
    from ops.judge_definitions(ops.with_derived_checks(p_tick, p_now)) as judged
    where judged.rule <> 'check_slow'
        or judged.threshold is not null
        or exists (select from ops.alert_states where fingerprint = judged.fingerprint)
$$;

create function ops.is_kept(p_rule text, p_subject text, p_at timestamptz)
returns boolean
language sql
stable
set search_path = ''
as $$
    select p_rule in ('check_failing', 'check_slow', 'certificate_urgent', 'certificate_expiring')
        and exists (
            select
            from ops.check_definitions as definition
            where (definition.enabled or definition.updated_at > p_at)
                and lower(p_subject) = case
                    when p_rule like 'certificate%' then ops.definition_host(definition.spec)
                    else definition.name
                end
        )
$$;

comment on function ops.is_kept(text, text, timestamptz) is
    'Whether a kept check stood behind a rule''s subject at that time: what it does not report is only not due. One that was switched off was on until it was changed last.';

create or replace function ops.observe_unwatched(p_observed text[])
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
        -- What is only not due yet is still watched.
        and not ops.is_kept(state.rule, state.subject, 'infinity')
$$;

revoke all on all functions in schema ops from public, anon, authenticated;
grant execute on all functions in schema ops to service_role;
