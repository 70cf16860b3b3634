-- Work that was announced, and the past in short.
insert into ops.maintenance_windows (id, reason, author, checks, services, starts_at, ends_at, weekdays, local_time, duration_minutes, zone, created_at, removed_at, removed_by)
values
('00000000-0000-4000-8000-000000001101', 'database upgrade', 'anna', '{}', '{database}', '2026-11-24T22:00:00Z', '2026-11-24T23:00:00Z', null, null, null, null, '2026-11-24T12:00:00Z', null, null),
('00000000-0000-4000-8000-000000001102', 'reindexing', 'anna', '{check:search}', '{}', '2026-11-24T00:00:00Z', '2027-11-24T00:00:00Z', '{6,7}', '02:00', 90, 'Europe/Berlin', '2026-11-24T00:00:00Z', '2026-11-24T12:00:00Z', 'max');
insert into ops.uptime_rollups (check_name, rolled_to, newest_sample)
values ('app:https://wine.example/', '2026-11-24T12:00:00Z', 1);
insert into ops.uptime_spans (check_name, started_at, ended_at, status)
values ('app:https://wine.example/', '2026-11-24T11:00:00Z', '2026-11-24T11:30:00Z', 'degraded');
insert into ops.uptime_days (check_name, day, up, degraded, down)
values ('app:https://wine.example/', '2026-11-23T00:00:00Z', 86000.5, 10, 300);
insert into ops.request_hours (hour, requests, failures, fast) values ('2026-11-24T11:00:00Z', 100, 2, 90);
insert into ops.web_vitals (environment, name, p75, views, measured_at)
values ('production', 'LCP', 2400.5, 120, '2026-11-24T12:00:00Z');
