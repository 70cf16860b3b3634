-- A call that was answered, and one that used a link up.
insert into ops.answered_calls (request, function, result, uses, at)
values
('00000000-0000-4000-8000-000000001201', 'ops_settle_messages', '{"sent": 1}', null, '2026-11-24T12:00:00Z'),
('00000000-0000-4000-8000-000000001202', 'ops_act_on_alert', '{"outcome": "done"}', 'link:1', '2026-11-24T12:00:00Z');
