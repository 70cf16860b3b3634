-- A deployment that serves production is compared with the day before it, 15 minutes, an hour,
-- a day and two days after it began. Everything is read from figures, so it costs the same
-- however many rows there are.

create or replace function ops.comparison_windows(p_began_at timestamptz, p_age_minutes integer)
returns table (from_at timestamptz, to_at timestamptz, before_from timestamptz, before_to timestamptz)
language plpgsql
immutable
set search_path = ''
as $$
begin
    if p_age_minutes < 1440 then
        from_at := date_bin('1 minute', p_began_at + interval '1 minute' - interval '1 microsecond', '1970-01-05Z');
        to_at := from_at + make_interval(mins => p_age_minutes);
        before_from := from_at - interval '24 hours';
        before_to := to_at - interval '24 hours';
    else
        -- What is kept of days ago is kept by the hour. The hour in which it began is in neither.
        to_at := date_bin('1 hour', p_began_at + interval '1 hour' - interval '1 microsecond', '1970-01-05Z')
            + make_interval(mins => p_age_minutes);
        from_at := to_at - interval '24 hours';
        before_to := date_bin('1 hour', p_began_at, '1970-01-05Z');
        before_from := before_to - interval '24 hours';
    end if;
    return next;
end
$$;

comment on function ops.comparison_windows(timestamptz, integer) is
    'The time that is looked at, and as long a time of the day before the deployment: the same minutes, or the whole day. At two days the second of them is looked at.';

create or replace function ops.sum_figure(p_kind text, p_name text, p_from timestamptz, p_to timestamptz)
returns ops.figure_sum
language plpgsql
stable
set search_path = ''
as $$
begin
    return (
        select row(summed.n, summed.measured, summed.low, summed.high, summed.buckets, summed.counts)::ops.figure_sum
        from ops.sum_figures(p_kind, 'production', p_from, p_to, p_name, 5, 5) as summed
        where summed.part = ''
    );
end
$$;

comment on function ops.sum_figure(text, text, timestamptz, timestamptz) is
    'What was counted of one name in production after a time and up to another, both on the minute or, of days ago, on the hour.';

create or replace function ops.compare_requests(
    p_from timestamptz,
    p_to timestamptz,
    p_before_from timestamptz,
    p_before_to timestamptz,
    p_now timestamptz
)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
    v_after ops.figure_sum := ops.sum_figure('requests', '', p_from, p_to);
    v_before ops.figure_sum := ops.sum_figure('requests', '', p_before_from, p_before_to);
begin
    return jsonb_build_array(
        ops.compare_quantile('latency_p50', 'ms', 0.5, 50, v_after, v_before),
        ops.compare_quantile('latency_p95', 'ms', 0.95, 100, v_after, v_before),
        (
            select ops.compare_share(
                'error_rate', after.failures, after.requests, before.failures, before.requests, 200, 0.5
            )
            from ops.sum_requests(p_from, p_to, p_now, 'production') as after
            cross join ops.sum_requests(p_before_from, p_before_to, p_now, 'production') as before
        )
    );
end
$$;

comment on function ops.compare_requests(timestamptz, timestamptz, timestamptz, timestamptz, timestamptz) is
    'How fast the API answered, and how often it failed, compared.';

create or replace function ops.compare_vitals(
    p_from timestamptz,
    p_to timestamptz,
    p_before_from timestamptz,
    p_before_to timestamptz
)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_agg(
        ops.compare_quantile(
            vital.name || '_p75', vital.unit, 0.75, vital.least,
            ops.sum_figure('metric', vital.name, p_from, p_to),
            ops.sum_figure('metric', vital.name, p_before_from, p_before_to)
        )
        order by vital.name
    )
    from (values ('CLS', null, 0.05), ('INP', 'ms', 50), ('LCP', 'ms', 250)) as vital (name, unit, least)
$$;

comment on function ops.compare_vitals(timestamptz, timestamptz, timestamptz, timestamptz) is
    'How pages felt to whoever loaded them, compared.';

