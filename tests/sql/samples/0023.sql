-- A rotation of two layers, in which Anna takes a day from Stella, who is away; and its calendar.
insert into ops.rotations (id, name, role, updated_at, updated_by)
values ('00000000-0000-4000-8000-000000002301', 'Primary', 'on_call_primary', '2026-11-24T09:00:00Z', 'anna');
insert into ops.rotation_layers
    (rotation, layer, unit, every, first_on, hand_over, zone, hours_from, hours_until)
values
    ('00000000-0000-4000-8000-000000002301', 1, 'week', 1, '2026-11-23', '09:00', 'Asia/Kathmandu', '09:00', '17:00'),
    ('00000000-0000-4000-8000-000000002301', 2, 'day', 3, '2026-11-23', '09:00', 'Europe/Berlin', null, null);
insert into ops.rotation_members (rotation, layer, place, contact)
values
    ('00000000-0000-4000-8000-000000002301', 1, 1, '00000000-0000-4000-8000-000000000901'),
    ('00000000-0000-4000-8000-000000002301', 2, 1, '00000000-0000-4000-8000-000000001701'),
    ('00000000-0000-4000-8000-000000002301', 2, 2, null);
insert into ops.oncall_overrides
    (id, rotation, contact, starts_at, ends_at, swap, reason, created_at, created_by)
values (
    '00000000-0000-4000-8000-000000002302', '00000000-0000-4000-8000-000000002301',
    '00000000-0000-4000-8000-000000000901', '2026-11-25T09:00:00Z', '2026-11-26T09:00:00Z',
    null, 'A wedding', '2026-11-24T09:00:00Z', 'anna'
);
insert into ops.absences (id, contact, starts_at, ends_at, reason, created_at, created_by)
values (
    '00000000-0000-4000-8000-000000002303', '00000000-0000-4000-8000-000000001701',
    '2026-12-24T00:00:00Z', '2026-12-27T00:00:00Z', 'Christmas', '2026-11-24T09:00:00Z', 'anna'
);
insert into ops.calendars (rotation, url, zone, added_at, added_by, asked_at, read_at, failing_since, error, left_out)
values (
    '00000000-0000-4000-8000-000000002301', 'https://calendar.example/oncall.ics', 'Europe/Berlin',
    '2026-11-24T09:00:00Z', 'anna', '2026-11-25T10:00:00Z', '2026-11-25T09:00:00Z', '2026-11-25T10:00:00Z',
    'HTTP 404', '[{"event": "Nobody", "why": "nobody is called that"}]'
);
insert into ops.calendar_entries (rotation, starts_at, ends_at, contact)
values (
    '00000000-0000-4000-8000-000000002301', '2026-11-27T09:00:00Z', '2026-11-28T09:00:00Z',
    '00000000-0000-4000-8000-000000001701'
);
