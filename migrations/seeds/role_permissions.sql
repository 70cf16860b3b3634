-- What each role may do. This file is written by `pourtrait docs`; edit
-- `lib/src/auth/roles.rs` instead, by which requests are judged before they come here.

insert into ops.role_permissions (role, permission)
values
    ('viewer', 'dashboard.read'),
    ('responder', 'dashboard.read'),
    ('responder', 'alerts.answer'),
    ('responder', 'status.write'),
    ('admin', 'dashboard.read'),
    ('admin', 'alerts.answer'),
    ('admin', 'status.write'),
    ('admin', 'people.manage'),
    ('admin', 'settings.write'),
    ('admin', 'rows.read'),
    ('admin', 'audit.read')
on conflict (role, permission) do nothing;

delete from ops.role_permissions
where (role, permission) not in (
    ('viewer', 'dashboard.read'),
    ('responder', 'dashboard.read'),
    ('responder', 'alerts.answer'),
    ('responder', 'status.write'),
    ('admin', 'dashboard.read'),
    ('admin', 'alerts.answer'),
    ('admin', 'status.write'),
    ('admin', 'people.manage'),
    ('admin', 'settings.write'),
    ('admin', 'rows.read'),
    ('admin', 'audit.read')
);
