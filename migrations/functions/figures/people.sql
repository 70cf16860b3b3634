-- People and visits: how many different users and session ids there were. A user is known by a
-- hash, with the first and the last minute, so that who was active up to now is a range of an
-- index. What the application writes without an environment counts for every one.

create or replace function ops.environments_of(p_environment text)
returns text[]
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
begin
    return case p_environment
        when '' then array['production', 'preview', 'development']
        else array[p_environment]
    end;
end
$$;

comment on function ops.environments_of(text) is 'The environments that a figure counts for.';

create or replace function ops.add_people(p_rows ops.pending_figures[])
returns void
language plpgsql
set search_path = ''
as $$
begin
    insert into ops.people as known (environment, person, first_at, last_at)
    select counts_for, person, min(at), max(at)
    from unnest(p_rows) as figure
    cross join lateral unnest(figure.people) as person
    cross join lateral unnest(ops.environments_of(figure.environment)) as counts_for
    group by counts_for, person
    order by counts_for, person
    on conflict (environment, person) do update
    set first_at = least(known.first_at, excluded.first_at), last_at = greatest(known.last_at, excluded.last_at)
    where excluded.first_at < known.first_at or excluded.last_at > known.last_at;
end
$$;

comment on function ops.add_people(ops.pending_figures[]) is
    'Notes when the people of some figures were there first and last.';

