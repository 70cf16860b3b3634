-- An incident from its opening to a word for the public.
insert into ops.incident_events (incident, at, kind, actor, note, detail)
values
('00000000-0000-4000-8000-000000000601', '2026-11-24T12:00:00Z', 'opened', null, null, '{"severity": "critical"}'),
('00000000-0000-4000-8000-000000000601', '2026-11-24T12:01:00Z', 'public_update', 'anna', 'We are looking into it.', '{"state": "identified"}');
