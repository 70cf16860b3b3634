-- An address beside email and Slack.
insert into ops.contact_addresses (contact, channel, address, proven_at)
values ('00000000-0000-4000-8000-000000001701', 'discord', '81', '2026-11-24T09:00:00Z');
