insert into ops.audit (seq, at, action, actor, subject, details, previous, hash)
values (1, '2026-11-24T12:00:00Z', 'setting.changed', null, 'slo.target_percent', repeat('1', 64), repeat('0', 64), repeat('2', 64));
insert into ops.audit_details (seq, salt, document) values (1, repeat('a', 64), '{"actor": "anna"}');
insert into ops.audit_pending (action, document) values ('key.added', '{}');
