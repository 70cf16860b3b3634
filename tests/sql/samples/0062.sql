-- A share that was read again, and an object that is damaged.
insert into ops.backup_rereads (
    id, started_at, finished_at, round_began_at, from_position, upto_position, objects, bytes, objects_there, bytes_there,
    objects_old, objects_old_read, oldest_at, unread, received_at
)
values (
    '00000000-0000-4000-8000-000000006201', '2026-11-24T12:00:00Z', '2026-11-24T12:00:04Z', '2026-11-20T12:00:00Z', 0, 4096,
    12, 5000, 1200, 500000, 1000, 990, '2026-11-18T12:00:00Z', '[]', '2026-11-24T12:00:05Z'
);
insert into ops.backup_damages (path, what, snapshot, backups, length, sha256, found_at, seen_at)
values (
    'v1/seg/1/ab/sample.zst.age', 'its content is not the one it was stored with', '20261124T120000Z-1-sample', 3, 100,
    repeat('a', 64), '2026-11-24T12:00:05Z', '2026-11-24T12:00:05Z'
);
insert into ops.drill_dispatches (level, slot, attempts, asked_at, answered_at, started, answer)
values (2, '2026-11-24T12:00:00Z', 2, '2026-11-24T12:20:00Z', '2026-11-24T12:20:01Z', false, 'answered 403: Resource not accessible');
