insert into ops.exercises (id, exercise, done_by, started_at, finished_at, steps, received_at)
values (
    '00000000-0000-4000-8000-000000004501', 'restore', 'anna', '2026-11-24T12:00:00Z', '2026-11-24T12:09:00Z',
    '[{"step": "rows are back", "at": "2026-11-24T12:08:30Z"}]', '2026-11-24T12:10:00Z'
);
