-- How far people come in a funnel. Everybody's moments are put in order once and then
-- followed from the first to the last, so a long funnel costs hardly more than a short one.
--
-- A person has come to a step if they did the steps up to it one after the other, each
-- within the funnel's time after the first. What happened at the same time counts in the order
-- of the funnel. A person is a user; without one a session; without either the visitor of a day.
-- What a session did before somebody signed in is theirs, if the moments show one user alone in it.
-- Where the app's table and the door both tell of a person's doing the same thing, the table
-- counts: it would be there twice.

create or replace function ops.follow_funnel(
    p_steps integer,
    p_last smallint[],
    p_same smallint[],
    p_within interval,
    p_moments smallint[],
    p_at timestamptz[]
)
returns double precision[]
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
declare
    -- Which things the app's table tells of.
    v_logged boolean[];
    -- When the latest way that has come to each step began, and when that step was done last.
    v_begun timestamptz[] := array_fill(null::timestamptz, array[p_steps]);
    v_done timestamptz[] := v_begun;
    v_waits double precision[] := array[]::double precision[];
    v_thing integer;
    v_step integer;
    v_at timestamptz;
begin
    for v_nth in 1 .. cardinality(p_moments) loop
        v_thing := p_moments[v_nth];
        if v_thing < 0 then
            v_thing := -v_thing;
            if v_logged is null then
                v_logged := array(select nth = any (p_moments) from generate_series(1, p_steps) as nth order by nth);
            end if;
            continue when v_logged[v_thing];
        end if;
        v_at := p_at[v_nth];
        -- From the last step on, so that one moment is not two steps.
        v_step := p_last[v_thing];
        while v_step > 0 loop
            if v_step = 1 then
                v_begun[1] := v_at;
                v_done[1] := v_at;
                if cardinality(v_waits) = 0 then
                    v_waits := array[0.0::double precision];
                end if;
            elsif v_at <= v_begun[v_step - 1] + p_within then
                if cardinality(v_waits) < v_step then
                    v_waits := v_waits || extract(epoch from v_at - v_done[v_step - 1])::double precision;
                    if v_step = p_steps then
                        return v_waits;
                    end if;
                end if;
                v_begun[v_step] := v_begun[v_step - 1];
                v_done[v_step] := v_at;
            end if;
            v_step := p_same[v_step];
        end loop;
    end loop;
    return v_waits;
end
$$;

comment on function ops.follow_funnel(integer, smallint[], smallint[], interval, smallint[], timestamptz[]) is
    'How far one person comes in a funnel of so many steps: for each step that they reach, how many seconds after they last did the one before it. p_last says of each thing which step it is last, p_same of each step which one before it is the same thing, or 0. p_moments are the things that the person did, in order, negative where the door tells of it.';

create or replace function ops.logged_views(
    p_things text[],
    p_from timestamptz,
    p_to timestamptz,
    p_environment text,
    p_by text
)
returns table (thing smallint, at timestamptz, usr bigint, session bigint, visitor bigint, mark text)
language plpgsql
stable
set search_path = ''
as $$
begin
    return query
    select
        array_position(p_things, page.step)::smallint,
        "timestamp",
        hashtextextended(user_id::text, 1),
        hashtextextended(session_id, 2),
        null::bigint,
        case p_by when 'new' then user_id::text end
    from public.analytics_events
    cross join lateral (select 'page:' || ops.page_of(properties) as step) as page
    where "timestamp" > p_from and "timestamp" <= p_to
        and event_name = 'page_view'
        and coalesce(environment, 'production') = p_environment
        and page.step = any (p_things)
        and (user_id is not null or session_id is not null);
end
$$;

comment on function ops.logged_views(text[], timestamptz, timestamptz, text, text) is
    'The views of pages that the app''s table of events tells of, as ops.funnel_moments returns them.';

create or replace function ops.used_features(p_things text[], p_from timestamptz, p_to timestamptz, p_by text)
returns table (thing smallint, at timestamptz, usr bigint, session bigint, visitor bigint, mark text)
language plpgsql
stable
set search_path = ''
as $$
begin
    return query
    -- Of a day it is known when a feature was used first and last.
    select distinct
        array_position(p_things, 'feature:' || feature_name)::smallint,
        used.at,
        hashtextextended(user_id::text, 1),
        null::bigint,
        null::bigint,
        case p_by when 'new' then user_id::text end
    from public.feature_usage
    cross join lateral (values (first_used), (last_used)) as used (at)
    where date >= (p_from at time zone 'UTC')::date - 1
        and 'feature:' || feature_name = any (p_things)
        and used.at > p_from and used.at <= p_to
        and user_id is not null;
end
$$;

comment on function ops.used_features(text[], timestamptz, timestamptz, text) is
    'The uses of features by users, as ops.funnel_moments returns them.';

