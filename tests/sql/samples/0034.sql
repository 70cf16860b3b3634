-- A funnel that was changed once and counted once.
insert into ops.funnels (name, steps, within_minutes, updated_at, updated_by)
values ('first-wine', '{user_registered,page:/wines,wine_added}', 10080, '2026-11-24T09:00:00Z', 'anna');
insert into ops.funnel_changes (name, change, old_value, new_value, changed_at, changed_by)
values ('first-wine', 'added', null, '{"name": "first-wine"}', '2026-11-24T09:00:00Z', 'anna');
insert into ops.funnel_results (funnel, environment, days, tried_at, as_of, result)
values ('first-wine', 'production', 7, '2026-11-24T10:00:00Z', '2026-11-24T10:00:00Z', '{"steps": []}');
