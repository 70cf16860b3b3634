-- Reading: a window of time is put together from what it holds as a whole, four weeks, weeks
-- and days, from the quarters of days, hours and minutes at its edges, and from what is not
-- rolled up yet. A window begins at a whole minute, one that begins a day ago at a whole hour,
-- and one that begins days ago at a whole day, because that is what is kept, or little enough;
-- it ends with the minute that it ends in.

create or replace function ops.minutes_from(p_kind text, p_now timestamptz)
returns timestamptz
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
begin
    return date_bin('1 day', p_now, '1970-01-05Z') - case
        -- Rules compare these with the weeks before, and incidents look at theirs.
        when p_kind in ('requests', 'event', 'business') then interval '36 days'
        else interval '3 days'
    end;
end
$$;

comment on function ops.minutes_from(text, timestamptz) is
    'From which midnight on figures of a kind are kept by the minute.';

create or replace function ops.window_from(p_kind text, p_from timestamptz, p_now timestamptz)
returns timestamptz
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
begin
    return date_bin(
        case
            when p_from >= ops.minutes_from(p_kind, p_now) + interval '1 day'
                and (p_from >= p_now - interval '20 hours' or p_kind in ('requests', 'event', 'business'))
            then interval '1 minute'
            when p_from >= p_now - interval '4 days' or p_kind = 'requests' and p_from >= p_now - interval '95 days'
            then interval '1 hour'
            else interval '1 day'
        end,
        p_from,
        '1970-01-05Z'
    );
end
$$;

comment on function ops.window_from(text, timestamptz, timestamptz) is
    'Where a window of figures of a kind begins that was asked for from p_from on: at the minute, the hour or the day in which that is.';

create or replace function ops.window_pieces(p_from timestamptz, p_to timestamptz)
returns table (grain integer, starts_at timestamptz, ends_at timestamptz)
language plpgsql
immutable
rows 11
set search_path = ''
as $$
begin
    return query
    with grains as (
        select
            seconds,
            date_bin(span, p_from + span - interval '1 microsecond', '1970-01-05Z') as first,
            -- The minute in which the window ends is part of it.
            date_bin(
                span,
                date_bin('1 minute', p_to + interval '1 minute' - interval '1 microsecond', '1970-01-05Z'),
                '1970-01-05Z'
            ) as last
        from (values (60), (3600), (21600), (86400), (604800), (2419200)) as known (seconds)
        cross join lateral make_interval(secs => seconds) as span
    ),
    covered as (
        select
            seconds,
            case when first < last then tstzmultirange(tstzrange(first, last)) else '{}'::tstzmultirange end as spans
        from grains
    )
    select covered.seconds, lower(piece), upper(piece)
    from covered
    cross join lateral unnest(
        covered.spans - coalesce(
            (select range_agg(coarser.spans) from covered as coarser where coarser.seconds > covered.seconds), '{}'
        )
    ) as piece;
end
$$;

comment on function ops.window_pieces(timestamptz, timestamptz) is
    'A window, cut into as few pieces as its four weeks, weeks, days, quarters of days, hours and minutes make.';

create or replace function ops.figure_environments(p_kind text, p_environment text)
returns text[]
language plpgsql
immutable
set search_path = ''
as $$
begin
    -- What is written without an environment counts for every one.
    return case
        when p_kind in ('request', 'requests', 'session', 'feature') then array['', p_environment]
        else array[p_environment]
    end;
end
$$;

comment on function ops.figure_environments(text, text) is
    'Under which environments figures of a kind are kept that count for one.';

create or replace function ops.pending_kinds(p_kind text)
returns text[]
language plpgsql
immutable
set search_path = ''
as $$
begin
    return case p_kind
        when 'requests' then array['requests', 'request']
        when 'errors' then array['error']
        else array[p_kind]
    end;
end
$$;

comment on function ops.pending_kinds(text) is
    'As what figures of a kind wait to be rolled up: some are totals that the roll-up makes.';

