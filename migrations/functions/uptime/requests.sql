-- Requests of the API over a window, all together.

create or replace function ops.sum_requests(
    p_from timestamptz,
    p_to timestamptz,
    p_now timestamptz,
    p_environment text,
    out requests bigint,
    out failures bigint,
    out refused bigint,
    out fast bigint
)
language plpgsql
stable
set search_path = ''
as $$
begin
    select
        coalesce(sum(n - tallies[7]), 0),
        coalesce(sum(tallies[5]), 0),
        coalesce(sum(tallies[6]), 0),
        coalesce(sum(figure.fast), 0)
    into requests, failures, refused, fast
    from ops.read_figures('requests', p_environment, ops.window_from('requests', p_from, p_now), p_to) as figure;
end
$$;

comment on function ops.sum_requests(timestamptz, timestamptz, timestamptz, text) is
    'The requests of the API after p_from, up to p_to, as they can be told apart at p_now: how many there were, how many failed (were answered with status 500 or above), how many were refused (with 401 or 403), and how many were answered fast. A row whose status is none of HTTP is no request.';

create or replace function ops.request_windows(p_seconds integer[], p_now timestamptz, p_environment text)
returns table (seconds integer, requests bigint, failures bigint)
language plpgsql
stable
set search_path = ''
as $$
begin
    return query
    select cut.seconds, counted.requests, counted.failures
    from (select distinct unnest(p_seconds) as seconds) as cut
    cross join lateral ops.sum_requests(p_now - make_interval(secs => cut.seconds), p_now, p_now, p_environment) as counted;
end
$$;

comment on function ops.request_windows(integer[], timestamptz, text) is
    'The requests of the API over several windows, each given as the last so many seconds.';
