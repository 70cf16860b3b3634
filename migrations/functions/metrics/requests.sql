-- What a scrape reads of requests and errors. Counters are of all time: weeks are kept for
-- good and are only added to, so none of them declines. What has an open set of names is of
-- the last five minutes instead, because the names that are shown change, and with them what
-- is left for the rest.

create or replace function ops.request_metrics(p_now timestamptz, p_environment text)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
    return (
        select jsonb_build_object(
            'tallies', coalesce(
                (
                    select jsonb_agg(coalesce(tally, 0) order by nth)
                    from unnest(counted.tallies) with ordinality as listed (tally, nth)
                ),
                '[]'
            ),
            'milliseconds', coalesce(counted.total, 0),
            'buckets', to_jsonb(coalesce(counted.buckets, '{}')),
            'counts', to_jsonb(coalesce(counted.counts, '{}'))
        )
        from (select) as always
        -- Nothing older is counted.
        left join ops.sum_figures('requests', p_environment, '1999-12-27Z', p_now) as counted on true
    );
end
$$;

comment on function ops.request_metrics(timestamptz, text) is
    'All requests that were ever counted: by status, as ops.figures has it, and their times in its buckets and as a sum in ms.';

create or replace function ops.endpoint_metrics(p_now timestamptz, p_environment text)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
    v_from timestamptz := ops.window_from('request', p_now - interval '5 minutes', p_now);
begin
    return (
        with most as materialized (
            select figures.name, figures.n, figures.tallies, quantiles.found
            from ops.sum_figures('request', p_environment, v_from, p_now, null, 20) as figures
            cross join lateral ops.quantiles(
                figures.buckets, figures.counts, figures.low, figures.high, array[0.50, 0.95, 0.99]
            ) as quantiles (found)
            where figures.name <> 'other'
        )
        select jsonb_build_object(
            'most', coalesce(
                (
                    select jsonb_agg(
                        jsonb_build_object(
                            'endpoint', most.name,
                            'requests', most.n - coalesce(most.tallies[7], 0),
                            'failed', coalesce(most.tallies[5], 0),
                            'p50', most.found[1],
                            'p95', most.found[2],
                            'p99', most.found[3]
                        )
                        order by most.n desc, most.name
                    )
                    from most
                ),
                '[]'
            ),
            'requests', coalesce(sum(counted.n - counted.tallies[7]), 0),
            'failed', coalesce(sum(counted.tallies[5]), 0)
        )
        from ops.sum_figures('requests', p_environment, v_from, p_now) as counted
    );
end
$$;

comment on function ops.endpoint_metrics(timestamptz, text) is
    'The 20 endpoints that were called most in the last five minutes, with their times in ms, and how many requests all endpoints had together.';

create or replace function ops.error_metrics(p_now timestamptz, p_environment text)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
    return (
        select jsonb_build_object(
            'severities', jsonb_build_object(
                'low', coalesce(sum(counted.tallies[1]), 0),
                'medium', coalesce(sum(counted.tallies[2]), 0),
                'high', coalesce(sum(counted.tallies[3]), 0),
                'critical', coalesce(sum(counted.tallies[4]), 0)
            ),
            'categories', (
                select coalesce(
                    jsonb_agg(
                        jsonb_build_object('category', recent.name, 'errors', recent.n) order by recent.n desc, recent.name
                    ),
                    '[]'
                )
                from ops.sum_figures(
                    'errors', p_environment,
                    ops.window_from('errors', p_now - interval '5 minutes', p_now), p_now
                ) as recent
            )
        )
        from ops.read_figures('errors', p_environment, '1999-12-27Z', p_now) as counted
    );
end
$$;

comment on function ops.error_metrics(timestamptz, text) is
    'All errors that were ever counted, by severity, and those of the last five minutes by category.';
