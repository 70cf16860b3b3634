-- What the report about 23 November 2026 counts, and beside each row some that it must not:
-- of the days around it, of other environments, and numbers that cannot be real. The same day
-- of the week before had half of it.

insert into auth.users (id)
select ('00000000-0000-4000-8000-00000000000' || n)::uuid from generate_series(1, 4) as n;

insert into public.api_usage_metrics (endpoint, method, status_code, response_time, user_id, timestamp)
select '/', 'GET', case when n <= 4 then 500 else 200 end, 100,
       ('00000000-0000-4000-8000-00000000000' || 1 + n % 2)::uuid, timestamptz '2026-11-23T10:00:00Z' + n * interval '1 min'
from generate_series(1, 40) as n
union all
select '/', 'GET', 200, 200, '00000000-0000-4000-8000-000000000003', '2026-11-16T10:00:00Z' from generate_series(1, 20)
union all
-- A response time that cannot be real is a request all the same.
values ('/', 'GET', 200, -5, null::uuid, timestamptz '2026-11-23T23:59:59Z'),
       ('/', 'GET', 200, 5, '00000000-0000-4000-8000-000000000004', '2026-11-24T00:00:30Z'),
       ('/', 'GET', 200, 5, null, '2026-11-22T23:59:30Z'),
       ('/', 'GET', 200, 5, null, '2027-11-23T12:00:00Z');

insert into public.error_logs (message, severity, context, environment, timestamp)
values ('a', 'critical', '{"category": "ai"}', 'production', '2026-11-23T10:00:00Z'),
       ('b', 'low', '{}', 'production', '2026-11-23T11:00:00Z'),
       ('b', 'low', '{}', 'production', '2026-11-16T11:00:00Z'),
       ('b', 'critical', '{}', 'preview', '2026-11-23T11:00:00Z'),
       ('b', 'critical', '{}', 'production', '2026-11-24T11:00:00Z');

insert into public.analytics_events (event_name, user_id, session_id, environment, timestamp)
values ('wine_added', '00000000-0000-4000-8000-000000000001', 's-1', 'production', '2026-11-23T10:00:00Z'),
       ('wine_added', '00000000-0000-4000-8000-000000000003', 's-2', 'production', '2026-11-23T10:00:00Z'),
       ('user_registered', '00000000-0000-4000-8000-000000000003', 's-2', 'production', '2026-11-23T10:01:00Z'),
       ('user_registered', '00000000-0000-4000-8000-000000000003', 's-2', 'production', '2026-11-23T10:02:00Z'),
       ('taste_profile_completed', '00000000-0000-4000-8000-000000000003', 's-2', 'production', '2026-11-23T10:03:00Z'),
       ('wine_added', null, 's-3', 'production', '2026-11-16T10:00:00Z'),
       ('wine_consumed', null, 's-3', 'production', '2026-11-16T10:00:00Z'),
       ('wine_added', null, 's-4', 'preview', '2026-11-23T10:00:00Z');

insert into public.performance_metrics (name, value, unit, environment, timestamp)
select 'LCP', 2000, 'ms', 'production', timestamptz '2026-11-23T10:00:00Z' from generate_series(1, 100)
union all select 'LCP', -1, 'ms', 'production', '2026-11-23T10:00:00Z'
union all select 'LCP', 9000, 'ms', 'production', '2026-11-24T10:00:00Z';

insert into ops.issues (id, environment, key, title, culprit, category, severity, status, events, people, first_seen, last_seen, changed_at, regressed_at)
select gen_random_uuid(), environment, first_seen::text || environment, 't', 'c', 'c', 'high', status, 1, 1, first_seen, first_seen, first_seen, regressed_at
from (values
    ('production', 'open', timestamptz '2026-11-23T00:00:00Z', null::timestamptz),
    ('production', 'resolved', '2026-11-23T23:59:59Z', null),
    ('production', 'open', '2026-11-01T12:00:00Z', '2026-11-23T12:00:00Z'),
    ('production', 'open', '2026-11-24T00:00:00Z', null),
    ('preview', 'open', '2026-11-23T12:00:00Z', null)
) as issue (environment, status, first_seen, regressed_at);

insert into ops.feedback (id, at, key, source, environment, message, status)
select gen_random_uuid(), at, 1, 'own', 'production', 'm', 'open'
from (values (timestamptz '2026-11-23T12:00:00Z'), ('2026-11-16T12:00:00Z'), ('2026-11-24T12:00:00Z')) as written (at);

-- Ticks began on the first of November.
update ops.jobs set first_slot = '2026-11-01T00:00:00Z', last_slot = '2026-11-24T06:00:00Z' where job in ('monitor', 'backup');
insert into ops.runs (id, job, slot, fence, outcome, started_at, finished_at)
select gen_random_uuid(), job, at, 1, outcome, at, at + interval '10 s'
from (values
    ('monitor', timestamptz '2026-11-23T12:00:00Z', 'missed'), ('monitor', '2026-11-23T12:01:00Z', 'missed'),
    ('monitor', '2026-11-23T12:02:00Z', 'done'), ('maintenance', '2026-11-23T12:00:00Z', 'failed'),
    ('monitor', '2026-11-24T00:00:00Z', 'missed')
) as run (job, at, outcome);

insert into ops.checks (name, kind, service, every_seconds, critical, environment, created_at, last_seen_at)
values ('app', 'aggregate', 'app', 60, true, 'production', '2026-11-23T00:00:00Z', '2026-11-24T11:59:00Z'),
       ('certificate:app.example', 'certificate', 'app', 3600, false, 'production', '2026-11-23T00:00:00Z', '2026-11-24T11:59:00Z');
