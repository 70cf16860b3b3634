-- The roll-up: it takes pending figures away and adds them to minutes, hours, six hours, days,
-- weeks and four weeks, in one transaction, so that a row is counted once, whoever dies when.
-- A figure of a time that has not come yet stays pending. Only one roll-up is at work at a time.

create or replace function ops.take_pending(p_limit integer, p_now timestamptz)
returns ops.pending_figures[]
language plpgsql
set search_path = ''
as $$
declare
    v_taken ops.pending_figures[];
begin
    with taken as (
        delete from ops.pending_figures
        where id in (
            select id from ops.pending_figures where at < p_now order by id limit p_limit
        )
        returning *
    )
    select array_agg(taken::ops.pending_figures) into v_taken from taken;
    return coalesce(v_taken, '{}');
end
$$;

comment on function ops.take_pending(integer, timestamptz) is
    'Takes pending figures away, the oldest first, and returns them.';

create or replace function ops.admit_names(p_rows ops.pending_figures[])
returns ops.pending_figures[]
language plpgsql
stable
set search_path = ''
as $$
declare
    v_over text[];
begin
    with named as (
        select kind, environment, date_bin('1 day', at, '1970-01-05Z') as day, name, n
        from unnest(p_rows)
        where kind not in ('people', 'visit', 'active')
        union all
        select 'errors', environment, date_bin('1 day', at, '1970-01-05Z'), category, n
        from unnest(p_rows)
        where kind = 'error'
    ),
    wanted as (
        select kind, environment, day, name, sum(n) as n
        from named
        group by kind, environment, day, name
    ),
    fresh as (
        select
            wanted.*,
            row_number() over (partition by kind, environment, day order by n desc, name) as nth
        from wanted
        where name <> 'other'
            and not exists (
                select
                from ops.figures as known
                where known.kind = wanted.kind
                    and known.environment = wanted.environment
                    and known.grain = 86400
                    and known.at = wanted.day
                    and known.name = wanted.name
            )
    )
    select array_agg(concat_ws('|', fresh.kind, fresh.environment, fresh.day, fresh.name))
    into v_over
    from fresh
    where fresh.nth + (
        select count(distinct known.name)
        from ops.figures as known
        where known.kind = fresh.kind
            and known.environment = fresh.environment
            and known.grain = 86400
            and known.at = fresh.day
    ) > case fresh.kind when 'errors' then 50 else 500 end;
    if v_over is null then
        return p_rows;
    end if;

    return array(
        select row(
            id, kind, environment,
            case when concat_ws('|', kind, environment, day, name) = any (v_over) then 'other' else name end,
            part,
            case when concat_ws('|', 'errors', environment, day, category) = any (v_over) then 'other' else category end,
            at, n, tallies, fast, left_out, measured, total, low, high, latest, first_at, last_at,
            buckets, counts, sample, people, sessions
        )::ops.pending_figures
        from (select *, date_bin('1 day', at, '1970-01-05Z') as day from unnest(p_rows)) as rows
    );
end
$$;

comment on function ops.admit_names(ops.pending_figures[]) is
    'The figures with the word other for each name that is new on a day which has 500 names of its kind, or 50 categories of errors, already.';

create or replace function ops.collapse_figures(p_rows ops.pending_figures[])
returns ops.pending_figures[]
language plpgsql
immutable
set search_path = ''
as $$
begin
    return array(
        with sums as (
            select
                kind, environment, name, part, category, at,
                sum(n)::bigint as n,
                array[
                    sum(tallies[1]), sum(tallies[2]), sum(tallies[3]), sum(tallies[4]),
                    sum(tallies[5]), sum(tallies[6]), sum(tallies[7])
                ]::bigint[] as tallies,
                sum(fast)::bigint as fast,
                sum(left_out)::bigint as left_out,
                sum(measured)::bigint as measured,
                sum(total) as total,
                min(low) as low,
                max(high) as high,
                (array_agg(latest order by last_at desc) filter (where latest is not null))[1] as latest,
                min(first_at) as first_at,
                max(last_at) as last_at,
                (array_agg(sample order by last_at desc) filter (where sample is not null))[1] as sample
            from unnest(p_rows)
            where kind <> 'people'
            group by kind, environment, name, part, category, at
        ),
        spreads as (
            select
                kind, environment, name, part, category, at,
                array_agg(bucket order by bucket) as buckets,
                array_agg(n order by bucket) as counts
            from (
                select kind, environment, name, part, category, at, bucket, sum(counted)::bigint as n
                from (
                    select
                        kind, environment, name, part, category, at,
                        unnest(buckets) as bucket, unnest(counts) as counted
                    from unnest(p_rows)
                ) as spread
                group by kind, environment, name, part, category, at, bucket
                having sum(counted) <> 0
            ) as filled
            group by kind, environment, name, part, category, at
        )
        select row(
            null, kind, environment, name, part, category, at, n, array_remove(tallies, null), fast, left_out,
            measured, total, low, high, latest, first_at, last_at, coalesce(buckets, '{}'),
            coalesce(counts, '{}'), sample, '{}', '{}'
        )::ops.pending_figures
        from sums
        left join spreads using (kind, environment, name, part, category, at)
    );
