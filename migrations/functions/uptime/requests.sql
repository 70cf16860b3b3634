-- Requests of the API, counted once an hour, so that a month of them is 720 rows. The same
-- function counts the hours of the roll-up and the requests that lie beside them.

create or replace function ops.count_requests(
    p_from timestamptz,
    p_to timestamptz,
    p_fast_ms numeric,
    out requests bigint,
    out failures bigint,
    out fast bigint
)
language sql
stable
set search_path = ''
as $$
    select
        count(*),
        count(*) filter (where status_code >= 500),
        count(*) filter (where response_time >= 0 and response_time < p_fast_ms)
    from public.api_usage_metrics
    where "timestamp" > p_from and "timestamp" <= p_to and status_code between 100 and 599
$$;

comment on function ops.count_requests(timestamptz, timestamptz, numeric) is
    'The requests of the API after p_from, up to p_to: how many there were, how many failed (were answered with status 500 or above), and how many were answered in less than p_fast_ms. A row whose status is none of HTTP is no request.';

create or replace function ops.sum_requests(
    p_from timestamptz,
    p_to timestamptz,
    p_fast_ms numeric,
    out requests bigint,
    out failures bigint,
    out fast bigint
)
language plpgsql
stable
set search_path = ''
as $$
begin
    with counted as (
        select
            sum(hours.requests) as requests,
            sum(hours.failures) as failures,
            sum(hours.fast) as fast,
            coalesce(min(hour), p_to) as hours_from,
            coalesce(max(hour) + interval '1 hour', p_to) as hours_to
        from ops.request_hours as hours
        where hour >= p_from and hour <= p_to - interval '1 hour'
    )
    select
        coalesce(counted.requests, 0)::bigint + before.requests + since.requests,
        coalesce(counted.failures, 0)::bigint + before.failures + since.failures,
        coalesce(counted.fast, 0)::bigint + before.fast + since.fast
    into requests, failures, fast
    from counted
    cross join lateral ops.count_requests(p_from, hours_from, p_fast_ms) as before
    cross join lateral ops.count_requests(hours_to, p_to, p_fast_ms) as since;
end
$$;

comment on function ops.sum_requests(timestamptz, timestamptz, numeric) is
    'The same figures as ops.count_requests, added up from the hours that are rolled up and from the rows before and after them.';

create or replace function ops.request_windows(p_seconds integer[], p_fast_ms numeric, p_now timestamptz)
returns table (seconds integer, requests bigint, failures bigint, fast bigint)
language sql
stable
set search_path = ''
as $$
    -- The windows are cut into adjoining pieces, so that no row is counted twice.
    with cuts as (
        select cut.seconds, lag(cut.seconds, 1, 0) over (order by cut.seconds) as newer
        from (select distinct unnest(p_seconds) as seconds) as cut
    )
    select
        cuts.seconds,
        (sum(piece.requests) over nested)::bigint,
        (sum(piece.failures) over nested)::bigint,
        (sum(piece.fast) over nested)::bigint
    from cuts
    cross join lateral ops.sum_requests(
        p_now - make_interval(secs => cuts.seconds), p_now - make_interval(secs => cuts.newer), p_fast_ms
    ) as piece
    window nested as (order by cuts.seconds)
$$;

comment on function ops.request_windows(integer[], numeric, timestamptz) is
    'The requests of the API over several windows at once, each given as the last so many seconds.';

create or replace function ops.roll_up_requests(p_limit integer, p_fast_ms numeric, p_now timestamptz)
returns integer
language plpgsql
set search_path = ''
as $$
declare
    -- The application may write a row some time after its request.
    v_until timestamptz := ops.floor_to_hour(p_now - interval '1 hour');
    v_from timestamptz;
    v_hours integer;
begin
    -- No objective looks back further than 30 days, so the first roll-up goes back 31.
    select coalesce(max(hour) + interval '1 hour', v_until - interval '744 hours')
    into v_from
    from ops.request_hours;

    insert into ops.request_hours (hour, requests, failures, fast)
    select due.hour, counted.requests, counted.failures, counted.fast
    from generate_series(
        v_from,
        least(v_until, v_from + make_interval(hours => p_limit)) - interval '1 hour',
        interval '1 hour'
    ) as due (hour)
    cross join lateral ops.count_requests(due.hour, due.hour + interval '1 hour', p_fast_ms) as counted;
    get diagnostics v_hours = row_count;
    return v_hours;
end
$$;

comment on function ops.roll_up_requests(integer, numeric, timestamptz) is
    'Counts the requests of hours that have been over for an hour, the oldest first. Returns how many hours it counted: fewer than the limit if none is left.';
