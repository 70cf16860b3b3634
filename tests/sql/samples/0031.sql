-- A source of the door, a visitor of one day and a visit.
insert into ops.figure_sources (kind, environment, source, written_at)
values ('request', 'production', 'vercel', '2026-11-24T10:00:00Z');

insert into ops.daily_visitors (environment, day, visitor)
values ('production', '2026-11-24T00:00:00Z', 17);

insert into ops.door_sessions (environment, session, first_at, last_at, views, events, device)
values ('production', 18, '2026-11-24T10:00:00Z', '2026-11-24T10:05:00Z', 3, 2, 'mobile');
