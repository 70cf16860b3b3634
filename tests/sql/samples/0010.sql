-- A backup that is whole, one that failed, and a restore.
insert into ops.backups (run, outcome, snapshot, taken_at, sealed_at, finished_at, figures, suspect, reason)
values
('00000000-0000-4000-8000-000000000404', 'done', '20261124T120000Z-1-sample', '2026-11-24T12:00:00Z', '2026-11-24T12:00:09Z', '2026-11-24T12:00:09Z', '{"rows": 1}', 'a tenth of the usual rows', null),
('00000000-0000-4000-8000-000000000401', 'failed', null, null, null, '2026-11-24T12:00:09Z', '{}', null, 'the store refuses');
insert into ops.backup_canary (id, nonce, written_at) values (1, 'nonce', '2026-11-24T12:00:00Z');
insert into ops.restores (snapshot, taken_at, restored_at, seconds)
values ('20261124T120000Z-1-sample', '2026-11-24T12:00:00Z', '2026-11-24T13:00:00Z', 41.5);
