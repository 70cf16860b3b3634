-- A job that reports by the door.
insert into ops.monitors (key, slug, heartbeat, config)
values (1, 'nightly import', 'nightly', '{"periodSeconds": 86400, "graceSeconds": 60, "maxRunSeconds": 1800}');
