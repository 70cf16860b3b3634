-- The dashboard's sections about use: who was there, for how long, what they used, and how
-- pages felt to them.

create or replace function ops.dashboard_people(p_from timestamptz, p_now timestamptz, p_environment text)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
    v_active bigint[] := ops.active_since(
        array[p_from, p_now - interval '24 hours', p_now - interval '168 hours', p_now - interval '720 hours'],
        p_now,
        p_environment
    );
    v_new bigint := ops.new_users(p_from, p_now, p_environment);
    v_today timestamptz := date_bin('1 day', p_now, '1970-01-05Z');
    -- Of the thirty days that are over.
    v_a_day numeric := ops.count_person_days(v_today - interval '720 hours', v_today, p_now, p_environment) / 30.0;
begin
    return jsonb_build_object(
        'active', v_active[1],
        'new', v_new,
        'returning', v_active[1] - v_new,
        'active24h', v_active[2],
        'active7d', v_active[3],
        'active30d', v_active[4],
        'activeADay', round(v_a_day, 2),
        'stickinessPercent', round(100 * v_a_day / nullif(v_active[4], 0), 2),
        'visitors', (
            select coalesce(sum(n), 0)
            from ops.read_figures('visitor', p_environment, ops.window_from('visitor', p_from, p_now), p_now)
        )
    );
end
$$;

comment on function ops.dashboard_people(timestamptz, timestamptz, text) is
    'How many different people were there in the range, how many of them for the first time, how many in the last day, week and month, how many on a day of the last thirty and which share of the month''s that is, and how many visitors there were of whom nothing is known, each once a day.';

create or replace function ops.dashboard_sessions(p_from timestamptz, p_now timestamptz, p_environment text)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
    return (
        with parts as materialized (
            select *
            from ops.sum_figures('session', p_environment, ops.window_from('session', p_from, p_now), p_now)
        ),
        spread as (
            select
                array_agg(bucket order by bucket) as buckets,
                array_agg(counted order by bucket) as counts
            from (
                select each.bucket, sum(each.counted)::bigint as counted
                from parts
                cross join lateral unnest(parts.buckets, parts.counts) as each (bucket, counted)
                where parts.part = 'seconds'
                group by each.bucket
            ) as merged
        )
        select jsonb_build_object(
            'visits', ops.count_visits(p_from, p_now, p_environment),
            'sessions', coalesce(sum(n) filter (where part = 'seconds'), 0),
            'averageSeconds', round(
                sum(total) filter (where part = 'seconds') / nullif(sum(measured) filter (where part = 'seconds'), 0), 3
            ),
            'medianSeconds', (select ops.quantile(buckets, counts, null, null, 0.5) from spread where buckets is not null),
            'pageViews', round(coalesce(sum(total) filter (where part = 'views'), 0)),
            'pagesPerSession', round(
                sum(total) filter (where part = 'views') / nullif(sum(measured) filter (where part = 'views'), 0), 3
            ),
            'events', round(coalesce(sum(total) filter (where part = 'events'), 0)),
            'devices', coalesce(jsonb_object_agg(name, n) filter (where part = 'seconds'), '{}')
        )
        from parts
    );
end
$$;

comment on function ops.dashboard_sessions(timestamptz, timestamptz, text) is
    'How many visits and sessions began in the range: visits are session ids of events, sessions are rows of user_sessions, with their length, page views, events and devices.';

create or replace function ops.dashboard_features(p_from timestamptz, p_now timestamptz)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
    return (
        with parts as (
            -- A use knows its date alone, so the date that the range begins in is part of it.
            select *
            from ops.sum_figures('feature', '', date_bin('1 day', p_from, '1970-01-05Z'), p_now, null, 500, 0)
        ),
        features as (
            select
                name,
                sum(n) filter (where part = 'uses') as rows,
                sum(total) filter (where part = 'uses') as uses,
                sum(total) filter (where part = 'success') / nullif(sum(measured) filter (where part = 'success'), 0)
                    as success,
                sum(total) filter (where part = 'duration') / nullif(sum(measured) filter (where part = 'duration'), 0)
                    as duration
            from parts
            group by name
            order by 3 desc nulls last, 1
            limit 50
        )
        select coalesce(
            jsonb_agg(
                jsonb_build_object(
                    'feature', name,
                    'uses', round(coalesce(uses, 0)),
                    'userDays', coalesce(rows, 0),
                    'successRate', round(success, 2),
                    'averageDuration', round(duration, 3)
                )
                order by uses desc nulls last, name
            ),
            '[]'
        )
        from features
    );
end
$$;

comment on function ops.dashboard_features(timestamptz, timestamptz) is
    'The 50 features that were used most on the dates of the range: how often, on how many days of how many users, with the mean of their success rates in % and of their durations.';

create or replace function ops.dashboard_measurements(p_from timestamptz, p_now timestamptz, p_environment text)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
    return (
        with measured as materialized (
            select *
            from ops.sum_figures('metric', p_environment, ops.window_from('metric', p_from, p_now), p_now)
        ),
        vitals as materialized (
            select name, part, measured, ops.quantile(buckets, counts, low, high, 0.75) as p75
            from measured
            where name in ('LCP', 'INP', 'CLS', 'FCP', 'TTFB', 'FID') and measured > 0
        ),
        pages as (
            select
                split_part(name, ' ', 1) as vital,
                jsonb_agg(
                    jsonb_build_object(
                        'page', substr(name, 1 + strpos(name, ' ')),
                        'p75', ops.quantile(buckets, counts, low, high, 0.75),
                        'views', measured
                    )
                    order by measured desc, name
                ) as document
            from ops.sum_figures('page', p_environment, ops.window_from('page', p_from, p_now), p_now, null, 20)
            where part = '' and measured > 0 and name <> 'other'
            group by 1
        ),
        most as (
            select * from measured where part = '' order by n desc, name limit 20
        )
        select jsonb_build_object(
            'webVitals', (
                select coalesce(
                    jsonb_object_agg(
                        vitals.name,
                        jsonb_build_object(
                            'p75', vitals.p75,
                            'views', vitals.measured,
                            'soft', case
                                when soft.name is not null
                                then jsonb_build_object('p75', soft.p75, 'views', soft.measured)
                            end,
                            'pages', coalesce(pages.document, '[]')
                        )
                    ),
                    '{}'
                )
                from vitals
                left join vitals as soft on soft.name = vitals.name and soft.part = 'soft'
                left join pages on pages.vital = vitals.name
                where vitals.part = ''
            ),
            'metrics', (
                select coalesce(
                    jsonb_object_agg(
                        name,
                        jsonb_build_object(
                            'measurements', measured,
                            'average', round(total / nullif(measured, 0), 3),
                            'p50', quantiles[1],
                            'p95', quantiles[2]
                        )
                    ),
                    '{}'
                )
                from most
                cross join lateral ops.quantiles(buckets, counts, low, high, array[0.50, 0.95]) as quantiles
            )
        )
    );
end
$$;

comment on function ops.dashboard_measurements(timestamptz, timestamptz, text) is
    'The Web Vitals of the range, the value that three of four page views stayed below, of all pages and of those that were seen most; and the 20 measurements that the application wrote most, by name.';
