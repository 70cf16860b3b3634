-- A key, what it brought and what was left out, and a visitor's key.
insert into ops.door_keys (id, name, origins, items_a_minute, items_a_day, created_at, created_by)
values (1, 'web', '{https://wine.example}', 6000, 1000000, '2026-11-24T09:00:00Z', 'anna');
insert into ops.door_counts (key, span, begins_at, taken, refused) values (1, 'day', '2026-11-24T00:00:00Z', 5, 1);
insert into ops.door_drops (at, key, source, reason, items) values ('2026-11-24T12:00:00Z', 1, 'own', 'unusable', 2);
insert into ops.visitor_keys (day, key) values ('2026-11-24', 'random');
create table ops.items_20261124 partition of ops.items for values from ('2026-11-24') to ('2026-11-25');
alter table ops.items_20261124 enable row level security;
insert into ops.items (day, id, kind, at, received_at, source, key, environment, name, detail)
values (
    '2026-11-24', '00000000-0000-4000-8000-000000002701', 'event', '2026-11-24T12:00:00Z', '2026-11-24T12:00:01Z', 'own', 1,
    'production', 'wine_added', '{}'
);
