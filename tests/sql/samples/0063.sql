-- Two receipts, a chain that was found whole, and a period that somebody signed off.
insert into ops.receipts (path, sha256, kind, fact, at, previous, noted_at)
values
(
    'v1/rcpt/2026/11/20261124T120009Z-backup-0123456789abcdef.json', repeat('a', 64), 'backup',
    '00000000-0000-4000-8000-000000000404', '2026-11-24T12:00:09Z', '{}', '2026-11-24T12:00:10Z'
),
(
    'v1/rcpt/2026/11/20261124T120009Z-failure-123456789abcdef0.json', repeat('b', 64), 'failure',
    '00000000-0000-4000-8000-000000000401', '2026-11-24T12:00:09Z', array[repeat('a', 64)], '2026-11-24T12:00:10Z'
);
insert into ops.receipt_checks (id, whole, receipts, heads, faults, checked_at)
values ('00000000-0000-4000-8000-000000006301', true, 2, array[repeat('b', 64)], '[]', '2026-11-25T12:00:00Z');
insert into ops.evidence_reviews (
    id, starts_at, ends_at, reviewer, note, receipts, first_sha256, last_sha256, root, reviewed_at
)
values (
    '00000000-0000-4000-8000-000000006302', '2026-11-24T00:00:00Z', '2026-11-25T00:00:00Z', 'anna', null, 2,
    repeat('a', 64), repeat('b', 64), repeat('c', 64), '2026-11-25T12:01:00Z'
);
