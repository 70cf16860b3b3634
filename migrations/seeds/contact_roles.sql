-- The escalation matrix that a team begins with. A role that exists already keeps the level
-- and the minutes that an operator gave it.

insert into ops.contact_roles (role, level, after_minutes)
values
    ('on_call_primary', 1, 0),
    ('on_call_secondary', 1, 15),
    ('engineering_manager', 2, 30),
    ('senior_engineer', 2, 30),
    ('cto', 3, 60),
    ('vendor_support', 3, 60),
    ('executive', 4, 120),
    ('external_consultant', 4, 120),
    -- Hears of incidents and is never asked.
    ('stakeholder', null, null)
on conflict (role) do nothing;
