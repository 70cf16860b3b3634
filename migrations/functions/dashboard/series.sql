-- The dashboard's charts: requests, errors, visits and what services took, point by point, and
-- the last ninety days of each service. A chart has at most some hundred points.

create or replace function ops.count_points(p_step integer, p_from timestamptz, p_now timestamptz)
returns integer
language sql
immutable
parallel safe
set search_path = ''
as $$
    select ceil(extract(epoch from p_now - p_from) / p_step)::integer
$$;

comment on function ops.count_points(integer, timestamptz, timestamptz) is
    'How many points of so many seconds there are from p_from up to now; the last one is not over yet.';

create or replace function ops.series_figures(
    p_kind text,
    p_environment text,
    p_step integer,
    p_from timestamptz,
    p_now timestamptz,
    p_spread boolean default false
)
returns table (point integer, n bigint, tallies bigint[], buckets smallint[], counts bigint[])
language plpgsql
stable
set search_path = ''
as $$
declare
    v_environments text[] := ops.figure_environments(p_kind, p_environment);
    v_kinds text[] := ops.pending_kinds(p_kind);
    -- The coarsest figures that fit into a point.
    v_grain integer := case p_step when 600 then 60 else p_step end;
begin
    return query
    select
        floor(extract(epoch from figure.at - p_from) / p_step)::integer,
        figure.n, figure.tallies,
        case when p_spread then figure.buckets end, case when p_spread then figure.counts end
    from (
        select kept.at, kept.n, kept.tallies, kept.buckets, kept.counts
        from ops.figures as kept
        where kept.kind = p_kind
            and kept.environment = any (v_environments)
            and kept.grain = v_grain
            and kept.at >= p_from
            and kept.at < p_now
        union all
        select pending.at, pending.n, pending.tallies, pending.buckets, pending.counts
        from ops.pending_figures as pending
        where pending.kind = any (v_kinds)
            and (p_kind <> 'requests' or pending.category <> 'apart')
            and pending.environment = any (v_environments)
            and pending.at >= p_from
            and pending.at < p_now
    ) as figure;
end
$$;

comment on function ops.series_figures(text, text, integer, timestamptz, timestamptz, boolean) is
    'The figures of a kind, each with the point of a chart to which it belongs; point 0 begins at p_from. Buckets are there if they are asked for.';

create or replace function ops.requests_series(
    p_step integer,
    p_from timestamptz,
    p_now timestamptz,
    p_environment text
)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
    return (
        with sums as (
            select
                point,
                sum(n - tallies[7]) as requests,
                sum(tallies[4] + tallies[6]) as client_errors,
                sum(tallies[5]) as server_errors
            from ops.series_figures('requests', p_environment, p_step, p_from, p_now)
            group by point
        )
        select jsonb_build_object(
            'from', p_from,
            'step', p_step,
            'requests', jsonb_agg(coalesce(requests, 0) order by point),
            'clientErrors', jsonb_agg(coalesce(client_errors, 0) order by point),
            'serverErrors', jsonb_agg(coalesce(server_errors, 0) order by point)
        )
        from generate_series(0, ops.count_points(p_step, p_from, p_now) - 1) as point
        left join sums using (point)
    );
end
$$;

comment on function ops.requests_series(integer, timestamptz, timestamptz, text) is
    'Point by point: the requests of the API, and how many of them failed by whose fault.';

create or replace function ops.latency_series(
    p_step integer,
    p_from timestamptz,
    p_now timestamptz,
    p_environment text
)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
    return (
        with figures as materialized (
            select * from ops.series_figures('requests', p_environment, p_step, p_from, p_now, true)
        ),
        spreads as (
            select point, min(buckets) as buckets, min(counts) as counts
            from figures
            where cardinality(buckets) > 0
            group by point
            having count(*) = 1
            union all
            -- What is not rolled up yet, and what was written without an environment.
            select point, array_agg(bucket order by bucket), array_agg(counted order by bucket)
            from (
                select several.point, spread.bucket, sum(spread.counted)::bigint as counted
                from (
                    select point from figures where cardinality(buckets) > 0 group by point having count(*) > 1
                ) as several
                join figures using (point)
                cross join lateral unnest(figures.buckets, figures.counts) as spread (bucket, counted)
                group by several.point, spread.bucket
            ) as merged
            group by point
        ),
        measured as (
            select point, ops.quantiles(buckets, counts, null, null, array[0.50, 0.95, 0.99]) as quantiles from spreads
        )
        select jsonb_build_object(
            'from', p_from,
            'step', p_step,
            'p50', jsonb_agg(round(quantiles[1], 1) order by point),
            'p95', jsonb_agg(round(quantiles[2], 1) order by point),
            'p99', jsonb_agg(round(quantiles[3], 1) order by point)
        )
        from generate_series(0, ops.count_points(p_step, p_from, p_now) - 1) as point
        left join measured using (point)
    );
end
$$;

comment on function ops.latency_series(integer, timestamptz, timestamptz, text) is
    'Point by point, how long requests of the API took in ms; null where there were none. p_step is one for which figures are kept, so that few have to be added up.';

create or replace function ops.counted_series(
    p_kind text,
    p_step integer,
    p_from timestamptz,
    p_now timestamptz,
    p_environment text
)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
    return (
        with sums as (
            select counted.point, sum(counted.n) as n
            from ops.series_figures(p_kind, p_environment, p_step, p_from, p_now) as counted
            group by counted.point
        )
        select jsonb_agg(coalesce(n, 0) order by point)
        from generate_series(0, ops.count_points(p_step, p_from, p_now) - 1) as point
        left join sums using (point)
    );
