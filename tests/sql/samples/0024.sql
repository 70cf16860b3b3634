-- A silence of a service that begins later.
insert into ops.silences (id, fingerprint, match, reason, author, created_at, starts_at, ends_at)
values (
    '00000000-0000-4000-8000-000000002401', 'match', '{"service": "ai", "severity": ["low", "medium"]}', 'planned', 'anna',
    '2026-11-24T09:00:00Z', '2026-11-24T20:00:00Z', '2026-11-24T21:00:00Z'
);
