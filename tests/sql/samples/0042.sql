insert into ops.clocks (job, clock, first_at, last_at, late_seconds, recent)
values ('monitor', 'vercel', '2026-11-24T12:00:05Z', '2026-11-24T12:01:05Z', null, '{2026-11-24T12:01:00Z,2026-11-24T12:00:00Z}');
insert into ops.scheduler_calls (request, path, called_at) values (1, '/api/cron/monitor', '2026-11-24T12:00:00Z');
