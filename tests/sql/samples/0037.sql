insert into ops.role_permissions (role, permission) values ('viewer', 'dashboard.read');
insert into ops.sign_in_tries (scope, key, tries, since, last_at)
values ('client', '0011', 3, '2026-11-24T10:00:00Z', '2026-11-24T10:01:00Z');
