-- An alert that fires, one that somebody answered and that is held, one that is over.
insert into ops.rules (rule, severity, signal, subject_kind, bad_after, good_after, affects)
values
('app_down', 'critical', 'availability', 'url', null, null, '{app}'),
('service_degraded', 'medium', 'availability', 'service', 2, 2, '{}'),
('external', null, 'external', 'text', 1, 1, '{}');
insert into ops.dependencies (rule, subject, needs_rule, needs_subject, same_subject, enabled)
values ('app_down', null, 'service_degraded', 'database', false, true);
insert into ops.incidents (id, severity, status, started_at, resolved_at, rule, subject, affects, title, opened_by, resolved_by, cause, services, began_after, updated_at, updated_by)
values
('00000000-0000-4000-8000-000000000601', 'critical', 'identified', '2026-11-24T12:00:00Z', null, 'app_down', 'https://wine.example/', '{app}', null, null, null, 'ours', '[{"service": "app"}]', '{"deployment": "dpl_1"}', '2026-11-24T12:01:00Z', 'anna'),
('00000000-0000-4000-8000-000000000602', 'low', 'resolved', '2026-11-23T12:00:00Z', '2026-11-23T13:00:00Z', null, null, '{}', 'Slow labels', 'anna', 'max', 'unknown', '[]', null, '2026-11-23T13:00:00Z', 'max');
insert into ops.alerts (id, fingerprint, rule, subject, severity, status, source, first_bad_at, opened_at, acknowledged_at, acknowledged_by, acknowledged_until, resolved_at, incident, facts, last_facts, occurrences, held_by, held_since, held_until)
values
('00000000-0000-4000-8000-000000000611', 'app_down:https://wine.example/', 'app_down', 'https://wine.example/', 'critical', 'firing', 'monitor', '2026-11-24T11:58:00Z', '2026-11-24T12:00:00Z', null, null, null, null, '00000000-0000-4000-8000-000000000601', '{"reason": "timeout"}', '{}', 3, null, null, null),
('00000000-0000-4000-8000-000000000612', 'service_degraded:ai', 'service_degraded', 'ai', 'medium', 'acknowledged', 'monitor', '2026-11-24T11:58:00Z', '2026-11-24T12:00:00Z', '2026-11-24T12:01:00Z', 'Anna', '2026-11-24T16:01:00Z', null, null, '{}', '{}', 1, '{"rule": "app_down"}', '2026-11-24T12:00:00Z', '2026-11-24T12:10:00Z'),
('00000000-0000-4000-8000-000000000613', 'external:ci:deploy', 'external', 'deploy', 'low', 'resolved', 'external', '2026-11-23T12:00:00Z', '2026-11-23T12:00:00Z', null, null, null, '2026-11-23T13:00:00Z', '00000000-0000-4000-8000-000000000602', '{}', '{}', 1, null, null, null);
insert into ops.alert_states (fingerprint, rule, subject, phase, bad_count, good_count, first_bad_at, last_bad_at, last_observed_at, last_fence, alert)
values ('app_down:https://wine.example/', 'app_down', 'https://wine.example/', 'firing', 3, 0, '2026-11-24T11:58:00Z', '2026-11-24T12:00:00Z', '2026-11-24T12:00:00Z', 1, '00000000-0000-4000-8000-000000000611');
insert into ops.alert_events (alert, at, kind, actor, note, detail)
values
('00000000-0000-4000-8000-000000000611', '2026-11-24T12:00:00Z', 'opened', null, null, '{}'),
('00000000-0000-4000-8000-000000000612', '2026-11-24T12:01:00Z', 'acknowledged', 'Anna', 'on it', '{}');
insert into ops.silences (id, rule, subject, fingerprint, reason, author, created_at, ends_at, ended_by)
values ('00000000-0000-4000-8000-000000000621', null, 'ai', null, 'known', 'anna', '2026-11-24T12:00:00Z', '2026-11-25T12:00:00Z', null);
insert into ops.noticed_events (source, id, at, fresh)
values ('error_logs', '00000000-0000-4000-8000-000000000631', '2026-11-24T12:00:00Z', true);
