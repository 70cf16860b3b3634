insert into ops.resource_readings (resource, used, capacity, unit, read_at)
values ('connections', 12, 100, 'connections', '2026-11-24T12:00:00Z');
insert into ops.resource_days (resource, day, used) values ('connections', '2026-11-24', 12);
