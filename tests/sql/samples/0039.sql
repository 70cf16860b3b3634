insert into ops.push_devices (id, contact, name, endpoint, public_key, auth_secret, added_at, added_by)
select
    '00000000-0000-0000-0000-0000000000d1', id, 'iPhone', 'https://web.push.apple.com/Q1', repeat('A', 87), repeat('B', 22),
    '2026-11-01 10:00:00+00', 'anna@wine.example'
from ops.contacts
limit 1;
