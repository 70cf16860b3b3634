-- A week of a small app's life, up to now. Nine hours ago it was down for eleven
-- minutes; three days ago the AI was slow to answer for twenty. Nothing of the
-- last hour is bad enough for an alert.
--
-- Runs in one transaction, which holds the plan in pourtrait.sample: users,
-- events, endpoints [method, path, usual milliseconds] and the app's URL.

select setseed(0.4242);
-- Compiling these statements would take longer than running them.
set local jit = off;

create temporary table sample_plan on commit drop as
select
    array(select value::uuid from jsonb_array_elements_text(plan -> 'users')) as users,
    array(select value from jsonb_array_elements_text(plan -> 'events')) as events,
    plan -> 'endpoints' as endpoints,
    plan ->> 'app' as app_url,
    gen_random_uuid() as run,
    date_trunc('minute', now()) - interval '7 days' as started,
    date_trunc('minute', now()) - interval '9 hours' as outage_from,
    date_trunc('minute', now()) - interval '9 hours' + interval '11 minutes' as outage_to,
    date_trunc('minute', now()) - interval '74 hours' as slow_from,
    date_trunc('minute', now()) - interval '74 hours' + interval '20 minutes' as slow_to
from cast(current_setting('pourtrait.sample') as jsonb) as plan;

-- Moments of use: fewer at night than in the evening.
create temporary table sample_moments on commit drop as
select
    moment.at + random() * interval '20 seconds' as at,
    random() as luck,
    random() as speed,
    plan.users[1 + floor(random() * cardinality(plan.users))::integer] as user_id,
    plan.endpoints -> floor(random() * jsonb_array_length(plan.endpoints))::integer as endpoint,
    moment.at between plan.outage_from and plan.outage_to as broken,
    row_number() over (order by moment.at) as nth
from sample_plan as plan
cross join lateral generate_series(plan.started, now() - interval '20 seconds', interval '20 seconds') as moment (at)
where random() < 0.15 + 0.7 * power(sin(pi() * extract(hour from moment.at)::float8 / 24), 2)
    -- Whoever is there keeps trying.
    or moment.at between plan.outage_from and plan.outage_to;

insert into public.api_usage_metrics
    (endpoint, method, status_code, response_time, user_id, user_agent, request_size, response_size, error_message, "timestamp", created_at)
select
    endpoint ->> 1,
    endpoint ->> 0,
    case
        when broken and luck < 0.7 then 503
        -- None of today's, which would use up the error budget.
        when luck < 0.006 and at < now() - interval '12 hours' then 500
        when luck < 0.03 then 404
        when endpoint ->> 0 = 'POST' then 201
        else 200
    end,
    (endpoint ->> 2)::numeric * (0.5 + speed) * case when luck > 0.99 then 3 else 1 end,
    user_id,
    'Mozilla/5.0 (sample data)',
    200 + floor(speed * 800)::integer,
    500 + floor(speed * 9000)::integer,
    case when broken and luck < 0.7 then 'connection pool exhausted' when luck < 0.006 and at < now() - interval '12 hours' then 'unexpected error' end,
    at,
    at
from sample_moments;

insert into public.analytics_events (event_name, properties, user_id, session_id, user_agent, "timestamp", created_at)
select
    -- Registrations are rare, and most of them lead to a taste profile.
    case
        when nth % 270 = 0 then 'user_registered'
        when nth % 420 = 210 then 'taste_profile_completed'
        else plan.events[1 + floor(speed * cardinality(plan.events))::integer]
    end,
    '{"source": "sample"}',
    user_id,
    md5(user_id::text || at::date),
    'Mozilla/5.0 (sample data)',
    at,
    at
from sample_moments
cross join sample_plan as plan
where nth % 3 = 0
    and not broken
    and (nth % 270 = 0 or nth % 420 = 210 or plan.events[1 + floor(speed * cardinality(plan.events))::integer]
        not in ('user_registered', 'taste_profile_completed'));

