-- What the rules would have said at each tick of the past. Where the checks or the traffic of
-- a tick are kept, the functions that the tick uses give their verdicts anew under other
-- settings; for everything else, the verdicts that the ticks recorded stand.

create or replace function ops.committed_ticks(
    p_from timestamptz,
    p_to timestamptz,
    out at timestamptz,
    out verdicts jsonb
)
returns setof record
language sql
stable
set search_path = ''
as $$
    with committed as (
        select (summary ->> 'now')::timestamptz as at, summary -> 'rules' as verdicts
        from ops.runs
        where job = 'monitor'
            and outcome = 'done'
            -- A tick is committed within 15 minutes of its claim.
            and started_at >= p_from - interval '15 minutes'
            and started_at < p_to
            and summary ->> 'outcome' = 'committed'
    )
    select * from committed where committed.at >= p_from and committed.at < p_to
$$;

comment on function ops.committed_ticks(timestamptz, timestamptz) is
    'The ticks that were committed from p_from until before p_to, with the verdicts that they recorded.';

create or replace function ops.replay_ticks(
    p_from timestamptz,
    p_to timestamptz,
    out at timestamptz,
    out environment text,
    out tick jsonb,
    out verdicts jsonb
)
returns setof record
language sql
stable
set search_path = ''
as $$
    with sampled as (
        select
            sample.at,
            min(sample.environment) as environment,
            jsonb_agg(
                jsonb_build_object(
                    'name', known.name,
                    'kind', known.kind,
                    'service', known.service,
                    'critical', known.critical,
                    'status', sample.status,
                    'latencyMs', sample.latency_ms,
                    'reason', sample.reason,
                    'detail', sample.detail
                )
            ) as checks
        from ops.checks as known
        join ops.samples as sample on sample.check_name = known.name
        where known.kind <> 'aggregate'
            and sample.at >= p_from
            and sample.at < p_to
        group by sample.at
    )
    select
        committed.at,
        coalesce(sampled.environment, 'production'),
        jsonb_build_object('environment', sampled.environment, 'checks', coalesce(sampled.checks, '[]')),
        committed.verdicts
    from ops.committed_ticks(p_from, p_to) as committed
    left join sampled on sampled.at = committed.at
$$;

comment on function ops.replay_ticks(timestamptz, timestamptz) is
    'The same ticks, each with the checks that it reported as far as they were sampled.';

create or replace function ops.replay_observed(p_from timestamptz, p_to timestamptz, p_settings jsonb)
returns table (rule text, subject text, at timestamptz, verdict text, severity text)
language sql
stable
set search_path = ''
as $$
    with ticks as materialized (
        select * from ops.replay_ticks(p_from, p_to)
    )
    select seen.rule, seen.subject, ticks.at, seen.verdict, seen.severity
    from ticks
    cross join lateral (
        select * from ops.observe_checks(ticks.tick, p_settings)
        union all
        select * from ops.judge_custom_checks(ticks.tick)
        union all
        select * from ops.observe_traffic(ticks.at, ticks.environment, p_settings)
    ) as seen

    union all
    select 'endpoint_slow', judged.subject, ticks.at, judged.verdict, null
    from ticks
    cross join lateral ops.judge_endpoints(ticks.at, ticks.environment, p_settings) as judged

    union all
    select recorded.rule, recorded.subject, ticks.at, recorded.verdict, null
    from ticks
    cross join lateral jsonb_to_recordset(ticks.verdicts) as recorded (rule text, subject text, verdict text)
    join ops.rules as known on known.rule = recorded.rule
    where ops.replay_manner(known) = 'recorded'
$$;

comment on function ops.replay_observed(timestamptz, timestamptz, jsonb) is
    'The verdicts of the ticks from p_from until before p_to under those settings: given anew where the checks or the traffic are kept, and otherwise as they were recorded.';

create or replace function ops.replay_verdicts(
    p_from timestamptz,
    p_to timestamptz,
    p_settings jsonb,
    p_states jsonb,
    out rule text,
    out subject text,
    out times timestamptz[],
    out verdicts text[],
    out severities text[]
)
returns setof record
language sql
stable
set search_path = ''
as $$
    with observed as materialized (
        select * from ops.replay_observed(p_from, p_to, p_settings)
    ),
    -- A subject that was never bad is quiet throughout, so it is left out.
    remembered as (
        select rule, subject from observed where verdict = 'bad'
        union
        select rule, subject from jsonb_to_recordset(p_states) as carried (rule text, subject text)
    ),
    ticks as (
        select at from ops.committed_ticks(p_from, p_to)
    )
    select
        remembered.rule,
        remembered.subject,
        coalesce(array_agg(ticks.at order by ticks.at) filter (where ticks.at is not null), '{}'),
        array_agg(
            case
                when observed.verdict is not null then observed.verdict
                -- An endpoint that nobody calls is good, and so is a check that is no longer made.
                when remembered.rule = 'endpoint_slow' then 'good'
                when known.signal = 'check' and not ops.is_custom(remembered.rule, remembered.subject, ticks.at)
                then 'good'
                else 'insufficient'
            end
            order by ticks.at
        ),
        array_agg(observed.severity order by ticks.at)
    from remembered
    join ops.rules as known on known.rule = remembered.rule
    -- Without any tick a subject still has a row, so that it stays remembered.
    left join ticks on true
    left join observed
        on observed.rule = remembered.rule
        and observed.subject = remembered.subject
        and observed.at = ticks.at
    group by remembered.rule, remembered.subject
$$;

comment on function ops.replay_verdicts(timestamptz, timestamptz, jsonb, jsonb) is
    'The verdicts at every tick of the period, in order, for each subject that was bad or is remembered.';