create or replace function ops.funnel_moments(
    p_things text[],
    p_from timestamptz,
    p_to timestamptz,
    p_environment text,
    p_by text
)
returns table (thing smallint, at timestamptz, usr bigint, session bigint, visitor bigint, mark text)
language plpgsql
stable
rows 1000000
set search_path = ''
as $$
declare
    -- With more of them a call could take longer than it may.
    c_limit constant bigint := 1500000;
    v_found bigint;
    v_more bigint;
    v_pages text[] := array(select substr(name, 6) from unnest(p_things) as name where name like 'page:%');
    v_events text[] := array(
        select name from unnest(p_things) as name where name not like 'page:%' and name not like 'feature:%'
    );
begin
    return query
    select
        moment.place::smallint,
        moment.at,
        -- Numbers are sorted and looked up faster than texts.
        hashtextextended(moment.account, 1),
        hashtextextended(moment.visit, 2),
        hashtextextended(moment.address, 3),
        case p_by when 'new' then moment.account when 'release' then moment.version end
    from (
        select
            array_position(p_things, event_name) as place,
            "timestamp" as at,
            user_id::text as account,
            session_id as visit,
            null::text as address,
            null::text as version
        from public.analytics_events
        where "timestamp" > p_from and "timestamp" <= p_to
            and event_name = any (v_events)
            and coalesce(environment, 'production') = p_environment
        union all
        select
            -array_position(p_things, case kind when 'page_view' then 'page:' || name else name end),
            items.at,
            case when not ops.is_visitor(person) then person end,
            items.session,
            person,
            release
        from ops.items
        where items.at > p_from and items.at <= p_to
            -- A partition a day: those of other days need not be read.
            and day between (p_from at time zone 'UTC')::date and (p_to at time zone 'UTC')::date
            and environment = p_environment
            and (kind = 'event' and name = any (v_events) or kind = 'page_view' and name = any (v_pages))
    ) as moment
    where moment.account is not null or moment.visit is not null or moment.address is not null
    limit c_limit + 1;
    get diagnostics v_found = row_count;

    -- What other funnels do not need is left alone: the app may lack it one day.
    if v_pages <> '{}' then
        return query
        select * from ops.logged_views(p_things, p_from, p_to, p_environment, p_by) limit c_limit + 1;
        get diagnostics v_more = row_count;
        v_found := v_found + v_more;
    end if;
    if exists (select from unnest(p_things) as name where name like 'feature:%') then
        return query
        select * from ops.used_features(p_things, p_from, p_to, p_by) limit c_limit + 1;
        get diagnostics v_more = row_count;
        v_found := v_found + v_more;
    end if;
    if v_found > c_limit then
        perform ops.refuse(
            'days',
            format('fewer, because at most %s moments of the steps can be followed', c_limit),
            v_found || ' or more'
        );
    end if;
end
$$;

comment on function ops.funnel_moments(text[], timestamptz, timestamptz, text, text) is
    'When somebody did one of these things: the number of the thing, negative where the door tells of it, hashes of what is known of who it was, and what p_by asks for: the user for new, the version of the app for release. Refuses with SQLSTATE 22023 what would take too long.';

create or replace function ops.funnel_steps(p_steps text[], p_counts bigint[], p_waits double precision[])
returns jsonb
language sql
immutable
set search_path = ''
as $$
    select jsonb_agg(
        jsonb_build_object(
            'step', step,
            'people', people,
            'ofFirst', round(100.0 * people / nullif(p_counts[1], 0), 2),
            'ofPrevious', round(100.0 * people / nullif(before, 0), 2),
            'droppedOff', before - people,
            'medianSeconds', case when nth > 1 then round(p_waits[nth]::numeric, 3) end
        )
        order by nth
    )
    from (
        select
            step,
            nth,
            coalesce(p_counts[nth], 0) as people,
            case when nth > 1 then coalesce(p_counts[nth - 1], 0) end as before
        from unnest(p_steps) with ordinality as listed (step, nth)
    ) as counted
$$;

comment on function ops.funnel_steps(text[], bigint[], double precision[]) is
    'The steps of a funnel with how many people came to each, what share of the first and of the previous step that is in %, how many were lost since that, and the median of the seconds since it.';

create or replace function ops.funnel_people(
    p_funnel ops.funnels,
    p_from timestamptz,
    p_to timestamptz,
    p_environment text,
    p_by text
)
returns table (mark text, waits double precision[])
language plpgsql
stable
rows 100000
set search_path = ''
as $$
declare
    v_things text[] := array(
        select step from unnest(p_funnel.steps) with ordinality as listed (step, nth) group by step order by min(nth)
    );
    v_last smallint[] := array(
        select max(listed.nth)::smallint
        from unnest(v_things) with ordinality as thing (step, nth)
        join unnest(p_funnel.steps) with ordinality as listed (step, nth) on listed.step = thing.step
        group by thing.nth
        order by thing.nth
    );
    v_same smallint[] := array(
        select coalesce(lag(nth) over (partition by step order by nth), 0)::smallint
        from unnest(p_funnel.steps) with ordinality as listed (step, nth)
        order by nth
    );
