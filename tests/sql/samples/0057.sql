insert into ops.erasures (id, subject, decided_at, erased_at)
values ('00000000-0000-4000-8000-000000000058', repeat('0a', 32), '2026-11-24T12:00:00Z', '2026-11-24T12:00:01Z');
insert into ops.consents (person, purpose, at, granted, said_by)
values ('00000000-0000-4000-8000-000000000001', 'analytics', '2026-11-24T12:00:00Z', true, 'user');
insert into ops.privacy_requests (id, person, kind, asked_at)
values (
    '00000000-0000-4000-8000-000000000059', '00000000-0000-4000-8000-000000000001', 'export', '2026-11-24T12:00:00Z'
);
