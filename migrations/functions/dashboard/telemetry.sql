-- The dashboard's sections about what comes in by the door: pages, what the application asks
-- of others, its versions, its errors as issues, what browsers report, and the door itself.

create or replace function ops.dashboard_pages(p_from timestamptz, p_now timestamptz, p_environment text)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
    return (
        select coalesce(jsonb_agg(jsonb_build_object('page', name, 'views', n) order by n desc, name), '[]')
        from ops.sum_figures('view', p_environment, ops.window_from('view', p_from, p_now), p_now, null, 20)
    );
end
$$;

comment on function ops.dashboard_pages(timestamptz, timestamptz, text) is
    'The 20 pages that were looked at most.';

create or replace function ops.dashboard_dependencies(p_from timestamptz, p_now timestamptz, p_environment text)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
    return (
        select coalesce(
            jsonb_agg(
                jsonb_build_object(
                    'dependency', name,
                    'requests', n,
                    'failedRequests', tallies[5],
                    'errorRate', round(100.0 * tallies[5] / nullif(n, 0), 4),
                    'averageResponseTime', round(total / nullif(measured, 0), 3),
                    'p50ResponseTime', quantiles[1],
                    'p95ResponseTime', quantiles[2]
                )
                order by n desc, name
            ),
            '[]'
        )
        from ops.sum_figures(
            'dependency', p_environment, ops.window_from('dependency', p_from, p_now), p_now, null, 10
        )
        cross join lateral ops.quantiles(buckets, counts, low, high, array[0.50, 0.95]) as quantiles
    );
end
$$;

comment on function ops.dashboard_dependencies(timestamptz, timestamptz, text) is
    'The 10 hosts and statements that the application asked most: how often, how many requests failed, and how long they took in ms.';

create or replace function ops.dashboard_releases(p_from timestamptz, p_now timestamptz, p_environment text)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
    return (
        with parts as materialized (
            select *
            from ops.sum_figures('release', p_environment, ops.window_from('release', p_from, p_now), p_now)
        ),
        adopted as materialized (
            select name, sum(n) as n
            from ops.read_figures('adoption', p_environment, ops.window_from('adoption', p_from, p_now), p_now)
            group by name
        ),
        newest as (
            select known.release, known.first_seen
            from ops.releases as known
            where known.environment = p_environment and known.release in (select name from parts)
            order by known.first_seen desc, known.release
            limit 5
        ),
        counted as (
            select
                newest.release,
                newest.first_seen,
                sum(parts.n) filter (where part = 'views') as views,
                sum(parts.n) filter (where part = 'errors') as errors,
                sum(parts.n) filter (where part = 'sessions') as sessions,
                sum(parts.n) filter (where part = 'crashed') as crashed,
                jsonb_object_agg(
                    part,
                    jsonb_build_object(
                        'p75', ops.quantile(buckets, counts, low, high, 0.75), 'views', measured
                    )
                ) filter (where part ~ '^[A-Z]') as vitals
            from newest
            join parts on parts.name = newest.release
            group by newest.release, newest.first_seen
        )
        select coalesce(
            jsonb_agg(
                jsonb_build_object(
                    'release', release,
                    'firstSeen', first_seen,
                    'views', coalesce(views, 0),
                    'errors', coalesce(errors, 0),
                    'sessions', coalesce(sessions, 0),
                    'crashFreePercent', round(100 - 100.0 * coalesce(crashed, 0) / nullif(sessions, 0), 2),
                    'webVitals', coalesce(vitals, '{}'),
                    'events', (
                        select coalesce(jsonb_object_agg(left(name, -1 - length(release)), n), '{}')
                        from (
                            select name, n
                            from adopted
                            where right(name, 1 + length(counted.release)) = ' ' || counted.release
                            order by n desc, name
                            limit 20
                        ) as most
                    )
                )
                order by first_seen desc, release
            ),
            '[]'
        )
        from counted
    );
end
$$;

comment on function ops.dashboard_releases(timestamptz, timestamptz, text) is
    'The five versions of the application that came last, of those that were seen in the range: page views, errors, sessions and the share that did not crash, Web Vitals, and what was done in them.';

create or replace function ops.dashboard_reports(p_from timestamptz, p_now timestamptz, p_environment text)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
    return (
        select coalesce(jsonb_object_agg(name, n), '{}')
        from ops.sum_figures('report', p_environment, ops.window_from('report', p_from, p_now), p_now, null, 20)
    );
end
$$;

comment on function ops.dashboard_reports(timestamptz, timestamptz, text) is
    'How often browsers reported what: the 20 kinds that came most.';

create or replace function ops.dashboard_issues(p_from timestamptz, p_now timestamptz, p_environment text)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
    return (
        select jsonb_build_object(
            'open', (select count(*) from ops.issues where environment = p_environment and status = 'open'),
            'new', (
                select count(*)
                from ops.issues
                where environment = p_environment and status = 'open' and first_seen > p_from and first_seen <= p_now
            ),
            'regressed', (
                select count(*)
                from ops.issues
                where environment = p_environment and status = 'open' and regressed_at > p_from and regressed_at <= p_now
            ),
            'latest', coalesce(
                jsonb_agg(ops.issue_document(latest, p_now) order by latest.last_seen desc, latest.id), '[]'
            )
        )
        from (
            select *
            from ops.issues
            where environment = p_environment and status = 'open'
            order by last_seen desc, id
            limit 10
        ) as latest
    );
end
$$;

comment on function ops.dashboard_issues(timestamptz, timestamptz, text) is
    'How many errors are open, how many of them came or came back in the range, and the ten that happened last.';

create or replace function ops.dashboard_door(p_from timestamptz, p_now timestamptz)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_build_object(
        'taken', (
            select coalesce(sum(taken), 0)
            from ops.door_counts
            where span = 'day' and begins_at > p_from - interval '1 day' and begins_at <= p_now
        ),
        'leftOut', (
            select coalesce(jsonb_object_agg(reason, items), '{}')
            from (
                select source || ': ' || reason as reason, sum(items) as items
                from ops.door_drops
                where at > p_from - interval '1 hour' and at <= p_now
                group by 1
                order by 2 desc, 1
                limit 20
            ) as most
        ),
        'sources', (
            select coalesce(
                jsonb_agg(
                    jsonb_build_object(
                        'kind', kind,
                        'environment', environment,
                        'source', source,
                        'lastAt', written_at,
                        'counted', ops.is_counted(kind, environment, source, p_now)
                    )
                    order by kind, environment, source
                ),
                '[]'
            )
            from ops.figure_sources
            where written_at > ops.sources_since(p_now)
        )
    )
$$;

comment on function ops.dashboard_door(timestamptz, timestamptz) is
    'What came in by the door since the day that the range begins in, what was left out and why, and which source brings what and is counted.';