end
$$;

comment on function ops.collapse_figures(ops.pending_figures[]) is
    'The figures with one row for each minute and key. People are none of them.';

create or replace function ops.with_totals(p_rows ops.pending_figures[])
returns ops.pending_figures[]
language plpgsql
immutable
set search_path = ''
as $$
begin
    return p_rows || array(
        select row(
            id, case kind when 'request' then 'requests' else 'errors' end, environment,
            case kind when 'request' then '' else category end, part, '',
            at, n, tallies, fast, left_out, measured, total, low, high, latest, first_at, last_at,
            buckets, counts, null, people, sessions
        )::ops.pending_figures
        from unnest(p_rows)
        where kind = 'error' or kind = 'request' and category <> 'apart'
    );
end
$$;

comment on function ops.with_totals(ops.pending_figures[]) is
    'The figures with those of all endpoints together, unless they come apart, and of all errors by category.';

create or replace function ops.add_figures(p_rows ops.pending_figures[], p_now timestamptz)
returns void
language plpgsql
set search_path = ''
as $$
declare
    v_few_from timestamptz := ops.minutes_from('request', p_now);
    v_many_from timestamptz := ops.minutes_from('requests', p_now);
begin
    insert into ops.figures as known (
        kind, environment, grain, at, name, part, n, tallies, fast, left_out, measured, total, low, high,
        latest, first_at, last_at, buckets, counts
    )
    select
        kind, environment, grain, at, name, part, n, tallies, fast, left_out, measured, total, low, high,
        latest, first_at, last_at, buckets, counts
    from (values (60), (3600), (21600), (86400), (604800), (2419200)) as grains (grain)
    cross join lateral unnest(ops.collapse_figures(array(
        select row(
            id, kind, environment, name, part, '', date_bin(make_interval(secs => grain), at, '1970-01-05Z'),
            n, tallies, fast, left_out, measured, total, low, high, latest, first_at, last_at,
            buckets, counts, null, people, sessions
        )::ops.pending_figures
        from unnest(p_rows)
        where grain > 60
            or at >= case when kind in ('requests', 'event', 'business') then v_many_from else v_few_from end
    ))) as collapsed
    order by kind, environment, grain, at, name, part
    on conflict (kind, environment, grain, at, name, part) do update
    set
        n = known.n + excluded.n,
        tallies = array(
            select coalesce(old, 0) + coalesce(new, 0)
            from unnest(known.tallies, excluded.tallies) with ordinality as tally (old, new, nth)
            order by nth
        ),
        fast = known.fast + excluded.fast,
        left_out = known.left_out + excluded.left_out,
        measured = known.measured + excluded.measured,
        total = known.total + excluded.total,
        low = least(known.low, excluded.low),
        high = greatest(known.high, excluded.high),
        latest = case when excluded.last_at >= known.last_at or known.latest is null then excluded.latest else known.latest end,
        first_at = least(known.first_at, excluded.first_at),
        last_at = greatest(known.last_at, excluded.last_at),
        (buckets, counts) = (
            select
                coalesce(array_agg(bucket order by bucket), '{}'),
                coalesce(array_agg(counted order by bucket), '{}')
            from (
                select bucket, sum(counted)::bigint as counted
                from (
                    select
                        unnest(known.buckets || excluded.buckets) as bucket,
                        unnest(known.counts || excluded.counts) as counted
                ) as spread
                group by bucket
                having sum(counted) <> 0
            ) as merged
        );
end
$$;

comment on function ops.add_figures(ops.pending_figures[], timestamptz) is
    'Adds figures to their minutes, as far as minutes are kept, and to their hours, six hours, days, weeks and four weeks.';

