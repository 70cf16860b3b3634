-- What a report says of the application in a period. The sums are the dashboard's own: its
-- functions take any range whose ends are midnights. A period before the first figure has no
-- figures, not zeros.

create or replace function ops.report_number(p_value jsonb)
returns numeric
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
begin
    return case jsonb_typeof(p_value) when 'number' then p_value::numeric end;
end
$$;

comment on function ops.report_number(jsonb) is 'The number that a document holds, or null.';

create or replace function ops.has_figures_before(p_kinds text[], p_environment text, p_to timestamptz)
returns boolean
language plpgsql
stable
set search_path = ''
as $$
begin
    return exists (
        select
        from ops.figures
        where kind = any (p_kinds) and environment = any (array['', p_environment]) and grain = 86400 and at < p_to
    ) or exists (
        select
        from ops.pending_figures
        where kind = any (p_kinds) and environment = any (array['', p_environment]) and at < p_to
    );
end
$$;

comment on function ops.has_figures_before(text[], text, timestamptz) is
    'Whether anything of these kinds was counted before a time, so that a period without any had none.';

create or replace function ops.report_traffic(p_from timestamptz, p_to timestamptz, p_environment text)
returns table (line text, subject text, value numeric, samples bigint)
language plpgsql
stable
set search_path = ''
as $$
declare
    v_performance jsonb := ops.dashboard_performance(p_from, p_to, p_environment);
    v_errors jsonb := ops.dashboard_errors(p_from, p_to, p_environment);
    v_requests bigint := (v_performance ->> 'requests')::bigint;
    v_asked boolean := ops.has_figures_before(array['request', 'requests'], p_environment, p_to);
    v_watched boolean := ops.has_figures_before(
        array['request', 'requests', 'error', 'errors', 'event', 'view', 'metric', 'visit', 'session'],
        p_environment, p_to
    );
begin
    return query values
        ('requests', '', case when v_asked then v_requests end::numeric, null::bigint),
        ('response_average', '', ops.report_number(v_performance -> 'averageResponseTime'), v_requests),
        ('response_p95', '', ops.report_number(v_performance -> 'p95ResponseTime'), v_requests),
        ('error_rate', '', ops.report_number(v_errors -> 'errorRate'), v_requests),
        ('errors', '', case when v_watched then ops.report_number(v_errors -> 'totalErrors') end, null),
        ('errors_critical', '', case when v_watched then ops.report_number(v_errors -> 'criticalErrors') end, null);
end
$$;

comment on function ops.report_traffic(timestamptz, timestamptz, text) is
    'Requests, how long they took in ms, how many failed in %, and the errors of a period.';

create or replace function ops.count_people(
    p_from timestamptz,
    p_to timestamptz,
    p_now timestamptz,
    p_environment text
)
returns bigint
language plpgsql
stable
set search_path = ''
as $$
begin
    -- Who was there on a day that is forgotten is not known any more.
    if p_from < ops.people_kept_from(p_now) then
        return null;
    end if;
    return (
        select count(*)
        from (
            select person from ops.daily_people where environment = p_environment and day >= p_from and day < p_to
            union
            select seen.id
            from unnest(ops.pending_people(p_from, p_to, p_environment)) as pending
            cross join lateral unnest(pending.people) as seen (id)
        ) as people
    );
end
$$;

comment on function ops.count_people(timestamptz, timestamptz, timestamptz, text) is
    'How many different people there were from one midnight to another; null where that is not kept any more.';

create or replace function ops.report_use(
    p_from timestamptz,
    p_to timestamptz,
    p_now timestamptz,
    p_environment text
)
returns table (line text, subject text, value numeric, samples bigint)
language plpgsql
stable
set search_path = ''
as $$
declare
    v_sessions jsonb := ops.dashboard_sessions(p_from, p_to, p_environment);
    v_business jsonb := ops.dashboard_business(p_from, p_to, p_environment);
    v_seen boolean := ops.has_figures_before(array['people', 'visit', 'active', 'request', 'event'], p_environment, p_to);
    v_met boolean := ops.has_figures_before(array['session'], p_environment, p_to);
begin
    return query
    values
        (
            'people', '',
            case when v_seen then ops.count_people(p_from, p_to, p_now, p_environment) end::numeric, null::bigint
        ),
        ('people_new', '', case when v_seen then ops.new_users(p_from, p_to, p_environment) end, null),
        ('visits', '', case when v_seen then ops.report_number(v_sessions -> 'visits') end, null),
        ('sessions', '', case when v_met then ops.report_number(v_sessions -> 'sessions') end, null),
        ('conversion', '', ops.report_number(v_business -> 'conversionRate'), null);
    return query
    select 'feature', feature ->> 'feature', ops.report_number(feature -> 'uses'), null::bigint
    from jsonb_array_elements(ops.dashboard_features(p_from, p_to)) as feature;
    return query
    select 'event', event.key, ops.report_number(event.value), null::bigint
    from jsonb_each(v_business -> 'events') as event;
end
$$;

comment on function ops.report_use(timestamptz, timestamptz, timestamptz, text) is
    'Who was there in a period, for how long, what was used and what was done.';

create or replace function ops.report_vitals(p_from timestamptz, p_to timestamptz, p_environment text)
returns table (line text, subject text, value numeric, samples bigint)
language plpgsql
stable
set search_path = ''
as $$
begin
    return query
    select 'web_vital', vital.key, ops.report_number(vital.value -> 'p75'), (vital.value ->> 'views')::bigint
    from jsonb_each(ops.dashboard_measurements(p_from, p_to, p_environment) -> 'webVitals') as vital
    where vital.key in ('LCP', 'INP', 'CLS');
end
$$;

comment on function ops.report_vitals(timestamptz, timestamptz, text) is
    'The Web Vitals of a period: what three of four page views stayed below.';

create or replace function ops.report_issues(p_from timestamptz, p_to timestamptz, p_environment text)
returns table (line text, subject text, value numeric, samples bigint)
language plpgsql
stable
set search_path = ''
as $$
declare
    v_began timestamptz := (select min(first_seen) from ops.issues where environment = p_environment);
    v_written timestamptz := (select min(at) from ops.feedback where environment = p_environment);
begin
    return query
    select
        'issues_new', '',
        case when v_began < p_to then count(*) filter (where first_seen >= p_from and first_seen < p_to) end::numeric,
        null::bigint
    from ops.issues
    where environment = p_environment
    union all
    select
        'issues_regressed', '',
        case when v_began < p_to then count(*) filter (where regressed_at >= p_from and regressed_at < p_to) end,
        null
    from ops.issues
    where environment = p_environment
    union all
    select
        'feedback', '',
        case when v_written < p_to then count(*) filter (where at >= p_from and at < p_to) end,
        null
    from ops.feedback
    where environment = p_environment;
end
$$;

comment on function ops.report_issues(timestamptz, timestamptz, text) is
    'How many kinds of error came or came back in a period, and how much feedback was written.';
