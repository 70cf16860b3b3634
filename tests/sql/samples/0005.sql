-- A page and a job that reports, with what was seen of them.
insert into ops.checks (name, kind, service, every_seconds, critical, environment, created_at, last_seen_at, first_up_at)
values
('app:https://wine.example/', 'app', 'app', 60, true, 'production', '2026-11-24T09:00:00Z', '2026-11-24T12:00:00Z', '2026-11-24T09:00:00Z'),
('check:nightly', 'heartbeat', 'app', 86400, false, 'production', '2026-11-24T09:00:00Z', '2026-11-24T12:00:00Z', null);
insert into ops.samples (check_name, at, status, valid_seconds, latency_ms, reason, run, environment, deployment_id, commit_sha, region, detail)
values
('app:https://wine.example/', '2026-11-24T12:00:00Z', 'down', 120, 900.5, 'http_status', '00000000-0000-4000-8000-000000000401', 'production', 'dpl_1', 'abc', 'fra1', '{"status": 500}'),
('check:nightly', '2026-11-24T12:00:00Z', 'unknown', 120, null, null, '00000000-0000-4000-8000-000000000401', 'production', null, null, null, '{}');
insert into ops.custom_checks (name, kind, spec, every_seconds, timeout_ms, severity, enabled)
values
('nightly', 'heartbeat', '{"graceSeconds": 60}', 86400, 10000, 'medium', true),
('search', 'http', '{"url": "https://wine.example/search"}', 60, 500, 'high', false);
insert into ops.check_changes (name, change, old_value, new_value, changed_at, changed_by)
values
('search', 'added', null, '{"kind": "http"}', '2026-11-24T09:00:00Z', 'anna'),
('search', 'edited', '{"enabled": true}', '{"enabled": false}', '2026-11-24T10:00:00Z', 'max');
insert into ops.heartbeats (name, token_hash, first_at, started_at, succeeded_at, failed_at)
values ('nightly', repeat('0a', 32), '2026-11-24T02:00:00Z', '2026-11-24T02:00:00Z', '2026-11-24T02:10:00Z', null);
insert into ops.facts (name, value, previous, noted_at, previous_at, changed_at)
values ('admins', '2', '1', '2026-11-24T12:00:00Z', '2026-11-24T11:59:00Z', '2026-11-24T12:00:00Z');
