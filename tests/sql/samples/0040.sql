insert into ops.database_readings (read_at, document) values ('2026-11-24T12:00:00Z', '{"sizeBytes": 1}');