create or replace function ops.read_figures(
    p_kind text,
    p_environment text,
    p_from timestamptz,
    p_to timestamptz,
    p_name text default null
)
returns table (
    name text,
    part text,
    n bigint,
    tallies bigint[],
    fast bigint,
    left_out bigint,
    measured bigint,
    total numeric,
    low numeric,
    high numeric,
    latest numeric,
    first_at timestamptz,
    last_at timestamptz,
    buckets smallint[],
    counts bigint[]
)
language plpgsql
stable
set search_path = ''
as $$
declare
    v_environments text[] := ops.figure_environments(p_kind, p_environment);
    v_kinds text[] := ops.pending_kinds(p_kind);
    -- A figure whose time is not over holds what has come so far. So a window that nothing is
    -- later than ends with the coarsest of them, instead of the hours and minutes of today.
    v_to timestamptz := case
        when exists (
            select
            from ops.figures as later
            where later.kind = p_kind
                and later.environment = any (v_environments)
                and later.grain in (60, 3600, 86400)
                and later.at >= p_to
        )
        then p_to
        else date_bin('28 days', p_to, '1970-01-05Z') + interval '672 hours'
    end;
begin
    return query
    select
        figure.name, figure.part, figure.n, figure.tallies, figure.fast, figure.left_out, figure.measured,
        figure.total, figure.low, figure.high, figure.latest, figure.first_at, figure.last_at,
        figure.buckets, figure.counts
    from ops.window_pieces(p_from, v_to) as piece
    cross join lateral (
        select *
        from ops.figures as kept
        where kept.kind = p_kind
            and kept.environment = any (v_environments)
            and kept.grain = piece.grain
            and kept.at >= piece.starts_at
            and kept.at < piece.ends_at
            and (p_name is null or kept.name = p_name)
        -- Each piece is looked up by itself; joined, all figures of the kind would be read.
        offset 0
    ) as figure
    union all
    select
        called.name, pending.part, pending.n, pending.tallies, pending.fast, pending.left_out, pending.measured,
        pending.total, pending.low, pending.high, pending.latest, pending.first_at, pending.last_at,
        pending.buckets, pending.counts
    from ops.pending_figures as pending
    cross join lateral (
        select case p_kind when 'requests' then '' when 'errors' then pending.category else pending.name end as name
    ) as called
    where pending.kind = any (v_kinds)
        and (p_kind <> 'requests' or pending.category <> 'apart')
        and pending.environment = any (v_environments)
        and pending.at >= p_from
        and pending.at < p_to
        and (p_name is null or called.name = p_name);
end
$$;

comment on function ops.read_figures(text, text, timestamptz, timestamptz, text) is
    'The figures of a kind and environment that together make up a window, of one name or of all. p_from is a time that ops.window_from gave.';

create or replace function ops.bucket_value(p_bucket smallint, p_low numeric, p_high numeric)
returns float8
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
begin
    -- The middle of a bucket is at most 2 % away from everything in it.
    return least(
        greatest(
            case when p_bucket > -2000 then exp(ln(1.0202::float8) * p_bucket) / 1.02040402 else 0 end, p_low::float8
        ),
        p_high::float8
    );
end
$$;

comment on function ops.bucket_value(smallint, numeric, numeric) is
    'The number that stands for those of a bucket, between the least and the greatest as far as they are known.';

create or replace function ops.quantiles(
    p_buckets smallint[],
    p_counts bigint[],
    p_low numeric,
    p_high numeric,
    p_fractions float8[]
)
returns numeric[]
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
declare
    v_last bigint := (select sum(counted) - 1 from unnest(p_counts) as counted);
    v_counted bigint;
    v_nth integer := 0;
    v_up_to bigint := 0;
    v_wanted integer := 1;
    v_rank float8 := p_fractions[1] * v_last;
    v_lower float8;
    v_upper float8;
    v_found numeric[] := array[]::numeric[];
begin
    -- One way through the buckets; a query for each of the fractions would take six times as long.
    foreach v_counted in array coalesce(p_counts, '{}') loop
        v_nth := v_nth + 1;
        v_up_to := v_up_to + v_counted;
        while v_up_to > v_rank loop
            v_lower := ops.bucket_value(p_buckets[v_nth], p_low, p_high);
            v_upper := case
                when v_up_to > ceil(v_rank) then v_lower
                else ops.bucket_value(p_buckets[v_nth + 1], p_low, p_high)
            end;
            v_found := v_found || round((v_lower + (v_upper - v_lower) * (v_rank - floor(v_rank)))::numeric, 3);
            v_wanted := v_wanted + 1;
            v_rank := p_fractions[v_wanted] * v_last;
        end loop;
    end loop;
    return case when v_last is not null then v_found end;
end
$$;

comment on function ops.quantiles(smallint[], bigint[], numeric, numeric, float8[]) is
    'The numbers below which these fractions, which ascend, of the numbers in some buckets lie, between two of them in proportion, within 2 %. p_low and p_high are the least and the greatest of the numbers, as far as they are known.';

