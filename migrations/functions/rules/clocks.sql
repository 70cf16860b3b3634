-- What the rules observe of the clocks that call the jobs. A tick comes from one of them, so it
-- can see that another has stopped; if all have stopped, that is seen from outside.

create or replace function ops.observe_silent_clocks(p_now timestamptz, p_settings jsonb)
returns setof ops.observation
language sql
stable
set search_path = ''
as $$
    with bounds as (select (p_settings ->> 'threshold.clock_silent_periods')::numeric as most),
    clocks as (
        select
            read.clock,
            max(read.silent_periods) as worst,
            max(read.last_at) as last_at,
            bool_or(read.status = 'silent') as silent,
            bool_or(read.status = 'gone') as gone,
            bool_and(read.status = 'new') as all_new,
            jsonb_agg(read.job order by read.job) filter (where read.status in ('silent', 'gone')) as silent_jobs
        from bounds
        cross join lateral ops.read_clocks(bounds.most, p_now) as read
        group by read.clock
    ),
    judged as (
        select
            clocks.clock,
            case
                when clocks.silent or clocks.gone then 'bad'
                when clocks.all_new then 'insufficient'
                else 'good'
            end as verdict,
            clocks.worst, case when clocks.worst is not null then bounds.most end as most,
            jsonb_build_object('detail', jsonb_build_object('jobs', coalesce(clocks.silent_jobs, '[]')))
                || case
                    when clocks.silent and clocks.clock = 'supabase' then ops.why_scheduler_silent(clocks.last_at, p_now)
                    when clocks.gone and not clocks.silent then jsonb_build_object('reason', 'never_again')
                    else '{}'
                end as facts
        from clocks
        cross join bounds

        union all
        select state.subject, 'good', null, null, jsonb_build_object('reason', 'removed')
        from ops.alert_states as state
        where state.rule = 'clock_silent'
            and not exists (select from clocks where clocks.clock = state.subject)
    )
    select ops.make_observation(
        'clock_silent', clock, verdict, worst, most, 'periods',
        p_facts => jsonb_build_object('service', 'monitoring') || facts
    )
    from judged
$$;

comment on function ops.observe_silent_clocks(timestamptz, jsonb) is
    'The verdicts on clocks: one that no longer calls one of its jobs as often as it used to is bad, so is one that called once or twice and never again, and one that was forgotten is good.';

create or replace function ops.observe_missing_clocks(p_now timestamptz, p_settings jsonb)
returns setof ops.observation
language sql
stable
set search_path = ''
as $$
    with clocks as (
        -- A clock that still calls one of its jobs is not missing, nor one that never had a habit.
        select read.clock, bool_and(read.status in ('silent', 'gone')) and bool_or(read.status = 'silent') as missing
        from ops.read_clocks((p_settings ->> 'threshold.clock_silent_periods')::numeric, p_now) as read
        group by read.clock
    ),
    counted as (
        select
            count(*) as known,
            count(*) filter (where missing) as missing,
            coalesce(jsonb_agg(clock order by clock) filter (where missing), '[]') as names
        from clocks
    )
    select ops.make_observation(
        'clocks_missing', 'clocks', case when missing >= 2 then 'bad' else 'good' end, missing, 1,
        p_facts => jsonb_build_object('service', 'monitoring', 'detail', jsonb_build_object('clocks', names))
    )
    from counted
    where known > 0
$$;

comment on function ops.observe_missing_clocks(timestamptz, jsonb) is
    'The verdict on how many clocks call nothing any more: two are bad, because only what is left of them stands between the watching and its end.';

create or replace function ops.observe_clocks(p_now timestamptz, p_settings jsonb)
returns setof ops.observation
language sql
stable
set search_path = ''
as $$
    select * from ops.observe_silent_clocks(p_now, p_settings)
    union all
    select * from ops.observe_missing_clocks(p_now, p_settings)
$$;

comment on function ops.observe_clocks(timestamptz, jsonb) is 'The verdicts on the clocks that call the jobs.';
