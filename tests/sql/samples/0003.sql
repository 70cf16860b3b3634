-- A setting that an operator changed.
insert into ops.settings (key, value, default_value, kind, minimum, maximum, unit, description, updated_by)
values ('threshold.sample', '2500', '5000', 'integer', 1, 60000, 'ms', 'A setting of the samples.', 'anna');
insert into ops.setting_changes (key, old_value, new_value, changed_at, changed_by)
values ('threshold.sample', '5000', '2500', '2026-11-24T10:00:00Z', 'anna');
