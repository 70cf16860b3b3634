-- What the rules observe of errors that came in by the door: a critical one that is new, one
-- that came back after it was resolved, and one that happens far more often than before. They
-- hold while the error goes on happening, and end an hour after its last time, or as soon as
-- somebody resolves or ignores it. Of a flood of different errors the latest twenty are told.

create or replace function ops.observed_issues(p_now timestamptz, p_environment text, p_settings jsonb)
returns setof ops.issues
language sql
stable
set search_path = ''
as $$
    select *
    from ops.issues
    where environment = p_environment
        and status = 'open'
        and last_seen > p_now - ops.minutes(p_settings, 'alert.event_quiet_minutes')
$$;

comment on function ops.observed_issues(timestamptz, text, jsonb) is
    'Returns the open issues that have happened within the quiet time.';

create or replace function ops.issue_rates(p_now timestamptz, p_environment text, p_settings jsonb)
returns table (issue ops.issues, latest bigint, usual numeric)
language sql
stable
set search_path = ''
as $$
    -- An hour that has just begun says little, so the one before it counts with it.
    select
        observed,
        coalesce(sum(counted.events) filter (where counted.hour >= latest.hour), 0)::bigint,
        coalesce(sum(counted.events) filter (where counted.hour < latest.hour), 0) / 12.0
    from ops.observed_issues(p_now, p_environment, p_settings) as observed
    cross join (select date_trunc('hour', p_now) - interval '1 hour' as hour) as latest
    left join ops.issue_hours as counted
        on counted.issue = observed.id and counted.hour >= latest.hour - interval '24 hours'
    group by observed, latest.hour
$$;

comment on function ops.issue_rates(timestamptz, text, jsonb) is
    'Returns how often each open issue has happened in this hour and the one before it, and how often in two hours of the day before that, on average.';

create or replace function ops.bad_issues(p_now timestamptz, p_environment text, p_settings jsonb)
returns table (rule text, issue ops.issues, value numeric, threshold numeric)
language sql
stable
set search_path = ''
as $$
    with found as (
        select 'error_new' as rule, observed as issue, null::numeric as value, null::numeric as threshold
        from ops.observed_issues(p_now, p_environment, p_settings) as observed
        where observed.severity = 'critical' and observed.first_seen > p_now - interval '1 day'

        union all
        select 'error_regressed', observed, null, null
        from ops.observed_issues(p_now, p_environment, p_settings) as observed
        where observed.regressed_at > p_now - interval '1 day'

        union all
        select 'error_spike', rates.issue, rates.latest, bound.most
        from ops.issue_rates(p_now, p_environment, p_settings) as rates
        cross join lateral (
            select greatest(
                (p_settings ->> 'threshold.error_spike_events')::numeric,
                round((p_settings ->> 'threshold.error_spike_factor')::numeric * rates.usual, 1)
            ) as most
        ) as bound
        where rates.latest > bound.most
    )
    select ranked.rule, ranked.issue, ranked.value, ranked.threshold
    from (
        select
            found.*,
            row_number() over (
                partition by found.rule order by (found.issue).last_seen desc, (found.issue).id
            ) as nth
        from found
    ) as ranked
    where ranked.nth <= 20
$$;

comment on function ops.bad_issues(timestamptz, text, jsonb) is
    'Returns the issues that somebody should look at, by rule, at most twenty each.';

create or replace function ops.observe_issues(p_now timestamptz, p_environment text, p_settings jsonb)
returns setof ops.observation
language sql
stable
set search_path = ''
as $$
    with bad as (
        select found.*, left((found.issue).id::text, 8) as subject
        from ops.bad_issues(p_now, p_environment, p_settings) as found
    ),
    states as (
        select * from ops.alert_states where rule in ('error_new', 'error_regressed', 'error_spike')
    )
    select ops.make_observation(
        coalesce(bad.rule, state.rule),
        coalesce(bad.subject, state.subject),
        case when bad.rule is not null then 'bad' else 'good' end,
        bad.value, bad.threshold,
        p_samples => coalesce((bad.issue).events, 0),
        p_facts => jsonb_strip_nulls(jsonb_build_object(
            'service', 'app',
            'message', (bad.issue).title,
            'since', coalesce((bad.issue).regressed_at, (bad.issue).first_seen),
            'detail', case
                when bad.rule is not null then jsonb_build_object(
                    'culprit', nullif((bad.issue).culprit, ''),
                    'release', (bad.issue).last_release,
                    'people', (bad.issue).people
                )
            end
        ))
    )
    from bad
    full join states as state on state.rule = bad.rule and state.subject = bad.subject
$$;

comment on function ops.observe_issues(timestamptz, text, jsonb) is
    'The verdicts on errors that came in by the door: bad as long as ops.bad_issues names them, good afterwards.';
