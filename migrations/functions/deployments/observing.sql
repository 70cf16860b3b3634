-- What the rules observe of the deployment that serves, and what people see of it.

create or replace function ops.newest_comparison(p_served bigint)
returns ops.deployment_comparisons
language sql
stable
set search_path = ''
as $$
    select *
    from ops.deployment_comparisons
    where served = p_served and verdict <> 'insufficient'
    order by age_minutes desc
    limit 1
$$;

comment on function ops.newest_comparison(bigint) is
    'The newest comparison of what served that could say something.';

create or replace function ops.observe_releases(p_now timestamptz)
returns setof ops.observation
language sql
stable
set search_path = ''
as $$
    with serving as (
        select listed.deployment, listed.commit, listed.began_at, listed.before, newest
        from ops.list_served(p_now - interval '1 minute', p_now) as listed
        cross join lateral ops.newest_comparison(listed.id) as newest
        where listed.ended_at is null and newest.verdict is not null
    ),
    subjects as (
        select deployment from serving
        union
        select subject from ops.alert_states where rule = 'release_regressed'
    )
    select ops.make_observation(
        'release_regressed', subjects.deployment,
        case when (serving.newest).verdict = 'regressed' then 'bad' else 'good' end,
        p_facts => jsonb_strip_nulls(jsonb_build_object(
            'service', 'app',
            -- Another one serves by now, and nothing was seen of this one since.
            'reason', case when serving.deployment is null then 'replaced' end,
            'since', (serving.newest).from_at,
            'detail', case
                when (serving.newest).verdict = 'regressed' then jsonb_build_object(
                    'release', serving.commit,
                    'servesSince', serving.began_at,
                    'ageMinutes', (serving.newest).age_minutes,
                    'before', serving.before,
                    'evidence', (
                        select jsonb_agg(measure)
                        from jsonb_array_elements((serving.newest).measures) as measure
                        where measure ->> 'verdict' = 'worse'
                    )
                )
            end
        ))
    )
    from subjects
    left join serving on serving.deployment = subjects.deployment
$$;

comment on function ops.observe_releases(timestamptz) is
    'The verdict on the deployment that serves: bad while its newest comparison that could say something found it worse than the day before. One that no longer serves is good.';

create or replace function ops.served_document(
    p_served bigint,
    p_deployment text,
    p_commit text,
    p_branch text,
    p_began_at timestamptz,
    p_ended_at timestamptz,
    p_before text,
    p_now timestamptz
)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_build_object(
        'deployment', p_deployment,
        'commit', p_commit,
        'branch', p_branch,
        'beganAt', p_began_at,
        'endedAt', p_ended_at,
        'before', p_before,
        'comparisons', (
            select jsonb_agg(
                jsonb_build_object(
                    'ageMinutes', known.age_minutes,
                    'verdict', case
                        when made.verdict is not null then made.verdict
                        when p_ended_at < looked_at.to_at then 'replaced'
                        when looked_at.to_at <= p_now - interval '12 hours' then 'missed'
                        else 'waiting'
                    end,
                    'from', coalesce(made.from_at, looked_at.from_at),
                    'to', coalesce(made.to_at, looked_at.to_at),
                    'beforeFrom', coalesce(made.before_from, looked_at.before_from),
                    'beforeTo', coalesce(made.before_to, looked_at.before_to),
                    'measures', coalesce(made.measures, '[]')
                )
                order by known.age_minutes
            )
            from unnest(array[15, 60, 1440, 2880]) as known (age_minutes)
            cross join lateral ops.comparison_windows(p_began_at, known.age_minutes) as looked_at
            left join ops.deployment_comparisons as made
                on made.served = p_served and made.age_minutes = known.age_minutes
        )
    )
$$;

comment on function ops.served_document(bigint, text, text, text, timestamptz, timestamptz, text, timestamptz) is
    'A deployment that served as callers see it, with what each comparison found, or why there is none: it waits for its time, another deployment took over before, or nobody made it in time.';

create or replace function ops.dashboard_production(p_environment text, p_from timestamptz, p_now timestamptz)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_build_object(
        'projects', ops.project_documents(p_now),
        'ownDeployments', ops.dashboard_deployments('own', p_environment, p_from, p_now),
        'served', (
            select coalesce(
                jsonb_agg(
                    ops.served_document(
                        listed.id, listed.deployment, listed.commit, listed.branch, listed.began_at, listed.ended_at,
                        listed.before, p_now
                    )
                    order by listed.began_at desc, listed.id desc
                ),
                '[]'
            )
            from (
                select *
                from ops.list_served(p_now - interval '30 days', p_now) as served
                order by served.began_at desc, served.id desc
                limit 5
            ) as listed
        )
    )
$$;

comment on function ops.dashboard_production(text, timestamptz, timestamptz) is
    'What serves production: the platform''s projects with their pins, what was told of this bundle''s own deployments, and the five deployments of the app that served last, compared.';