create or replace function ops.new_issues(p_from timestamptz, p_to timestamptz)
returns table (title text, events bigint)
language plpgsql
stable
set search_path = ''
as $$
begin
    return query
    select issue.title, issue.events
    from ops.issues as issue
    where issue.environment = 'production'
        and issue.first_seen > p_from
        and issue.first_seen <= p_to
        and issue.events >= 10
        and issue.status <> 'ignored'
        -- What a version of before sends that somebody still has open is not new by this one.
        and not exists (
            select
            from ops.releases as known
            where known.environment = issue.environment
                and known.release = issue.first_release
                and known.first_seen < p_from - interval '1 hour'
        )
    order by issue.events desc, issue.id;
end
$$;

comment on function ops.new_issues(timestamptz, timestamptz) is
    'The issues that were first seen in a window, in a version that is not older than it, and have happened ten times or more; the most frequent first.';

create or replace function ops.compare_issues(
    p_from timestamptz,
    p_to timestamptz,
    p_before_from timestamptz,
    p_before_to timestamptz
)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
    v_after bigint := (select count(*) from ops.new_issues(p_from, p_to));
    v_before bigint := (select count(*) from ops.new_issues(p_before_from, p_before_to));
begin
    return ops.compared(
        'new_errors', null, v_after, v_before, v_after, v_before,
        case
            when not exists (select from ops.issues where environment = 'production') then 'insufficient'
            when v_after > 2 * v_before then 'worse'
            else 'same'
        end
    ) || jsonb_build_object(
        'examples', (
            select coalesce(jsonb_agg(left(newest.title, 120) || ' (' || newest.events || ' times)'), '[]')
            from (select * from ops.new_issues(p_from, p_to) limit 3) as newest
        )
    );
end
$$;

comment on function ops.compare_issues(timestamptz, timestamptz, timestamptz, timestamptz) is
    'Errors that did not happen before, compared: worse where there are more than twice as many kinds as the day before, so one where there was none.';

create or replace function ops.count_job_runs(
    p_from timestamptz,
    p_to timestamptz,
    out runs bigint,
    out failed bigint
)
language sql
stable
set search_path = ''
as $$
    select count(*), count(*) filter (where run.failed)
    from (
        select outcome in ('failed', 'missed', 'abandoned') as failed
        from ops.jobs as job
        join ops.runs on runs.job = job.job and runs.started_at > p_from and runs.started_at <= p_to
        where runs.outcome <> 'running'
        union all
        select failed
        from ops.heartbeat_runs
        where ended_at > p_from and ended_at <= p_to
    ) as run
$$;

comment on function ops.count_job_runs(timestamptz, timestamptz) is
    'How many runs of jobs there were, this bundle''s and those that report to a heartbeat, and how many of them failed, were cut off or were missed.';

create or replace function ops.compare_jobs(
    p_from timestamptz,
    p_to timestamptz,
    p_before_from timestamptz,
    p_before_to timestamptz
)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select ops.compare_share('failed_jobs', after.failed, after.runs, before.failed, before.runs, 10, 5)
    from ops.count_job_runs(p_from, p_to) as after
    cross join ops.count_job_runs(p_before_from, p_before_to) as before
$$;

comment on function ops.compare_jobs(timestamptz, timestamptz, timestamptz, timestamptz) is
    'Which share of the runs of jobs failed or was missed, compared.';

create or replace function ops.compare_events(
    p_from timestamptz,
    p_to timestamptz,
    p_before_from timestamptz,
    p_before_to timestamptz,
    p_now timestamptz
)
returns jsonb
language sql
stable
set search_path = ''
as $$
    with before as (
        select name, sum(n)::bigint as n
        from ops.sum_figures('event', 'production', p_before_from, p_before_to, null, 50, 0)
        where name <> 'other'
        group by name
        order by 2 desc, name
        limit 5
    ),
    after as (
        select name, sum(n)::bigint as n
        from ops.sum_figures('event', 'production', p_from, p_to, null, 500, 0)
        group by name
    )
    select coalesce(
        jsonb_agg(
            ops.compare_rate(
                'event ' || before.name, coalesce(after.n, 0), requests_after.requests, before.n,
                requests_before.requests
            )
            order by before.n desc, before.name
        ),
        '[]'
    )
    from before
    left join after on after.name = before.name
    cross join ops.sum_requests(p_from, p_to, p_now, 'production') as requests_after
    cross join ops.sum_requests(p_before_from, p_before_to, p_now, 'production') as requests_before
$$;

