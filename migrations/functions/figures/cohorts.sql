-- Cohorts: of the people who were first there in a week or on a day, how many came back in
-- each later one.

create or replace function ops.cohort_firsts(p_from timestamptz, p_to timestamptz, p_environment text)
returns table (person bigint, first_at timestamptz)
language plpgsql
stable
rows 10000
set search_path = ''
as $$
begin
    return query
    with pending as materialized (
        select seen.id, min(figure.at) as at
        from unnest(ops.pending_people('-infinity', p_to, p_environment)) as figure
        cross join lateral unnest(figure.people) as seen (id)
        group by seen.id
    )
    select known.person, least(known.first_at, pending.at)
    from ops.people as known
    left join pending on pending.id = known.person
    where known.environment = p_environment
        and known.first_at >= p_from
        and known.first_at < p_to
        and coalesce(pending.at >= p_from, true)
    union all
    select pending.id, pending.at
    from pending
    where pending.at >= p_from
        and not exists (
            select
            from ops.people as known
            where known.environment = p_environment and known.person = pending.id and known.first_at < p_to
        );
end
$$;

comment on function ops.cohort_firsts(timestamptz, timestamptz, text) is
    'Everybody who was first there from p_from on and before p_to, which is now, and when that was.';

create or replace function ops.count_returned(
    p_step interval,
    p_from timestamptz,
    p_to timestamptz,
    p_environment text
)
returns table (cohort timestamptz, later timestamptz, people bigint)
language plpgsql
stable
set search_path = ''
as $$
begin
    return query
    with firsts as materialized (
        select firsts.person, date_bin(p_step, firsts.first_at, '1970-01-05Z') as at
        from ops.cohort_firsts(p_from, p_to, p_environment) as firsts
    ),
    days as (
        select known.person, known.day
        from ops.daily_people as known
        where known.environment = p_environment and known.day >= p_from and known.day < p_to
        union all
        select seen.id, figure.at
        from unnest(ops.pending_people(p_from, p_to, p_environment)) as figure
        cross join lateral unnest(figure.people) as seen (id)
    ),
    seen as (
        select distinct firsts.at as first_at, firsts.person, date_bin(p_step, days.day, '1970-01-05Z') as at
        from firsts
        join days on days.person = firsts.person
        union
        -- The first time is known for longer than single days are.
        select firsts.at, firsts.person, firsts.at from firsts
    )
    select seen.first_at, seen.at, count(*)
    from seen
    group by seen.first_at, seen.at;
end
$$;

comment on function ops.count_returned(interval, timestamptz, timestamptz, text) is
    'Of the people who were first there in each week or on each day, how many were there in each later one.';

create or replace function public.ops_retention(
    p_unit text default 'week',
    p_count integer default 8,
    p_environment text default 'production',
    p_now timestamptz default null
)
returns jsonb
language plpgsql
stable
set search_path = ''
-- Compiling a plan would take longer than running it.
set jit = off
set work_mem = '32MB'
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_step interval;
    v_current timestamptz;
    v_from timestamptz;
    v_known timestamptz := ops.people_kept_from(v_now);
begin
    perform ops.check_word('unit', p_unit, array['day', 'week']);
    perform ops.check_number('count', p_count, 1, case p_unit when 'week' then 13 else 31 end);
    perform ops.check_word('environment', p_environment, ops.words('ops.environment'));
    v_step := case p_unit when 'week' then interval '168 hours' else interval '24 hours' end;
    v_current := date_bin(v_step, v_now, '1970-01-05Z');
    v_from := v_current - (p_count - 1) * v_step;

    return jsonb_build_object(
        'unit', p_unit,
        'environment', p_environment,
        'asOf', v_now,
        'cohorts', (
            with counted as materialized (
                select * from ops.count_returned(v_step, v_from, v_now, p_environment)
            )
            select jsonb_agg(
                jsonb_build_object(
                    'from', cohort.at,
                    'people', coalesce(
                        (select people from counted where counted.cohort = cohort.at and later = cohort.at), 0
                    ),
                    'returned', (
                        select coalesce(
                            -- Who was there on a day that is forgotten is not known any more.
                            jsonb_agg(
                                case when later.at >= v_known then coalesce(counted.people, 0) end order by later.at
                            ),
                            '[]'
                        )
                        from generate_series(cohort.at + v_step, v_current, v_step) as later (at)
                        left join counted on counted.cohort = cohort.at and counted.later = later.at
                    )
                )
                order by cohort.at
            )
            from generate_series(v_from, v_current, v_step) as cohort (at)
        )
    );
end
$$;

comment on function public.ops_retention(text, integer, text, timestamptz) is
    'Of the people who were first there in each of the last p_count weeks, from Monday on, or days, in UTC, how many came back in each later one, the one that is not over included; null where it is not known any more.';
