-- Reports that were sent, sizes of two days, and a list that was handed in.
insert into ops.reports (kind, starts_at, ends_at, queued_at, channels)
values ('daily', '2026-11-23T00:00:00Z', '2026-11-24T00:00:00Z', '2026-11-24T07:00:00Z', '{email}');
insert into ops.database_sizes (day, bytes)
values ('2026-11-23T00:00:00Z', 1000000), ('2026-11-24T00:00:00Z', 1200000);
insert into ops.outdated_lists (request, tool, packages, received_at, received_by)
values (
    '00000000-0000-4000-8000-000000004801', 'npm', '[{"name": "next", "version": "15.0.0", "latest": "15.1.0"}]',
    '2026-11-24T06:00:00Z', 'ci'
);
