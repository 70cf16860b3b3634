-- A source map of a version, in one part.
insert into ops.source_map_parts (content, part, bytes, uploaded_at)
values (repeat('a', 64), 0, '\x00', '2026-11-24T09:00:00Z');
insert into ops.source_maps (release, file, content, debug_id, parts, size, uploaded_at, uploaded_by)
values (
    '1.4.2', '~/_next/static/chunks/app.js', repeat('a', 64), '00000000-0000-4000-8000-000000003101', 1, 100,
    '2026-11-24T09:00:00Z', 'anna'
);