-- Up for six hours, down for two, and not watched for the rest of the day.
insert into ops.samples (check_name, at, status, valid_seconds, run, environment)
select 'app', timestamptz '2026-11-23T00:00:00Z' + n * interval '1 min', case when n < 360 then 'up' else 'down' end, 60,
       gen_random_uuid(), 'production'
from generate_series(0, 479) as n;
insert into ops.samples (check_name, at, status, valid_seconds, run, environment, detail)
values ('certificate:app.example', '2026-11-24T11:00:00Z', 'up', 7200, gen_random_uuid(), 'production', '{"daysLeft": 12}');

insert into ops.incidents (id, severity, status, started_at, resolved_at, title, opened_by, updated_at)
values ('00000000-0000-4000-8000-0000000000a1', 'high', 'resolved', '2026-11-23T12:00:00Z', '2026-11-23T13:00:00Z', 't', null, '2026-11-23T13:00:00Z');
insert into ops.alerts (id, fingerprint, rule, subject, severity, status, source, first_bad_at, opened_at, resolved_at, incident, facts, last_facts)
values ('00000000-0000-4000-8000-0000000000b1', 'a', 'app_down', 'a', 'critical', 'resolved', 'monitor', '2026-11-23T12:00:00Z',
        '2026-11-23T12:00:00Z', '2026-11-23T13:00:00Z', '00000000-0000-4000-8000-0000000000a1', '{}', '{}'),
       ('00000000-0000-4000-8000-0000000000b2', 'b', 'endpoint_slow', 'b', 'low', 'firing', 'monitor', '2026-11-23T12:00:00Z',
        '2026-11-23T12:00:00Z', null, null, '{}', '{}'),
       ('00000000-0000-4000-8000-0000000000b3', 'c', 'app_slow', 'c', 'high', 'resolved', 'monitor', '2026-11-16T12:00:00Z',
        '2026-11-16T12:00:00Z', '2026-11-16T12:10:00Z', null, '{}', '{}');
insert into ops.alert_events (alert, at, kind, actor)
values ('00000000-0000-4000-8000-0000000000b1', '2026-11-23T12:05:00Z', 'acknowledged', 'anna'),
       ('00000000-0000-4000-8000-0000000000b1', '2026-11-23T12:01:00Z', 'escalated', null);
insert into ops.contacts (id, name, role, email, updated_at, updated_by)
values ('00000000-0000-4000-8000-0000000000c1', 'Anna', 'on_call_primary', 'anna@wine.example', '2026-11-01T00:00:00Z', 'anna');
insert into ops.escalations (alert, severity, round, level, due_at, person, status, told_at)
values ('00000000-0000-4000-8000-0000000000b2', 'high', 1, 1, '2026-11-23T12:00:00Z', '{"contact": "c1", "name": "Anna"}', 'told', '2026-11-23T12:00:00Z'),
       ('00000000-0000-4000-8000-0000000000b1', 'high', 1, 1, '2026-11-23T12:00:00Z', '{"contact": "c1", "name": "Anna"}', 'told', '2026-11-23T12:00:00Z');

insert into ops.outbox (kind, channel, severity, facts, created_at, next_attempt_at, status, last_error)
values ('notice', 'slack', 'low', '{}', '2026-11-23T12:00:00Z', '2026-11-23T12:00:00Z', 'dead', 'no'),
       ('notice', 'slack', 'low', '{}', '2026-11-23T12:00:00Z', '2026-11-23T12:00:00Z', 'superseded', null),
       ('notice', 'slack', 'low', '{}', '2026-11-01T12:00:00Z', '2026-11-01T12:00:00Z', 'superseded', null);

insert into ops.deployments (id, at, key, event, deployment, environment)
select gen_random_uuid(), at, 1, event, deployment, environment
from (values
    (timestamptz '2026-11-23T09:00:00Z', 'ready', 'd1', 'production'), ('2026-11-23T09:01:00Z', 'promoted', 'd1', 'production'),
    ('2026-11-23T10:00:00Z', 'failed', 'd2', 'production'), ('2026-11-23T11:00:00Z', 'rolled_back', 'd1', 'production'),
    ('2026-11-23T09:00:00Z', 'ready', 'd3', 'preview'), ('2026-11-01T09:00:00Z', 'ready', 'd0', 'production')
) as deployment (at, event, deployment, environment);

insert into ops.backups (run, outcome, snapshot, taken_at, sealed_at, finished_at, figures)
select id, 'done', 's', timestamptz '2026-11-23T23:30:00Z', '2026-11-23T23:30:05Z', '2026-11-23T23:30:05Z', '{"bytesStored": 1000, "requests": 7}'
from ops.runs where job = 'maintenance';
insert into ops.backups (run, outcome, finished_at, reason)
select id, 'failed', '2026-11-23T22:30:05Z', 'no' from ops.runs where job = 'monitor' and outcome = 'done';
insert into ops.backup_drills (id, snapshot, taken_at, started_at, finished_at, restored, tables, seconds, received_at)
values (gen_random_uuid(), 's', '2026-11-22T23:00:00Z', '2026-11-23T00:00:00Z', '2026-11-23T00:01:00Z', true, '{public.wines}', 60, '2026-11-23T12:00:00Z');

insert into ops.database_sizes (day, bytes)
values ('2026-11-22T00:00:00Z', 1000), ('2026-11-23T00:00:00Z', 1500), ('2026-11-24T00:00:00Z', 9000), ('2026-11-16T00:00:00Z', 700);
insert into ops.outdated_lists (request, tool, packages, received_at, received_by)
values (gen_random_uuid(), 'npm', '[{"name": "a", "version": "1", "latest": "2"}]', '2026-11-10T00:00:00Z', 'ci'),
       (gen_random_uuid(), 'npm', '[]', '2026-11-24T00:00:00Z', 'ci');