create or replace function ops.people_kept_from(p_now timestamptz)
returns timestamptz
language sql
stable
set search_path = ''
as $$
    select date_bin('1 day', p_now, '1970-01-05Z')
        - make_interval(hours => 24 * (value #>> '{}')::integer)
    from ops.settings
    where key = 'retention.visits_days'
$$;

comment on function ops.people_kept_from(timestamptz) is
    'From which day on it is known who was there on each day, and which session ids have been seen.';

create or replace function ops.make_figure(
    p_kind text,
    p_environment text,
    p_at timestamptz,
    p_n bigint
)
returns ops.pending_figures
language plpgsql
immutable
set search_path = ''
as $$
begin
    return row(
        null, p_kind, p_environment, '', '', '', p_at, p_n, '{}', 0, 0, 0, 0, null, null, null, null, null,
        '{}', '{}', null, '{}', '{}'
    )::ops.pending_figures;
end
$$;

comment on function ops.make_figure(text, text, timestamptz, bigint) is 'A figure that is a number alone.';

create or replace function ops.add_days_of_people(p_rows ops.pending_figures[], p_now timestamptz)
returns ops.pending_figures[]
language plpgsql
set search_path = ''
as $$
declare
    v_from timestamptz := ops.people_kept_from(p_now);
    v_figures ops.pending_figures[];
begin
    with fresh as (
        insert into ops.daily_people (environment, day, person)
        select distinct counts_for, date_bin('1 day', figure.at, '1970-01-05Z'), person
        from unnest(p_rows) as figure
        cross join lateral unnest(figure.people) as person
        cross join lateral unnest(ops.environments_of(figure.environment)) as counts_for
        -- Whom a day that is forgotten had is not known any more.
        where figure.at >= v_from
        on conflict do nothing
        returning environment, day
    )
    select array_agg(ops.make_figure('active', environment, day, n))
    into v_figures
    from (select environment, day, count(*) as n from fresh group by environment, day) as days;
    return coalesce(v_figures, '{}');
end
$$;

comment on function ops.add_days_of_people(ops.pending_figures[], timestamptz) is
    'Notes who was there on which day, and returns how many people that adds to each day.';

create or replace function ops.moved_visits(p_rows ops.pending_figures[], p_from timestamptz)
returns table (environment text, session bigint, began timestamptz, had_begun timestamptz)
language plpgsql
stable
set search_path = ''
as $$
begin
    return query
    select seen.environment, seen.session, seen.began, known.first_at
    from (
        select figure.environment, session_id as session, min(figure.at) as began
        from unnest(p_rows) as figure
        cross join lateral unnest(figure.sessions) as session_id
        where figure.at >= p_from
        group by figure.environment, session_id
    ) as seen
    left join ops.visits as known on known.environment = seen.environment and known.session = seen.session
    where known.first_at is null or seen.began < known.first_at;
end
$$;

comment on function ops.moved_visits(ops.pending_figures[], timestamptz) is
    'The visits that some figures of times since p_from begin, or let begin earlier than was known.';

create or replace function ops.add_visits(p_rows ops.pending_figures[], p_now timestamptz)
returns ops.pending_figures[]
language plpgsql
set search_path = ''
as $$
declare
    v_figures ops.pending_figures[];
begin
    with moved as materialized (
        select * from ops.moved_visits(p_rows, ops.people_kept_from(p_now))
    ),
    noted as (
        insert into ops.visits as known (environment, session, first_at)
        select environment, session, began from moved order by environment, session
        on conflict (environment, session) do update set first_at = excluded.first_at
    ),
    changes as (
        select environment, began as at, 1 as n from moved
        union all
        select environment, had_begun, -1 from moved where had_begun is not null
    )
    select array_agg(ops.make_figure('visit', environment, at, n))
    into v_figures
    from (select environment, at, sum(n) as n from changes group by environment, at having sum(n) <> 0) as minutes;
    return coalesce(v_figures, '{}');
end
$$;

comment on function ops.add_visits(ops.pending_figures[], timestamptz) is
    'Notes when visits began, and returns how many that adds to each minute, or takes from it.';

create or replace function ops.pending_people(p_from timestamptz, p_to timestamptz, p_environment text)
returns ops.pending_figures[]
language plpgsql
stable
set search_path = ''
as $$
begin
    return array(
        select pending::ops.pending_figures
        from ops.pending_figures as pending
        where kind = 'people' and environment in ('', p_environment) and at >= p_from and at < p_to
    );
end
$$;

comment on function ops.pending_people(timestamptz, timestamptz, text) is
    'The people of an environment that are not rolled up yet.';

create or replace function ops.active_since(p_since timestamptz[], p_to timestamptz, p_environment text)
returns bigint[]
language plpgsql
stable
set search_path = ''
as $$
declare
    v_since timestamptz[] := array(
        select ops.window_from('people', since, p_to)
        from unnest(p_since) with ordinality as asked (since, nth)
        order by nth
    );
    v_from timestamptz := (select min(since) from unnest(v_since) as since);
begin
    return (
        -- Who is not rolled up yet counts where the rolled up time is too long ago.
        with pending as (
            select seen.id, max(figure.at) as last_at, max(known.last_at) as known_at
            from unnest(ops.pending_people(v_from, p_to, p_environment)) as figure
            cross join lateral unnest(figure.people) as seen (id)
            left join ops.people as known on known.environment = p_environment and known.person = seen.id
            group by seen.id
        )
        select array_agg(rolled.people[nth] + fresh.people order by nth)
        from (
            -- One look at the index answers for all of them.
            select array[
                count(*) filter (where last_at >= v_since[1]), count(*) filter (where last_at >= v_since[2]),
                count(*) filter (where last_at >= v_since[3]), count(*) filter (where last_at >= v_since[4])
            ] as people
            from ops.people
            where environment = p_environment and last_at >= v_from and last_at < p_to
        ) as rolled
        cross join unnest(v_since) with ordinality as asked (since, nth)
        cross join lateral (
            select count(*) as people
            from pending
            where last_at >= since and coalesce(known_at < since, true)
        ) as fresh
    );
end
$$;

comment on function ops.active_since(timestamptz[], timestamptz, text) is
    'How many different people caused an event or an API call since each of at most four times, up to p_to, which is now.';

create or replace function ops.active_users(p_from timestamptz, p_to timestamptz, p_environment text)
returns bigint
language plpgsql
stable
set search_path = ''
as $$
begin
    return (ops.active_since(array[p_from], p_to, p_environment))[1];
end
$$;

comment on function ops.active_users(timestamptz, timestamptz, text) is
    'How many different people caused an event or an API call since p_from, up to p_to, which is now.';

create or replace function ops.new_users(p_from timestamptz, p_to timestamptz, p_environment text)
returns bigint
language plpgsql
stable
set search_path = ''
as $$
declare
    v_from timestamptz := ops.window_from('people', p_from, p_to);
    -- Something older of a person may still be pending.
    v_older bigint[] := array(
        select person
        from unnest(ops.pending_people('-infinity', v_from, p_environment)) as pending
        cross join lateral unnest(pending.people) as person
    );
begin
    return (
        select count(*)
        from ops.people
        where environment = p_environment and first_at >= v_from and first_at < p_to
    ) - (
        select count(*)
        from ops.people
        where environment = p_environment and first_at >= v_from and first_at < p_to and person = any (v_older)
    ) + (
        select count(*)
        from (
            select seen.id
            from unnest(ops.pending_people('-infinity', p_to, p_environment)) as pending
            cross join lateral unnest(pending.people) as seen (id)
            where not exists (
                select from ops.people as known where known.environment = p_environment and known.person = seen.id
            )
            group by seen.id
            having min(pending.at) >= v_from
        ) as unknown_before
    );
end
$$;

comment on function ops.new_users(timestamptz, timestamptz, text) is
    'How many people there were since p_from, up to p_to, which is now, who had never been seen before.';

create or replace function ops.count_person_days(p_from timestamptz, p_to timestamptz, p_now timestamptz, p_environment text)
returns bigint
language plpgsql
stable
set search_path = ''
as $$
begin
    return (
        select coalesce(sum(n), 0) from ops.read_figures('active', p_environment, p_from, p_to)
    ) + (
        select count(*)
        from (
            select distinct date_bin('1 day', pending.at, '1970-01-05Z') as day, person
            from unnest(ops.pending_people(p_from, p_to, p_environment)) as pending
            cross join lateral unnest(pending.people) as person
        ) as seen
        where seen.day >= ops.people_kept_from(p_now)
            and not exists (
                select
                from ops.daily_people as known
                where known.environment = p_environment and known.day = seen.day and known.person = seen.person
            )
    );
end
$$;

comment on function ops.count_person_days(timestamptz, timestamptz, timestamptz, text) is
    'How many people there were on each of the days from p_from up to p_to, which are midnights, all days together.';

create or replace function ops.count_visits(p_from timestamptz, p_to timestamptz, p_environment text)
returns bigint
language plpgsql
stable
set search_path = ''
as $$
declare
    v_from timestamptz := ops.window_from('visit', p_from, p_to);
begin
    return (
        select coalesce(sum(n), 0) from ops.read_figures('visit', p_environment, v_from, p_to)
    ) + (
        select
            count(*) filter (where began >= v_from) - count(*) filter (where had_begun >= v_from and had_begun < p_to)
        from ops.moved_visits(
            ops.pending_people('-infinity', p_to, p_environment), ops.people_kept_from(p_to)
        )
    );
end
$$;

comment on function ops.count_visits(timestamptz, timestamptz, text) is
    'How many visits began since p_from, up to p_to: session ids of events, each where it was seen first.';
