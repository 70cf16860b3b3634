-- Requests counted once an hour, so that a month of them is 720 rows.
--
-- Why: objectives look at days and weeks of requests at every tick, and a count
-- of past hours does not change. The same function counts hours for the roll-up
-- and whatever lies beside them.
-- Read by: the error rate, objectives and their rules; written by the
-- maintenance job.
-- Undo: put the former ops.error_rate back, drop the functions and the table.

set local search_path = '';

create table ops.request_hours (
    hour timestamptz primary key,
    requests bigint not null,
    failures bigint not null,
    fast bigint not null,
    check (failures between 0 and requests),
    check (fast between 0 and requests)
);

comment on table ops.request_hours is 'Requests of the API after each past hour began, up to its end; without a gap between the first and the last row.';
comment on column ops.request_hours.fast is 'Answered in less than objective.latency_ms as it was when the hour was counted.';

alter table ops.request_hours enable row level security;

create function ops.count_requests(
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
        count(*) filter (where response_time < p_fast_ms)
    from public.api_usage_metrics
    where "timestamp" > p_from and "timestamp" <= p_to
$$;

comment on function ops.count_requests(timestamptz, timestamptz, numeric) is
    'Requests of the API after p_from, up to p_to; how many failed, which is answered with status 500 or above, and how many were answered in less than p_fast_ms.';

create or replace function ops.error_rate(
    p_from timestamptz,
    p_to timestamptz,
    out requests bigint,
    out failures bigint,
    out percent numeric
)
language sql
stable
set search_path = ''
as $$
    select requests, failures, round(100.0 * failures / nullif(requests, 0), 4)
    from ops.count_requests(p_from, p_to, null)
$$;

create function ops.sum_requests(
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
    from counted
    cross join lateral ops.count_requests(p_from, hours_from, p_fast_ms) as before
    cross join lateral ops.count_requests(hours_to, p_to, p_fast_ms) as since
$$;

comment on function ops.sum_requests(timestamptz, timestamptz, numeric) is
    'The same as ops.count_requests, from the hours that are rolled up and the rows beside them.';

create function ops.request_windows(p_seconds integer[], p_fast_ms numeric, p_now timestamptz)
returns table (seconds integer, requests bigint, failures bigint, fast bigint)
language sql
stable
set search_path = ''
as $$
    -- Adjoining pieces, so that no row is counted twice.
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
    'Requests of the last so many seconds, for several lengths at once.';

create function ops.roll_up_requests(p_limit integer, p_fast_ms numeric, p_now timestamptz)
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
    -- No objective looks back further than thirty days.
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
    'Counts the requests of hours that have been over for an hour, the oldest first; returns how many hours, less than the limit if none is left.';

revoke all on all functions in schema ops from public, anon, authenticated;
grant execute on all functions in schema ops to service_role;
