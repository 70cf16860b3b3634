insert into ops.exports (id, person, token_hash, begun_at, ready_at, expires_at, bytes)
values (
    '00000000-0000-4000-8000-000000000060', '00000000-0000-4000-8000-000000000001', repeat('0b', 32),
    '2026-11-24T12:00:00Z', '2026-11-24T12:00:05Z', '2026-12-01T12:00:00Z', 4096
);
