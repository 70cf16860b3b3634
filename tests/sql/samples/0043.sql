insert into ops.platform_watches (source, watched, asked_at) values ('app_project', true, '2026-11-24T12:00:00Z');
insert into ops.platform_readings (source, document, first_at, last_at)
values ('app_project', '{"pinned": false}', '2026-11-24T11:00:00Z', '2026-11-24T12:00:00Z');
