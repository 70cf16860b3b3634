-- A backup that was whole, another one that was not, and an archive that lacks something.
insert into ops.backup_verifications
    (id, snapshot, taken_at, level, started_at, finished_at, objects, bytes, fault_count, faults, received_at)
values
(
    '00000000-0000-4000-8000-000000005101', '20261124T120000Z-1-sample', '2026-11-24T12:00:00Z', 1, '2026-11-24T13:00:00Z', '2026-11-24T13:00:40Z',
    12, 5000, 0, '[]', '2026-11-24T13:00:41Z'
),
(
    '00000000-0000-4000-8000-000000005102', '20261124T123000Z-1-sample', '2026-11-24T12:30:00Z', 2, '2026-11-24T14:00:00Z', '2026-11-24T14:00:40Z',
    12, 5000, 1, '[{"what": "v1/data/ab", "why": "it is not there"}]', '2026-11-24T14:00:41Z'
);
update ops.application_archives set lacks = '{"supabase.auth": "2026-11-20T12:00:00+00:00"}' where name = '20261124T120000Z-0123abcd';
