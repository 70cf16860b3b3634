-- A message that was sent, its end that another channel told, one that nobody took, a proof.
insert into ops.outbox (id, kind, channel, severity, alert, digest, after, facts, status, attempts, next_attempt_at, lease, leased_until, created_at, sent_at, last_error, provider_id, bundle, bundled_at, stands_in_for)
values
('00000000-0000-4000-8000-000000000801', 'firing', 'slack', 'critical', '00000000-0000-4000-8000-000000000611', false, null, '{"rule": "app_down"}', 'sent', 1, '2026-11-24T12:00:00Z', null, null, '2026-11-24T12:00:00Z', '2026-11-24T12:00:01Z', null, 'ts-1', '00000000-0000-4000-8000-000000000809', '2026-11-24T12:00:00Z', null),
('00000000-0000-4000-8000-000000000802', 'firing', 'email', 'critical', '00000000-0000-4000-8000-000000000611', false, null, '{}', 'dead', 8, '2026-11-24T12:00:00Z', null, null, '2026-11-24T12:00:00Z', null, 'refused', null, null, null, null),
('00000000-0000-4000-8000-000000000803', 'firing', 'slack', 'critical', '00000000-0000-4000-8000-000000000611', false, null, '{}', 'pending', 0, '2026-11-24T12:00:00Z', '00000000-0000-4000-8000-000000000808', '2026-11-24T12:01:00Z', '2026-11-24T12:00:00Z', null, null, null, null, null, '00000000-0000-4000-8000-000000000802'),
('00000000-0000-4000-8000-000000000804', 'resolved', 'slack', 'low', '00000000-0000-4000-8000-000000000613', true, '00000000-0000-4000-8000-000000000801', '{}', 'superseded', 0, '2026-11-24T12:00:00Z', null, null, '2026-11-24T12:00:00Z', null, null, null, null, null, null),
('00000000-0000-4000-8000-000000000805', 'notice', 'email', 'low', null, false, null, '{"test": true}', 'sent', 1, '2026-11-24T12:00:00Z', null, null, '2026-11-24T12:00:00Z', '2026-11-24T12:00:02Z', null, null, null, null, null);
insert into ops.deliveries (message, lease, attempt, started_at, settled_at, outcome, status_code, provider_id, error)
values
('00000000-0000-4000-8000-000000000801', '00000000-0000-4000-8000-000000000807', 1, '2026-11-24T12:00:00Z', '2026-11-24T12:00:01Z', 'sent', 200, 'ts-1', null),
('00000000-0000-4000-8000-000000000803', '00000000-0000-4000-8000-000000000808', 1, '2026-11-24T12:00:00Z', null, null, null, null, null);
insert into ops.channels (channel, known_since) values ('slack', '2026-11-24T09:00:00Z'), ('email', '2026-11-24T09:00:00Z');
insert into ops.channel_proofs (message, channel, month, request, queued_at)
values ('00000000-0000-4000-8000-000000000805', 'email', '2026-11-01', null, '2026-11-24T12:00:00Z');
