insert into ops.kept_tables (name, table_name, class, place, tried_at, ended_at, oldest_at)
values ('analytics_events', 'public.analytics_events', 'events', 4, '2026-11-24T12:00:00Z', '2026-11-24T12:00:00Z', '2026-08-26T12:00:00Z');
insert into ops.forgotten_rows (day, table_name, rows, from_at, to_at)
values ('2026-11-24', 'public.analytics_events', 1200, '2026-08-25T12:00:00Z', '2026-08-26T11:59:00Z');
insert into ops.incident_users (incident, resolved_at, users, counted_at)
select id, updated_at, 3, updated_at from ops.incidents order by number limit 1;