-- Every five hours somebody signs up; of three, one goes no further, and one never adds a wine.
insert into public.analytics_events (event_name, properties, user_id, session_id, user_agent, "timestamp", created_at)
select
    step.event,
    '{"source": "sample"}',
    plan.users[1 + began.nth % cardinality(plan.users)],
    md5(began.nth::text),
    'Mozilla/5.0 (sample data)',
    began.at + step.later,
    began.at + step.later
from sample_plan as plan
cross join lateral generate_series(plan.started, now() - interval '1 hour', interval '5 hours')
    with ordinality as began (at, nth)
cross join (values
    (1, 'user_registered', interval '0 s'),
    (2, 'taste_profile_completed', interval '7 min'),
    (3, 'wine_added', interval '31 min')
) as step (place, event, later)
where step.place <= 3 - began.nth % 3;

insert into public.performance_metrics (name, value, unit, metadata, "timestamp", created_at)
select
    (array['page_load_time', 'first_contentful_paint', 'database_query_time'])[1 + nth % 3],
    (array[700, 400, 12])[1 + nth % 3] * (0.5 + speed),
    'ms',
    '{"source": "sample"}',
    at,
    at
from sample_moments
where nth % 4 = 0;

insert into public.performance_metrics (name, value, unit, metadata, "timestamp", created_at)
select vital.name, vital.usual * (0.5 + speed), vital.unit, '{"source": "sample"}', at, at
from sample_moments
cross join (values ('LCP', 1500, 'ms'), ('INP', 90, 'ms'), ('CLS', 0.05, 'count')) as vital (name, usual, unit)
where nth % 4 = 1;

insert into public.error_logs (message, stack, context, user_id, severity, resolved, "timestamp", created_at)
select
    kind.message,
    'Error: ' || kind.message || E'\n    at handler (sample.js:1:1)',
    jsonb_build_object('category', kind.category, 'url', endpoint ->> 1, 'method', endpoint ->> 0, 'requestId', md5(nth::text)),
    user_id,
    kind.severity,
    at < now() - interval '2 days',
    at,
    at
from sample_moments
cross join lateral (
    select *
    from (values
        (0, 'Label could not be read', 'low', 'image_processing'),
        (1, 'Recommendation took longer than 20 s', 'medium', 'ai_service'),
        (2, 'Wine search failed: upstream answered 502', 'high', 'api_external'),
        (3, 'Session expired', 'low', 'authentication'),
        (4, 'Vintage must be a year', 'low', 'validation')
    ) as known (number, message, severity, category)
    where number = nth % 5
) as kind
where not broken and nth % 53 = 0;

insert into public.error_logs (message, stack, context, severity, resolved, resolved_at, "timestamp", created_at)
select
    'Database connection pool exhausted',
    E'Error: Database connection pool exhausted\n    at acquire (sample.js:1:1)',
    jsonb_build_object('category', 'database', 'url', endpoint ->> 1, 'method', endpoint ->> 0, 'requestId', md5(nth::text)),
    'critical',
    true,
    plan.outage_to + interval '10 minutes',
    at,
    at
from sample_moments
cross join sample_plan as plan
where broken;

insert into public.business_metrics (metric_name, metric_value, metadata, "timestamp", created_at)
select 'active_cellars', 40 + floor(random() * 20), '{"source": "sample"}', at, at
from sample_plan as plan
cross join lateral generate_series(plan.started, now() - interval '1 minute', interval '6 hours') as moment (at);

insert into public.alerts (type, severity, message, data, "timestamp", acknowledged, acknowledged_at, resolved, resolved_at, created_at)
select
    'security', 'warning', 'Many failed sign-ins from one network', '{"attempts": 37}',
    slow_from, true, slow_from + interval '6 minutes', true, slow_from + interval '40 minutes', slow_from
from sample_plan;

insert into public.user_sessions
    (user_id, session_start, session_end, duration_seconds, page_views, events_count, user_agent, country, device_type, browser, os, created_at)
select
    user_id, min(at), max(at), extract(epoch from max(at) - min(at))::integer, count(*), count(*),
    'Mozilla/5.0 (sample data)', 'FR', (array['desktop', 'mobile', 'tablet'])[1 + count(*) % 3],
    'Firefox', 'Linux', min(at)
from sample_moments
group by user_id, at::date;