end
$$;

comment on function ops.counted_series(text, integer, timestamptz, timestamptz, text) is
    'How often something happened, point by point.';

create or replace function ops.services_series(
    p_step integer,
    p_from timestamptz,
    p_now timestamptz,
    p_environment text
)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
    return (
        with points as (
            select
                checks.name,
                floor(extract(epoch from sample.at - p_from) / p_step)::integer as point,
                round(avg(sample.latency_ms) filter (where sample.status in ('up', 'degraded')), 1) as latency_ms
            from ops.shown_checks(p_environment) as checks
            cross join lateral (
                select at, status, latency_ms
                from ops.samples
                where check_name = checks.name and at >= p_from and at < p_now
                -- Each check is looked up by itself; joined, all samples would be read.
                offset 0
            ) as sample
            group by 1, 2
        ),
        lines as (
            select known.name, jsonb_agg(points.latency_ms order by point) as latencies
            from (select distinct name from points) as known
            cross join generate_series(0, ops.count_points(p_step, p_from, p_now) - 1) as point
            left join points using (name, point)
            group by known.name
        )
        select coalesce(jsonb_object_agg(name, latencies), '{}') from lines
    );
end
$$;

comment on function ops.services_series(integer, timestamptz, timestamptz, text) is
    'How long the checks of each service took, point by point: the mean in ms of those that were answered.';

create or replace function ops.point_at(p_step integer, p_at timestamptz)
returns timestamptz
language sql
immutable
parallel safe
set search_path = ''
as $$
    select date_bin(make_interval(secs => p_step), p_at, '1970-01-05Z')
$$;

comment on function ops.point_at(integer, timestamptz) is 'When the point of a chart begins into which an instant falls.';

create or replace function ops.dashboard_series(
    p_seconds integer,
    p_from timestamptz,
    p_now timestamptz,
    p_environment text
)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
    -- Requests are few rows, so their points may be fine. The others are read as they are kept.
    v_fine integer := case
        when p_seconds <= 7200 then 60
        when p_seconds <= 129600 then 600
        when p_seconds <= 864000 then 3600
        when p_seconds <= 3456000 then 21600
        when p_seconds <= 8640000 then 86400
        else 604800
    end;
    v_kept integer := case v_fine when 600 then 3600 when 21600 then 86400 else v_fine end;
    v_from timestamptz := ops.point_at(v_kept, p_from);
begin
    return jsonb_build_object(
        'requests', ops.requests_series(v_fine, ops.point_at(v_fine, p_from), p_now, p_environment),
        'latency', ops.latency_series(v_kept, v_from, p_now, p_environment),
        'usage', jsonb_build_object(
            'from', v_from,
            'step', v_kept,
            'errors', ops.counted_series('errors', v_kept, v_from, p_now, p_environment),
            'visits', ops.counted_series('visit', v_kept, v_from, p_now, p_environment)
        ),
        'services', case
            -- Of more than a day there are too many samples.
            when v_fine <= 600 then jsonb_build_object(
                'from', ops.point_at(v_fine, p_from),
                'step', v_fine,
                'responseTimes', ops.services_series(v_fine, ops.point_at(v_fine, p_from), p_now, p_environment)
            )
        end
    );
end
$$;

comment on function ops.dashboard_series(integer, timestamptz, timestamptz, text) is
    'What the dashboard draws over time. Each group says when its first point begins and how many seconds a point spans; the last one is not over yet. What services took is there for up to a day.';

create or replace function ops.shown_checks(p_environment text)
returns setof ops.checks
language sql
stable
set search_path = ''
as $$
    select distinct on (service) *
    from ops.checks
    where environment = p_environment
        and kind in ('dependency', 'aggregate')
        and last_seen_at = (select max(last_seen_at) from ops.checks where environment = p_environment)
    order by service, kind, critical desc, name
$$;

comment on function ops.shown_checks(text) is
    'The check that stands for each service: the one of the application as a whole, and of a dependency the critical one.';

create or replace function ops.uptime_strips(p_now timestamptz, p_environment text)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
    v_from timestamptz := ops.floor_to_day(p_now) - interval '2136 hours';
begin
    return (
        select jsonb_build_object(
            'from', (v_from at time zone 'UTC')::date,
            'services', coalesce(jsonb_object_agg(checks.service, strip.document), '{}')
        )
        from ops.shown_checks(p_environment) as checks
        cross join lateral (
            select jsonb_build_object(
                'check', checks.name,
                'up', jsonb_agg(round(coalesce(past.up, 0)) order by listed.day),
                'degraded', jsonb_agg(round(coalesce(past.degraded, 0)) order by listed.day),
                'down', jsonb_agg(round(coalesce(past.down, 0)) order by listed.day),
                -- Before it was watched nothing is known of it.
                'unknown', jsonb_agg(round(coalesce(past.unknown, 86400)) order by listed.day),
                'maintenance', jsonb_agg(round(coalesce(past.maintenance, 0)) order by listed.day)
            ) as document
            from generate_series(v_from, ops.floor_to_day(p_now), interval '24 hours') as listed (day)
            left join ops.check_days(checks.name, v_from, p_now) as past on past.day = listed.day
        ) as strip
    );
end
$$;

comment on function ops.uptime_strips(timestamptz, text) is
    'The last ninety days of each service: seconds by day, the oldest first.';
