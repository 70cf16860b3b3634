-- 100,000 rows in every table that grows, spread evenly over the ninety days
-- before 24 November 2026, 12:00 UTC: what a middling application has.

-- Without looking every reference up, which would take longer than all the rest.
set session_replication_role = replica;

insert into auth.users (id)
select ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid from generate_series(0, 499) as n;

insert into public.analytics_events (event_name, properties, user_id, session_id, "timestamp")
select
    (array['wine_added', 'ai_query_processed', 'user_registered', 'taste_profile_completed', 'page_view'])[1 + n % 5],
    '{"page": "/wines"}',
    ('00000000-0000-4000-8000-' || lpad((n % 500)::text, 12, '0'))::uuid,
    's-' || n % 1000,
    timestamptz '2026-11-24T12:00:00Z' - n * interval '77.76 s'
from generate_series(100000, 1, -1) as n;

insert into public.performance_metrics (name, value, unit, "timestamp")
select
    (array['page_load_time', 'first_paint'])[1 + n % 2], 500 + n % 2000, 'ms',
    timestamptz '2026-11-24T12:00:00Z' - n * interval '77.76 s'
from generate_series(100000, 1, -1) as n;

insert into public.error_logs (message, stack, context, severity, "timestamp")
select
    'Could not load wine ' || n || ' of user ' || md5(n::text) || ' at /api/wines/' || n,
    repeat('at handler (/app/server.js:1:1) ', 20),
    jsonb_build_object('category', (array['database', 'ai_service', 'network', 'validation'])[1 + n % 4]),
    (array['low', 'medium', 'high', 'low', 'medium', 'low', 'low', 'low', 'low', 'critical'])[1 + n % 10],
    timestamptz '2026-11-24T12:00:00Z' - n * interval '77.76 s'
from generate_series(100000, 1, -1) as n;

insert into public.business_metrics (metric_name, metric_value, "timestamp")
select
    (array['wine_consumed', 'food_pairing_requested', 'revenue'])[1 + n % 3], n % 10,
    timestamptz '2026-11-24T12:00:00Z' - n * interval '77.76 s'
from generate_series(100000, 1, -1) as n;

insert into public.alerts (type, severity, message, resolved, "timestamp")
select
    'performance', (array['info', 'warning', 'error', 'critical'])[1 + n % 4], 'Query took ' || n || ' ms', n % 2 = 0,
    timestamptz '2026-11-24T12:00:00Z' - n * interval '77.76 s'
from generate_series(100000, 1, -1) as n;

insert into public.system_health (service_name, status, response_time, "timestamp")
select
    (array['database', 'ai', 'email', 'storage'])[1 + n % 4], 'healthy', n % 100,
    timestamptz '2026-11-24T12:00:00Z' - n * interval '77.76 s'
from generate_series(100000, 1, -1) as n;

insert into public.user_sessions (user_id, session_start, page_views)
select
    ('00000000-0000-4000-8000-' || lpad((n % 500)::text, 12, '0'))::uuid,
    timestamptz '2026-11-24T12:00:00Z' - n * interval '77.76 s', n % 20
from generate_series(100000, 1, -1) as n;

insert into public.feature_usage (feature_name, user_id, usage_count, date)
select
    'feature ' || n % 20, ('00000000-0000-4000-8000-' || lpad((n % 500)::text, 12, '0'))::uuid, 1,
    date '2026-11-24' - n / 1112
from generate_series(100000, 1, -1) as n
on conflict do nothing;

insert into public.api_usage_metrics (endpoint, method, status_code, response_time, user_id, "timestamp")
select
    '/api/' || (array['wines', 'scan', 'recommendations', 'profile'])[1 + n % 4],
    (array['GET', 'POST'])[1 + n % 2],
    case when n % 50 = 0 then 500 else 200 end,
    20 + n % 900,
    ('00000000-0000-4000-8000-' || lpad((n % 500)::text, 12, '0'))::uuid,
    timestamptz '2026-11-24T12:00:00Z' - n * interval '77.76 s'
from generate_series(100000, 1, -1) as n;

insert into ops.checks (name, kind, service, every_seconds, critical, environment, created_at, last_seen_at)
select
    name, kind, service, 60, true, 'production',
    timestamptz '2026-08-26T12:00:00Z', timestamptz '2026-11-24T11:59:00Z'
from (values
    ('app', 'aggregate', 'app'), ('app:https://app.example/', 'app', 'app'),
    ('database', 'dependency', 'database'), ('ai', 'dependency', 'ai')
) as made (name, kind, service);

insert into ops.samples (check_name, at, status, valid_seconds, latency_ms, run, environment, detail)
select
    (array['app', 'app:https://app.example/', 'database', 'ai'])[1 + n % 4],
    timestamptz '2026-11-24T12:00:00Z' - n * interval '77.76 s',
    case when n % 97 = 0 then 'down' else 'up' end, 120, 100 + n % 50,
    '00000000-0000-4000-8000-000000000000', 'production', '{"url": "https://app.example/", "statusCode": 200}'
from generate_series(100000, 1, -1) as n;

reset session_replication_role;

-- No trigger has counted these rows, so they are as those that were there before the triggers.
update ops.counted_tables
set finished = false, key = null, at = 'infinity', id = 'ffffffff-ffff-ffff-ffff-ffffffffffff'
where finished;

-- Nearly all of them have been counted meanwhile; the oldest of each table are left, so that
-- it can be seen how they are read.
do $$
declare
    v_table text;
    v_rows integer;
begin
    for v_table in select name from ops.counted_tables order by place loop
        execute format('select count(*) from public.%I', v_table) into v_rows;
        perform ops.count_former_rows(v_rows - 3000, '2026-11-24T11:58:00Z');
    end loop;
    while ops.roll_up_figures(1000000, '2026-11-24T11:58:00Z') > 0 loop
    end loop;
end
$$;