insert into public.feature_usage (feature_name, user_id, usage_count, first_used, last_used, success_rate, average_duration, date, created_at)
select endpoint ->> 1, user_id, count(*), min(at), max(at), 99.5, 180, (at at time zone 'utc')::date, max(at)
from sample_moments
where nth % 2 = 0
group by endpoint ->> 1, user_id, (at at time zone 'utc')::date
on conflict do nothing;

-- What the monitor would have seen: minute by minute for a day, every five
-- minutes before.

create temporary table sample_minutes on commit drop as
with bounds as (
    select plan.*, date_trunc('hour', now()) - interval '26 hours' as recent_from from sample_plan as plan
)
select at, 600 as valid_seconds
from bounds
cross join lateral generate_series(started, recent_from - interval '1 second', interval '5 minutes') as moment (at)
union all
select at, 120
from bounds
cross join lateral generate_series(recent_from, date_trunc('minute', now()) - interval '1 minute', interval '1 minute') as moment (at);

create temporary table sample_services on commit drop as
select *
from (values
    ('app', 'aggregate', true, 45),
    ('database', 'dependency', true, 6),
    ('ai', 'dependency', false, 180),
    ('imageProcessing', 'dependency', false, 120),
    ('email', 'dependency', false, 90),
    ('storage', 'dependency', false, 30)
) as known (service, kind, critical, usual_ms);

insert into ops.checks (name, kind, service, every_seconds, critical, environment, created_at, last_seen_at)
select service, kind, service, 60, critical, 'production', plan.started, now()
from sample_services
cross join sample_plan as plan
on conflict (name) do nothing;

create temporary table sample_observations on commit drop as
select
    service,
    at,
    valid_seconds,
    round((usual_ms * (0.6 + 0.8 * random()))::numeric, 3) as latency_ms,
    case
        when service in ('app', 'database') and at >= outage_from and at < outage_to then 'down'
        when service = 'ai' and at >= slow_from and at < slow_to then 'degraded'
        else 'up'
    end as status
from sample_plan
cross join sample_services
cross join sample_minutes;

insert into ops.samples (check_name, at, status, valid_seconds, latency_ms, reason, run, environment)
select
    service, at, status, valid_seconds,
    case status when 'down' then 10000 else latency_ms end,
    case status when 'down' then 'timeout' when 'degraded' then 'quota' end,
    plan.run, 'production'
from sample_observations
cross join sample_plan as plan
order by at;

insert into public.system_health (service_name, status, response_time, uptime_percentage, metadata, "timestamp", created_at)
select
    service,
    case status when 'down' then 'unhealthy' when 'degraded' then 'degraded' else 'healthy' end,
    latency_ms, null, '{"source": "sample"}', at, at
from sample_observations
where date_bin('15 minutes', at, timestamptz 'epoch') = at or status <> 'up';

-- What people were told of it, and how it ended.

with incident as (
    insert into ops.incidents (severity, status, started_at, resolved_at, rule, subject, affects, updated_at)
    select
        'critical', 'resolved', outage_from, outage_to + interval '1 minute', 'app_down', app_url || '/',
        '{app,database}', outage_from + interval '2 minutes'
    from sample_plan
    returning id
),
told (rule, subject, severity, service, reason, bad_from, bad_to, occurrences) as (
    select 'app_down', app_url || '/', 'critical', 'app', 'timeout', outage_from, outage_to, 11 from sample_plan
    union all
    select 'database_failing', 'database', 'critical', 'database', 'timeout', outage_from, outage_to, 11 from sample_plan
    union all
    select 'service_degraded', 'ai', 'medium', 'ai', 'quota', slow_from, slow_to, 20 from sample_plan
),
described as (
    select told.*, jsonb_build_object(
        'fingerprint', rule || ':' || subject, 'rule', rule, 'subject', subject, 'severity', severity,
        'source', 'monitor', 'since', bad_from, 'openedAt', bad_from + interval '2 minutes',
        'service', service, 'reason', reason, 'environment', 'production', 'occurrences', occurrences
    ) as facts
    from told
)
insert into ops.alerts
    (fingerprint, rule, subject, severity, status, source, first_bad_at, opened_at, resolved_at, incident, facts, last_facts, occurrences)
