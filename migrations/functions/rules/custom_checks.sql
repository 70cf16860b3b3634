-- What the rules observe of custom checks.

create or replace function ops.certificate_host(p_spec jsonb)
returns text
language sql
immutable
parallel safe
set search_path = ''
as $$
    select lower(coalesce(
        p_spec ->> 'host',
        substring(p_spec ->> 'url' from '^https://(\[[^\]]*\]|[^/?#:]+)')
    ))
$$;

comment on function ops.certificate_host(jsonb) is
    'The host whose certificate a custom check sees while it probes, as the rules about certificates name it.';

create or replace function ops.observe_custom_checks(p_tick jsonb, p_now timestamptz, p_settings jsonb)
returns setof ops.observation
language sql
stable
set search_path = ''
as $$
    select judged
    from ops.judge_custom_checks(ops.with_derived_checks(p_tick, p_now)) as judged
    where judged.rule <> 'check_slow'
        or judged.threshold is not null
        or exists (select from ops.alert_states where fingerprint = judged.fingerprint)
$$;

comment on function ops.observe_custom_checks(jsonb, timestamptz, jsonb) is
    'The verdicts on custom checks: whether each succeeds, and whether it is fast enough. A check without a limit is never slow, so its verdict is given only if an earlier one is remembered.';

create or replace function ops.judge_custom_checks(p_tick jsonb)
returns setof ops.observation
language sql
stable
set search_path = ''
as $$
    with checks as (
        select
            custom.name as subject,
            custom.severity,
            reported.status,
            reported.latency_ms,
            (custom.spec ->> 'maxLatencyMs')::numeric as latency_limit,
            jsonb_build_object(
                'reason', reported.reason,
                'service', reported.service,
                'detail', reported.detail || jsonb_build_object('check', custom.kind)
            ) as facts
        from ops.read_checks(p_tick) as reported
        join ops.custom_checks as custom on custom.check_name = reported.name
    )
    select ops.make_observation(
        'check_failing', subject,
        case status when 'down' then 'bad' when 'unknown' then 'insufficient' else 'good' end,
        p_severity => severity,
        p_facts => facts
    )
    from checks

    union all
    select ops.make_observation(
        'check_slow', subject,
        case
            -- Once its limit was taken away, a check is no longer slow.
            when latency_limit is null then 'good'
            when status in ('up', 'degraded') then ops.judge(latency_ms, latency_limit, 1, 1)
            else 'insufficient'
        end,
        latency_ms, latency_limit, 'ms',
        p_facts => case when latency_limit is null then facts || '{"reason": "removed"}' else facts end
    )
    from checks
$$;

comment on function ops.judge_custom_checks(jsonb) is
    'The verdicts on the custom checks that a tick reports: whether each succeeds, and whether it is fast enough.';