create or replace function ops.make_up_figures(p_fine integer, p_coarse integer)
returns void
language plpgsql
set search_path = ''
as $$
declare
    v_span interval := make_interval(secs => p_coarse);
    v_each record;
begin
    for v_each in
        with fine as (
            select kind, date_bin(v_span, at, '1970-01-05Z') as at, sum(n) as n, sum(left_out) as left_out
            from ops.figures
            where grain = p_fine
            group by 1, 2
        ),
        coarse as (
            select kind, at, sum(n) as n, sum(left_out) as left_out
            from ops.figures
            where grain = p_coarse
            group by kind, at
        )
        select fine.kind, fine.at
        from fine
        left join coarse using (kind, at)
        where (fine.n, fine.left_out) is distinct from (coarse.n, coarse.left_out)
    loop
        delete from ops.figures where grain = p_coarse and kind = v_each.kind and at = v_each.at;
        insert into ops.figures (
            kind, environment, grain, at, name, part, n, tallies, fast, left_out, measured, total, low, high,
            latest, first_at, last_at, buckets, counts
        )
        select
            kind, environment, p_coarse, at, name, part, n, tallies, fast, left_out, measured, total, low, high,
            latest, first_at, last_at, buckets, counts
        from unnest(ops.collapse_figures(array(
            select row(
                null, kind, environment, name, part, '', v_each.at, n, tallies, fast, left_out, measured, total,
                low, high, latest, first_at, last_at, buckets, counts, null, '{}', '{}'
            )::ops.pending_figures
            from ops.figures
            where kind = v_each.kind
                and grain = p_fine
                and at >= v_each.at
                and at < v_each.at + v_span
        )));
    end loop;
end
$$;

comment on function ops.make_up_figures(integer, integer) is
    'Makes the figures of a coarse grain anew that do not hold what those of a fine one come to. Every exchange of the functions does it, because an older release does not count in grains that it does not know.';

create or replace function ops.note_error_groups(p_rows ops.pending_figures[])
returns void
language plpgsql
set search_path = ''
as $$
begin
    insert into ops.error_groups as known (environment, key, message, category, severity, first_seen, last_seen)
    select
        environment,
        name,
        case name when 'other' then 'other messages' else (array_agg(sample order by last_at desc))[1] end,
        (array_agg(category order by last_at desc))[1],
        case
            when sum(tallies[4]) > 0 then 'critical'
            when sum(tallies[3]) > 0 then 'high'
            when sum(tallies[2]) > 0 then 'medium'
            else 'low'
        end,
        min(first_at),
        max(last_at)
    from unnest(p_rows)
    where kind = 'error'
    group by environment, name
    order by environment, name
    on conflict (environment, key) do update
    set
        message = case when excluded.last_seen >= known.last_seen then excluded.message else known.message end,
        category = case when excluded.last_seen >= known.last_seen then excluded.category else known.category end,
        severity = case
            when ops.severity_rank(excluded.severity) > ops.severity_rank(known.severity) then excluded.severity
            else known.severity
        end,
        first_seen = least(known.first_seen, excluded.first_seen),
        last_seen = greatest(known.last_seen, excluded.last_seen);
end
$$;

comment on function ops.note_error_groups(ops.pending_figures[]) is
    'Notes the kinds of error: the newest message, the worst severity, and when each was seen first and last.';

create or replace function ops.roll_up_figures(p_limit integer, p_now timestamptz)
returns integer
language plpgsql
set search_path = ''
as $$
declare
    v_taken ops.pending_figures[];
    v_rows ops.pending_figures[];
begin
    -- Two at work would admit more names than there may be.
    if not pg_try_advisory_xact_lock(1718183795, 0) then
        return 0;
    end if;
    v_taken := ops.take_pending(p_limit, p_now);
    if cardinality(v_taken) = 0 then
        return 0;
    end if;
    v_rows := ops.admit_names(ops.collapse_figures(v_taken));
    perform ops.note_error_groups(v_rows);
    perform ops.add_people(v_taken);
    v_rows := ops.with_totals(v_rows)
        || ops.add_visits(v_taken, p_now)
        || ops.add_days_of_people(v_taken, p_now);
    perform ops.add_figures(v_rows, p_now);
    return cardinality(v_taken);
end
$$;

comment on function ops.roll_up_figures(integer, timestamptz) is
    'Rolls up at most so many pending figures of times up to p_now. Returns how many it took: fewer than the limit if none are left, or if another roll-up is at work.';