begin
    return query
    with moments as materialized (
        select * from ops.funnel_moments(v_things, p_from, p_to, p_environment, p_by)
    ),
    owners as (
        select moments.session, min(moments.usr) as usr
        from moments
        where moments.usr is not null
            and moments.session in (select nameless.session from moments as nameless where nameless.usr is null)
        group by moments.session
        having min(moments.usr) = max(moments.usr)
    ),
    ordered as (
        select
            coalesce(moments.usr, owners.usr, moments.session, moments.visitor) as person,
            moments.thing,
            moments.at,
            moments.mark
        from moments
        left join owners on moments.usr is null and owners.session = moments.session
        order by 1, moments.at, abs(moments.thing), moments.mark
    )
    -- The moments of each are in the order of the rows; to sort them once more would cost most of all.
    select
        (array_agg(ordered.mark) filter (where ordered.mark is not null))[1],
        ops.follow_funnel(
            cardinality(p_funnel.steps),
            v_last,
            v_same,
            make_interval(mins => p_funnel.within_minutes),
            array_agg(ordered.thing),
            array_agg(ordered.at)
        )
    from ordered
    group by ordered.person;
end
$$;

comment on function ops.funnel_people(ops.funnels, timestamptz, timestamptz, text, text) is
    'How far everybody came who did something of a funnel, as ops.follow_funnel says it, with what p_by asks for: the first that is known of each.';

create or replace function ops.count_funnel(
    p_funnel ops.funnels,
    p_days integer,
    p_environment text,
    p_by text,
    p_now timestamptz
)
returns jsonb
language plpgsql
stable
set search_path = ''
-- Compiling a plan would take longer than running it, and a million moments are sorted.
set jit = off
set work_mem = '32MB'
as $$
declare
    v_from timestamptz := p_now - make_interval(hours => 24 * p_days);
    v_counts jsonb;
begin
    with former as (
        -- What is known of a time is its minute.
        select known.person
        from ops.people as known
        where p_by = 'new' and known.environment = p_environment and known.first_at < date_trunc('minute', v_from)
        union
        select person
        from unnest(ops.pending_people('-infinity', date_trunc('minute', v_from), p_environment)) as figure
        cross join lateral unnest(figure.people) as person
        where p_by = 'new'
    ),
    reached as (
        select
            case p_by
                when 'release' then coalesce(people.mark, 'unknown')
                when 'new' then case
                    when people.mark is null then 'unknown'
                    when former.person is not null then 'returning'
                    else 'new'
                end
            end as part,
            step.nth,
            step.wait
        from ops.funnel_people(p_funnel, v_from, p_now, p_environment, p_by) as people
        left join former on former.person = case p_by when 'new' then ops.hash_id(people.mark) end
        cross join lateral unnest(people.waits) with ordinality as step (wait, nth)
    ),
    counted as (
        select
            grouping(part) = 1 as whole,
            part,
            nth,
            count(*) as people,
            percentile_cont(0.5) within group (order by wait) as median
        from reached
        group by grouping sets ((nth), (part, nth))
    ),
    parts as (
        select
            whole,
            part,
            ops.funnel_steps(p_funnel.steps, array_agg(people order by nth), array_agg(median order by nth)) as steps,
            max(people) as people
        from counted
        group by whole, part
    ),
    largest as (
        select * from parts where not whole and p_by is not null order by people desc, part limit 20
    )
    select jsonb_build_object(
        'steps', coalesce((select steps from parts where whole), ops.funnel_steps(p_funnel.steps, '{}', '{}')),
        'by', p_by,
        'parts', coalesce(
            (
                select jsonb_agg(jsonb_build_object('part', part, 'steps', steps) order by people desc, part)
                from largest
            ),
            '[]'
        )
    ) into v_counts;

    return v_counts || jsonb_build_object(
        'days', p_days,
        'environment', p_environment,
        'asOf', p_now,
        'conversionRate', v_counts #> '{steps,-1,ofFirst}'
    );
end
$$;

comment on function ops.count_funnel(ops.funnels, integer, text, text, timestamptz) is
    'Counts a funnel over the days up to p_now, as a whole and, if that is asked for, by the release that people are first known to have had there or by whether they are new; of releases the 20 with most people.';

create or replace function public.ops_funnel(
    p_name text,
    p_days integer default 30,
    p_environment text default 'production',
    p_by text default null,
    p_now timestamptz default null
)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_funnel ops.funnels;
begin
    perform ops.check_number('days', p_days, 1, 92);
    perform ops.check_word('environment', p_environment, ops.words('ops.environment'));
    if p_by is not null then
        perform ops.check_word('by', p_by, array['release', 'new']);
    end if;
    v_funnel := ops.find_funnel(p_name);
    return ops.funnel_document(v_funnel)
        || ops.count_funnel(v_funnel, p_days, p_environment, p_by, v_now)
        -- Of what is older the door keeps nothing.
        || jsonb_build_object('itemsKeptDays', ops.read_settings() -> 'retention.items_days');
end
$$;

comment on function public.ops_funnel(text, integer, text, text, timestamptz) is
    'Counts a funnel now: for each step how many people came to it in the last p_days, on ways that began there, and what that is of the first and of the previous step; by release or by new if p_by says so.';
