insert into ops.application_archives (name, taken_at, bytes, documents, absent, leaves, recorded_at)
values ('20261124T120000Z-0123abcd', '2026-11-24T12:00:00Z', 100, '{vercel.app.project}', '{}', '{}', '2026-11-24T12:00:00Z');
