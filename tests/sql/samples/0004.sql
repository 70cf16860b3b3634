-- A job with a run of a slot that is done, one that was missed, one by hand that is at work.
insert into ops.jobs (job, every_seconds, fence, lease_run, lease_until, first_slot, last_slot, committed_at)
values (
    'monitor', 60, 3, '00000000-0000-4000-8000-000000000403', '2026-11-24T12:02:00Z',
    '2026-11-24T12:00:00Z', '2026-11-24T12:01:00Z', '2026-11-24T12:00:01Z'
),
('backup', 1800, 1, null, null, '2026-11-24T12:00:00Z', '2026-11-24T12:00:00Z', '2026-11-24T12:00:09Z');
insert into ops.runs (id, job, slot, fence, outcome, started_at, finished_at, lease_until, missed, summary)
values
('00000000-0000-4000-8000-000000000401', 'monitor', '2026-11-24T12:00:00Z', 1, 'done', '2026-11-24T12:00:00Z', '2026-11-24T12:00:01Z', null, 0, '{"checks": 1}'),
('00000000-0000-4000-8000-000000000402', 'monitor', '2026-11-24T12:01:00Z', 2, 'missed', '2026-11-24T12:01:00Z', '2026-11-24T12:01:00Z', null, 1, null),
('00000000-0000-4000-8000-000000000403', 'monitor', null, 3, 'running', '2026-11-24T12:01:05Z', null, '2026-11-24T12:02:00Z', 0, null),
('00000000-0000-4000-8000-000000000404', 'backup', '2026-11-24T12:00:00Z', 1, 'done', '2026-11-24T12:00:00Z', '2026-11-24T12:00:09Z', null, 0, '{}');
insert into ops.scheduler (base_url, installed_at, silent_since, told_at)
values ('https://ops.wine.example', '2026-11-24T09:00:00Z', '2026-11-24T11:00:00Z', '2026-11-24T11:05:00Z');