comment on function ops.compare_events(timestamptz, timestamptz, timestamptz, timestamptz, timestamptz) is
    'How often people did what they did most the day before, for each request, compared: the five most frequent events.';

create or replace function ops.compare_deployment(p_began_at timestamptz, p_age_minutes integer, p_now timestamptz)
returns jsonb
language sql
stable
set search_path = ''
-- Compiling a plan would take longer than running it.
set jit = off
as $$
    select
        ops.compare_requests(from_at, to_at, before_from, before_to, p_now)
        || ops.compare_issues(from_at, to_at, before_from, before_to)
        || ops.compare_vitals(from_at, to_at, before_from, before_to)
        || ops.compare_jobs(from_at, to_at, before_from, before_to)
        || ops.compare_events(from_at, to_at, before_from, before_to, p_now)
    from ops.comparison_windows(p_began_at, p_age_minutes)
$$;

comment on function ops.compare_deployment(timestamptz, integer, timestamptz) is
    'Every measure of what began to serve at a time, at an age, compared with the day before.';

create or replace function ops.due_comparisons(p_now timestamptz)
returns table (served bigint, began_at timestamptz, age_minutes integer, due_at timestamptz)
language sql
stable
set search_path = ''
as $$
    select listed.id, listed.began_at, known.age_minutes, looked_at.to_at
    from ops.list_served(p_now - interval '4 days', p_now) as listed
    cross join unnest(array[15, 60, 1440, 2880]) as known (age_minutes)
    cross join lateral ops.comparison_windows(listed.began_at, known.age_minutes) as looked_at
    -- What comes in by the door comes a little late.
    where looked_at.to_at <= p_now - interval '2 minutes'
        and looked_at.to_at > p_now - interval '12 hours'
        -- What no longer served then says nothing of it.
        and (listed.ended_at is null or listed.ended_at >= looked_at.to_at)
        and not exists (
            select
            from ops.deployment_comparisons as made
            where made.served = listed.id and made.age_minutes = known.age_minutes
        )
$$;

comment on function ops.due_comparisons(timestamptz) is
    'The comparisons that are to be made: of what served throughout, two minutes after its time at the earliest and twelve hours at the latest.';

create or replace function ops.compare_deployments(p_limit integer, p_now timestamptz)
returns integer
language plpgsql
set search_path = ''
as $$
declare
    v_due record;
    v_measures jsonb;
    v_made integer := 0;
begin
    perform ops.note_served_deployments(p_now);
    for v_due in
        select due.*, looked_at.from_at, looked_at.to_at, looked_at.before_from, looked_at.before_to
        from ops.due_comparisons(p_now) as due
        cross join lateral ops.comparison_windows(due.began_at, due.age_minutes) as looked_at
        order by due.due_at, due.served
        limit p_limit
    loop
        v_measures := ops.compare_deployment(v_due.began_at, v_due.age_minutes, p_now);
        insert into ops.deployment_comparisons (
            served, age_minutes, made_at, from_at, to_at, before_from, before_to, verdict, measures
        )
        values (
            v_due.served, v_due.age_minutes, p_now, v_due.from_at, v_due.to_at, v_due.before_from, v_due.before_to,
            case
                when v_measures @> '[{"verdict": "worse"}]' then 'regressed'
                when v_measures @> '[{"verdict": "same"}]' or v_measures @> '[{"verdict": "better"}]' then 'fine'
                else 'insufficient'
            end,
            v_measures
        )
        on conflict (served, age_minutes) do nothing;
        v_made := v_made + 1;
    end loop;
    return v_made;
end
$$;

comment on function ops.compare_deployments(integer, timestamptz) is
    'Notes which deployments began to serve, makes at most p_limit of the comparisons that are due, each once, and returns how many it made.';

create or replace function ops.try_comparisons(p_environment text, p_now timestamptz)
returns jsonb
language plpgsql
set search_path = ''
as $$
begin
    if p_environment = 'production' then
        perform ops.compare_deployments(2, p_now);
    end if;
    return '[]'::jsonb;
exception
    -- Whatever could not be compared is compared by the next tick; this one goes on without it.
    when others then
        return jsonb_build_array('comparison of deployments: ' || sqlerrm);
end
$$;

comment on function ops.try_comparisons(text, timestamptz) is
    'Makes at most two of the comparisons that are due, and returns the warnings of the commit: why it could not, or none.';