create or replace function ops.quantile(
    p_buckets smallint[],
    p_counts bigint[],
    p_low numeric,
    p_high numeric,
    p_fraction float8
)
returns numeric
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
begin
    return (ops.quantiles(p_buckets, p_counts, p_low, p_high, array[p_fraction]))[1];
end
$$;

comment on function ops.quantile(smallint[], bigint[], numeric, numeric, float8) is
    'One of ops.quantiles.';

create or replace function ops.sum_figures(
    p_kind text,
    p_environment text,
    p_from timestamptz,
    p_to timestamptz,
    p_name text default null,
    p_most integer default 500,
    p_spread integer default 500
)
returns table (
    name text,
    part text,
    n bigint,
    tallies bigint[],
    fast bigint,
    left_out bigint,
    measured bigint,
    total numeric,
    low numeric,
    high numeric,
    buckets smallint[],
    counts bigint[]
)
language plpgsql
stable
set search_path = ''
-- Sorting what has few groups costs more than hashing it, and how few they are is not seen.
set enable_sort = off
as $$
begin
    return query
    with figures as materialized (
        select * from ops.read_figures(p_kind, p_environment, p_from, p_to, p_name)
    ),
    sums as materialized (
        select
            row_number() over (order by sum(figure.n) desc, figure.name, figure.part)::integer as nth,
            figure.name,
            figure.part,
            sum(figure.n)::bigint as n,
            array[
                sum(figure.tallies[1]), sum(figure.tallies[2]), sum(figure.tallies[3]), sum(figure.tallies[4]),
                sum(figure.tallies[5]), sum(figure.tallies[6]), sum(figure.tallies[7])
            ]::bigint[] as tallies,
            sum(figure.fast)::bigint as fast,
            sum(figure.left_out)::bigint as left_out,
            sum(figure.measured)::bigint as measured,
            sum(figure.total) as total,
            min(figure.low) as low,
            max(figure.high) as high
        from figures as figure
        group by figure.name, figure.part
        order by 1
        limit p_most
    ),
    -- There are very many of these, so one number stands for a name and a bucket, and arrays
    -- are unnested where that costs least. What was counted in odd buckets, before they were
    -- wider, joins the even ones.
    filled as (
        select spread.nth * 4096 + 2000 + spread.bucket + (spread.bucket & 1) as key, sum(spread.counted)::bigint as counted
        from (
            select sums.nth, unnest(figure.buckets) as bucket, unnest(figure.counts) as counted
            from figures as figure
            join sums on sums.name = figure.name and sums.part = figure.part and sums.nth <= p_spread
        ) as spread
        group by 1
    ),
    spreads as (
        select
            filled.key / 4096 as nth,
            array_agg((filled.key % 4096 - 2000)::smallint order by filled.key) as buckets,
            array_agg(filled.counted order by filled.key) as counts
        from filled
        where filled.counted <> 0
        group by 1
    )
    select
        sums.name, sums.part, sums.n, sums.tallies, sums.fast, sums.left_out, sums.measured, sums.total,
        sums.low, sums.high, coalesce(spreads.buckets, '{}'), coalesce(spreads.counts, '{}')
    from sums
    left join spreads on spreads.nth = sums.nth
    where sums.n <> 0 or sums.measured <> 0;
end
$$;

comment on function ops.sum_figures(text, text, timestamptz, timestamptz, text, integer, integer) is
    'The figures of a window by name and part, those that occurred most, with the buckets of the first p_spread of them. p_from is a time that ops.window_from gave.';

create or replace function ops.measure(
    p_kind text,
    p_environment text,
    p_from timestamptz,
    p_now timestamptz,
    p_name text,
    out n bigint,
    out left_out bigint,
    out measured bigint,
    out total numeric,
    out low numeric,
    out high numeric,
    out buckets smallint[],
    out counts bigint[]
)
language plpgsql
stable
set search_path = ''
as $$
begin
    select summed.n, summed.left_out, summed.measured, summed.total, summed.low, summed.high, summed.buckets, summed.counts
    into n, left_out, measured, total, low, high, buckets, counts
    from ops.sum_figures(p_kind, p_environment, ops.window_from(p_kind, p_from, p_now), p_now, p_name) as summed;
    n := coalesce(n, 0);
    left_out := coalesce(left_out, 0);
    measured := coalesce(measured, 0);
    buckets := coalesce(buckets, '{}');
    counts := coalesce(counts, '{}');
end
$$;

comment on function ops.measure(text, text, timestamptz, timestamptz, text) is
    'The figures of one name since p_from, up to now; counts of 0 where there is nothing.';
