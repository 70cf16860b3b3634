-- An hour of one endpoint that is rolled up, and what is still to be rolled up.
insert into ops.pending_figures (kind, environment, name, part, category, at, n, tallies, fast, left_out, measured, total, low, high, latest, first_at, last_at, buckets, counts, sample, people, sessions)
values
('request', '', 'GET /api/wines', '', '', '2026-11-24T11:59:00Z', 2, '{0,2,0,0,0,0,0}', 2, 0, 2, 30, 10, 20, null, null, null, '{116,150}', '{1,1}', null, '{}', '{}'),
('error', 'production', 'd41d8cd98f00b204e9800998ecf8427e', '', 'database', '2026-11-24T11:59:00Z', 1, '{0,0,1,0}', 0, 0, 0, 0, null, null, null, '2026-11-24T11:59:30Z', '2026-11-24T11:59:30Z', '{}', '{}', 'Wine 1 not found', '{}', '{}'),
('people', 'production', '', '', '', '2026-11-24T11:59:00Z', 1, '{}', 0, 0, 0, 0, null, null, null, null, null, '{}', '{}', null, '{1,2}', '{3}');
insert into ops.figures (kind, environment, grain, at, name, part, n, tallies, fast, left_out, measured, total, low, high, latest, first_at, last_at, buckets, counts)
values ('requests', '', 3600, '2026-11-24T10:00:00Z', '', '', 100, '{0,98,0,0,2,0,0}', 90, 0, 100, 12000, 20, 900, null, null, null, '{150,341}', '{60,40}');
insert into ops.people (environment, person, first_at, last_at)
values ('production', 1, '2026-11-01T10:00:00Z', '2026-11-24T10:00:00Z');
insert into ops.daily_people (environment, day, person) values ('production', '2026-11-24T00:00:00Z', 1);
insert into ops.visits (environment, session, first_at) values ('production', 3, '2026-11-24T10:00:00Z');
insert into ops.error_groups (environment, key, message, category, severity, first_seen, last_seen)
values ('production', 'd41d8cd98f00b204e9800998ecf8427e', 'Wine 1 not found', 'database', 'high', '2026-11-01T10:00:00Z', '2026-11-24T10:00:00Z');
insert into ops.counted_tables (name, place, finished) values ('analytics_events', 2, false);
insert into ops.uncounted_rows (table_name, at, rows, reason) values ('error_logs', '2026-11-24T10:00:00Z', 1, '22003: out of range');
