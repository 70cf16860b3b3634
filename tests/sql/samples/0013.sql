-- A drill that found something missing, and one that broke off.
insert into ops.backup_drills
    (id, snapshot, taken_at, started_at, finished_at, restored, reason, missing, tables, seconds, rows, bytes, tables_in_backup, received_at)
values
(
    '00000000-0000-4000-8000-000000001301', '20261124T120000Z-1-sample', '2026-11-24T12:00:00Z', '2026-11-24T13:00:00Z', '2026-11-24T13:00:40Z',
    true, null, '[{"what": "index public.wines_name_idx", "reason": "no"}]', '{public.wines}', 38.5, 10, 1000, 2, '2026-11-24T13:00:41Z'
),
(
    '00000000-0000-4000-8000-000000001302', '20261124T120000Z-1-sample', '2026-11-24T12:00:00Z', '2026-11-24T14:00:00Z', '2026-11-24T14:00:01Z',
    false, 'not restorable here: extension vector', '[]', '{}', null, null, null, 2, '2026-11-24T14:00:02Z'
);
update ops.backups set gaps = '[{"what": "large objects", "why": "they are not read"}]' where outcome = 'done';