select
    rule || ':' || subject, rule, subject, severity, 'resolved', 'monitor',
    bad_from, bad_from + interval '2 minutes', bad_to + interval '1 minute',
    case when severity = 'critical' then incident.id end,
    facts, facts, occurrences
from described
cross join incident;

-- What people wrote about it for everybody, and work that is planned.
update ops.incidents set public_title = 'The app could not be opened' where rule = 'app_down';

insert into ops.incident_events (incident, at, kind, actor, note, detail)
select
    incident.id, plan.outage_from + written.after, 'public_update', 'sample', written.words,
    jsonb_build_object('state', written.state)
from ops.incidents as incident
cross join sample_plan as plan
cross join (values
    (interval '4 minutes', 'identified', 'The database takes no connections. We are at it; nothing is lost.'),
    (interval '9 minutes', 'monitoring', 'It answers again. We keep watching.')
) as written (after, state, words)
where incident.rule = 'app_down';

insert into ops.maintenance_windows
    (id, reason, author, services, starts_at, ends_at, created_at, public_title, public_words, published_at)
values (
    gen_random_uuid(), 'New database version', 'sample', '{database}',
    date_trunc('hour', now()) + interval '2 days', date_trunc('hour', now()) + interval '2 days 30 minutes', now(),
    'A newer database', 'Signing in may fail for a minute or two within this half hour.', now()
);

-- What served production, and how it compared with the day before it.
insert into ops.served_deployments (deployment, commit, branch, began_at, told_by)
values ('dpl_sample', null, 'main', date_trunc('hour', now()) - interval '72 hours', 'webhook');

insert into ops.deployment_comparisons (
    served, age_minutes, made_at, from_at, to_at, before_from, before_to, verdict, measures
)
select
    id, 1440, began_at + interval '24 hours 2 minutes', began_at, began_at + interval '24 hours',
    began_at - interval '24 hours', began_at, 'fine', '[]'
from ops.served_deployments;

-- The way that the app is made for, and how far people came on it.
select public.ops_set_funnel('first-wine', '{user_registered,taste_profile_completed,wine_added}', 10080, 'sample');
do $$
begin
    while (ops.due_funnel(now())).funnel is not null loop
        perform ops.refresh_funnel(ops.due_funnel(now()), now());
    end loop;
end
$$;

analyze public.api_usage_metrics;
analyze public.analytics_events;
analyze public.performance_metrics;
analyze public.error_logs;
analyze public.system_health;
analyze ops.samples;

-- What is used of what there is, and how it grew.
insert into ops.resource_readings (resource, used, capacity, unit, note, reason, read_at)
values
    ('database_size', 5.6e9, null, 'B', null, 'limit.database_gb is not set', now()),
    ('database_disk', 6.4e9, 8e9, 'B', null, null, now()),
    ('connections', 14, 60, 'connections', null, null, now()),
    ('database_cpu', 21, 100, '%', null, null, now()),
    ('database_memory', 0.7e9, 1e9, 'B', null, null, now()),
    ('storage', 41e9, 100e9, 'B', null, null, now()),
    ('egress', null, null, 'B', null, 'no API tells it: the platforms'' own usage pages do', now());
insert into ops.resource_days (resource, day, used)
select reading.resource, (now() at time zone 'UTC')::date - back, reading.used * (1 - 0.004 * back)
from ops.resource_readings as reading
cross join generate_series(0, 29) as back
where reading.used is not null;

-- What was deleted by age so far.
update ops.kept_tables set tried_at = now() - interval '5 minutes', ended_at = now() - interval '5 minutes' where true;
insert into ops.forgotten_rows (day, table_name, rows, partitions, from_at, to_at)
select
    (now() at time zone 'UTC')::date - back, gone.name, gone.rows + 37 * back, gone.partitions,
    now() - interval '91 days' - back * interval '1 day', now() - interval '90 days' - back * interval '1 day'
from generate_series(0, 6) as back
cross join (values
    ('public.api_usage_metrics', 14200, 0), ('public.analytics_events', 3100, 0), ('ops.items', 20400, 1)
) as gone (name, rows, partitions);
