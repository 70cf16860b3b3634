-- Somebody who hears of incidents.
insert into ops.contact_roles (role, level, after_minutes) values ('stakeholder', null, null);
insert into ops.contacts (id, name, role, email, severity, services, updated_at, updated_by)
values ('00000000-0000-4000-8000-000000001701', 'Stella', 'stakeholder', 'stella@wine.example', 'high', '{app}', '2026-11-24T09:00:00Z', 'anna');
