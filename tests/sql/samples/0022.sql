-- An address beside email and Slack.
update ops.contacts
set addresses = '{"sms": "+4915112345678"}', addresses_proven = '{"sms": "2026-11-24T09:00:00Z"}'
where id = '00000000-0000-4000-8000-000000001701';
