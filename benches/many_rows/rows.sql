-- So many rows as the setting bench.rows says, spread evenly over the ninety days up to now, as
-- a middling application writes them: 40 % requests of 40 endpoints, 25 % events, 15 %
-- measurements, 5 % each of errors, business metrics, sessions and uses of features; 20,000
-- people. They are those of before the triggers, and no reference is looked up.

set session_replication_role = replica;
set synchronous_commit = off;

create temporary table bench as
select
    current_setting('bench.rows')::bigint as rows,
    date_trunc('minute', now()) as ended,
    interval '90 days' / current_setting('bench.rows')::float8 as step;

insert into auth.users (id)
select ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid from generate_series(0, 19999) as n;

insert into public.api_usage_metrics (endpoint, method, status_code, response_time, user_id, "timestamp")
select
    '/api/resource' || hashint8(n) % 20 + 20, (array['GET', 'POST'])[1 + n % 2],
    case when n % 200 = 0 then 500 when n % 37 = 0 then 404 when n % 101 = 0 then 401 else 200 end,
    round((20 * exp(3 * random()) * exp(random()))::numeric, 3),
    ('00000000-0000-4000-8000-' || lpad(((n * 7919) % 20000)::text, 12, '0'))::uuid,
    ended - n * step * 2.5
from bench
cross join generate_series((rows * 0.40)::bigint, 1, -1) as n;

insert into public.analytics_events (event_name, properties, user_id, session_id, "timestamp")
select
    (array['page_view', 'wine_added', 'ai_query_processed', 'user_registered', 'taste_profile_completed'])[1 + n % 5],
    '{"page": "/wines"}',
    ('00000000-0000-4000-8000-' || lpad(((n * 7919) % 20000)::text, 12, '0'))::uuid,
    's' || n / 20,
    ended - n * step * 4
from bench
cross join generate_series((rows * 0.25)::bigint, 1, -1) as n;

insert into public.performance_metrics (name, value, unit, metadata, "timestamp")
select
    (array['page_load_time', 'LCP', 'INP', 'CLS', 'database_query_time'])[1 + n % 5],
    round((case n % 5 when 3 then 0.1 * random() else 100 * exp(3 * random()) end)::numeric, 3),
    'ms', jsonb_build_object('page', '/page' || hashint8(n) % 15 + 15),
    ended - n * step / 0.15
from bench
cross join generate_series((rows * 0.15)::bigint, 1, -1) as n;

insert into public.error_logs (message, stack, context, severity, "timestamp")
select
    'Could not load ' || (array['wine', 'label', 'cellar', 'profile', 'image', 'note'])[1 + n % 6] || ' '
        || (array['red', 'white', 'rose', 'port', 'sherry', 'cava', 'cider', 'mead', 'sake', 'beer'])[1 + n / 6 % 10]
        || ' ' || n,
    repeat('at handler (/app/server.js:1:1) ', 10),
    jsonb_build_object('category', (array['database', 'ai_service', 'network', 'validation'])[1 + n % 4]),
    (array['low', 'medium', 'high', 'low', 'medium', 'low', 'low', 'low', 'low', 'low'])[1 + n % 10],
    ended - n * step / 0.05
from bench
cross join generate_series((rows * 0.05)::bigint, 1, -1) as n;

insert into public.business_metrics (metric_name, metric_value, "timestamp")
select (array['wine_consumed', 'revenue', 'cellars'])[1 + n % 3], n % 10, ended - n * step / 0.05
from bench
cross join generate_series((rows * 0.05)::bigint, 1, -1) as n;

insert into public.user_sessions (user_id, session_start, duration_seconds, page_views, events_count, device_type)
select
    ('00000000-0000-4000-8000-' || lpad((n * 7919 % 20000)::text, 12, '0'))::uuid,
    ended - n * step / 0.05, n % 1800, n % 20, n % 30, (array['mobile', 'desktop', 'tablet'])[1 + n % 3]
from bench
cross join generate_series((rows * 0.05)::bigint, 1, -1) as n;

insert into public.feature_usage (feature_name, user_id, usage_count, success_rate, average_duration, date)
select
    'feature ' || n % 20, ('00000000-0000-4000-8000-' || lpad((n % 20000)::text, 12, '0'))::uuid, 1 + n % 5, 95, 200,
    (ended - n * step / 0.05)::date
from bench
cross join generate_series((rows * 0.05)::bigint, 1, -1) as n
on conflict do nothing;

reset session_replication_role;

update ops.counted_tables
set finished = false, key = null, at = 'infinity', id = 'ffffffff-ffff-ffff-ffff-ffffffffffff'
where finished;
