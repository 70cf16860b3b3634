-- Somebody on duty, and who is told of an alert when.
insert into ops.contact_roles (role, level, after_minutes) values ('on_call_primary', 1, 0), ('executive', 4, 120);
insert into ops.contacts (id, name, role, email, slack_id, days, hours_from, hours_until, zone, email_proven_at, slack_proven_at, updated_at, updated_by)
values ('00000000-0000-4000-8000-000000000901', 'Anna', 'on_call_primary', 'anna@wine.example', 'U0123ABCD', '{1,2,3}', '08:00', '20:00', 'Europe/Berlin', '2026-11-24T09:00:00Z', null, '2026-11-24T09:00:00Z', 'anna');
insert into ops.escalations (alert, severity, level, due_at, person, passed, status, told_at)
values
('00000000-0000-4000-8000-000000000611', 'critical', 1, '2026-11-24T12:00:00Z', '{"name": "Anna"}', '{}', 'told', '2026-11-24T12:00:00Z'),
('00000000-0000-4000-8000-000000000611', 'critical', null, '2026-11-24T12:30:00Z', null, '{2}', 'waiting', null);
