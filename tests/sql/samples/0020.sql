-- Half an hour in which nothing was seen.
insert into ops.blind_spans (began_at, ended_at) values ('2026-11-24T12:00:00Z', '2026-11-24T12:30:00Z');
