-- What funnels came to when they were counted last. The dashboard reads this and counts
-- nothing; the maintenance counts anew what is old, one funnel over one range at a time.

create or replace function ops.due_funnel(p_now timestamptz)
returns ops.funnel_results
language sql
stable
set search_path = ''
as $$
    select funnel.name, listed.environment, span.days, known.tried_at, known.as_of, known.result, known.failure
    from ops.funnels as funnel
    cross join unnest(ops.words('ops.environment')) as listed (environment)
    cross join (values
        (1, interval '30 minutes'), (7, interval '2 hours'), (30, interval '8 hours'), (90, interval '24 hours')
    ) as span (days, lasts)
    left join ops.funnel_results as known
        on known.funnel = funnel.name and known.environment = listed.environment and known.days = span.days
    where coalesce(known.tried_at <= p_now - span.lasts, true)
        -- Where nobody ever did anything there is nothing to count.
        and (
            listed.environment = 'production'
            or exists (select from ops.people where people.environment = listed.environment)
        )
    order by known.tried_at nulls first, span.days, listed.environment <> 'production', funnel.name
    limit 1
$$;

comment on function ops.due_funnel(timestamptz) is
    'The result that is to be counted next: the one that was tried longest ago of those that are too old, or null. The longer the range, the longer a result lasts.';

create or replace function ops.refresh_funnel(p_due ops.funnel_results, p_now timestamptz)
returns void
language plpgsql
set search_path = ''
as $$
declare
    v_result jsonb;
    v_failure text;
begin
    begin
        v_result := ops.count_funnel(
            (select funnel from ops.funnels as funnel where funnel.name = p_due.funnel),
            p_due.days,
            p_due.environment,
            null,
            p_now
        );
    exception
        -- One that cannot be counted must not keep the others from being.
        when query_canceled then
            v_failure := 'it takes longer than a call may';
        when others then
            v_failure := left(sqlerrm, 500);
    end;
    insert into ops.funnel_results as known (funnel, environment, days, tried_at, as_of, result, failure)
    values (
        p_due.funnel,
        p_due.environment,
        p_due.days,
        p_now,
        case when v_failure is null then p_now end,
        v_result,
        v_failure
    )
    on conflict (funnel, environment, days) do update
    set
        tried_at = excluded.tried_at,
        -- What was counted before is better than nothing, and says how old it is.
        as_of = coalesce(excluded.as_of, known.as_of),
        result = coalesce(excluded.result, known.result),
        failure = excluded.failure;
end
$$;

comment on function ops.refresh_funnel(ops.funnel_results, timestamptz) is
    'Counts a funnel over a range and keeps the result, or why there is none.';

create or replace function public.ops_refresh_funnels(p_run uuid, p_fence bigint, p_now timestamptz default null)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_run ops.runs;
    v_due ops.funnel_results;
begin
    perform ops.hold_functions();
    v_run := ops.lock_run(p_run, p_fence);
    if v_run.outcome <> 'running' then
        return jsonb_build_object('outcome', 'superseded');
    end if;
    v_due := ops.due_funnel(v_now);
    if v_due.funnel is null then
        return jsonb_build_object('outcome', 'done');
    end if;
    perform ops.refresh_funnel(v_due, v_now);
    return jsonb_build_object('outcome', 'more');
end
$$;

comment on function public.ops_refresh_funnels(uuid, bigint, timestamptz) is
    'Counts the funnel anew whose result is the oldest of those that are too old. The answer is more if it did, done if none is, and superseded if another run has taken over.';

create or replace function ops.dashboard_funnels(p_seconds integer, p_environment text)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
    v_days integer := case
        when p_seconds <= 86400 then 1
        when p_seconds <= 604800 then 7
        when p_seconds <= 2592000 then 30
        else 90
    end;
begin
    return (
        select coalesce(
            jsonb_agg(
                jsonb_build_object(
                    'name', funnel.name,
                    'withinSeconds', 60 * funnel.within_minutes,
                    'days', v_days,
                    'asOf', known.as_of,
                    'conversionRate', known.result -> 'conversionRate',
                    'steps', coalesce(known.result -> 'steps', '[]'),
                    'failure', known.failure
                )
                order by funnel.name
            ),
            '[]'
        )
        from ops.funnels as funnel
        left join ops.funnel_results as known
            on known.funnel = funnel.name and known.environment = p_environment and known.days = v_days
    );
end
$$;

comment on function ops.dashboard_funnels(integer, text) is
    'What each funnel came to when it was counted last, over the shortest of 1, 7, 30 and 90 days that holds the range, or else over 90 days. asOf says when that was, null before the first time.';
