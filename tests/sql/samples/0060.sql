insert into ops.backup_replications (
    id, at, place, newest_here, newest_there, copied, objects, bytes, backups_left, received_at
)
values (
    '00000000-0000-4000-8000-000000000061', '2026-11-24T12:00:00Z', 'copies/wine', '2026-11-24T11:30:00Z',
    '2026-11-24T11:30:00Z', 1, 12, 4096, 0, '2026-11-24T12:00:01Z'
);
