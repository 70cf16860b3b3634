-- Who reads each channel, the one to prefer first. How messages read there and how they are
-- sent is in lib/src/messages/channels.

insert into ops.channel_kinds (channel, place, reach, follows, address, address_pattern)
values
    ('slack', 1, 'room', true, null, null),
    ('email', 2, 'mail', false, null, null),
    ('discord', 3, 'room', false, null, null),
    ('webhook', 4, 'machine', false, null, null),
    ('pagerduty', 5, 'pager', true, null, null),
    ('sms', 6, 'phone', false, 'a phone number with its country, such as +4915112345678', '^\+[1-9][0-9]{6,14}$'),
    ('voice', 7, 'call', false, 'a phone number with its country, such as +4915112345678', '^\+[1-9][0-9]{6,14}$'),
    ('ntfy', 8, 'room', false, null, null),
    ('telegram', 9, 'room', true, 'a Telegram user id, digits', '^[0-9]{3,15}$'),
    ('teams', 10, 'room', false, null, null),
    -- A contact adds devices, and no file names their addresses.
    ('push', 11, 'phone', false, null, null)
on conflict (channel) do update
set
    place = excluded.place,
    reach = excluded.reach,
    follows = excluded.follows,
    address = excluded.address,
    address_pattern = excluded.address_pattern
where (ops.channel_kinds.*) is distinct from (excluded.*);
