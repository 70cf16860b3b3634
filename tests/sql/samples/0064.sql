insert into ops.backup_recoveries (
    id, kind, is_drill, snapshot, started_at, finished_at, steps, outcome, received_at
)
values (
    '00000000-0000-4000-8000-000000000064', 'database', true, '20261124T120000Z-1-sample', '2026-11-24T12:00:00Z',
    '2026-11-24T12:20:00Z', '[{"step": "restore", "state": "done", "seconds": 812.5}]', 'done', '2026-11-24T12:20:01Z'
);
