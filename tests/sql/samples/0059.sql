-- A collection that the schedule made, and one that somebody asked for.
insert into ops.runs (id, job, slot, fence, outcome, started_at, finished_at)
values
('00000000-0000-4000-8000-000000005801', 'backup', null, 581, 'done', '2026-11-24T13:00:00Z', '2026-11-24T13:00:40Z'),
('00000000-0000-4000-8000-000000005802', 'backup', null, 582, 'done', '2026-11-25T13:00:00Z', '2026-11-25T13:00:40Z');
insert into ops.backup_collections (run, outcome, started_at, finished_at, reason, asked_by, figures, decisions)
values
(
    '00000000-0000-4000-8000-000000005801', 'done', '2026-11-24T13:00:00Z', '2026-11-24T13:00:40Z', null, null,
    '{"kept": 1, "pinned": 0, "rungs": {"newest": 1, "hourly": 1}, "oldestAt": "2026-11-24T12:00:00Z", "trashed": 0, "putBack": 0,
      "forgotten": 0, "inTrash": 1, "stored": {"objects": 12, "bytes": 5000}, "unneeded": {"objects": 2, "bytes": 700},
      "doomed": {"objects": 0, "bytes": 0}, "deleted": {"objects": 0, "bytes": 0}, "heldBack": 0,
      "renewed": {"objects": 0, "bytes": 0}, "notRenewed": null}',
    '[{"snapshot": "20261124T120000Z-1-sample", "takenAt": "2026-11-24T12:00:00Z", "fate": "keep: newest, hourly"}]'
),
(
    '00000000-0000-4000-8000-000000005802', 'frozen', '2026-11-25T13:00:00Z', '2026-11-25T13:00:40Z',
    'the newest backup, 20261124T120000Z-1-sample, is suspect', 'anna', '{}', '[]'
);
