-- A rung of the second round that asked somebody, and one that still waits.
insert into ops.escalations (id, alert, severity, round, level, after_minutes, due_at, status)
overriding system value values
(1501, '00000000-0000-4000-8000-000000000611', 'critical', 2, 1, 0, '2026-11-24T15:00:00Z', 'done'),
(1502, '00000000-0000-4000-8000-000000000611', 'critical', 2, 1, 15, '2026-11-24T15:15:00Z', 'waiting');
insert into ops.escalations (alert, severity, round, level, due_at, person, status, told_at, rung)
values ('00000000-0000-4000-8000-000000000611', 'critical', 2, 1, '2026-11-24T15:00:00Z', '{"name": "Anna"}', 'told', '2026-11-24T15:00:00Z', 1501);
