insert into ops.audit_checkpoint (seq, at, action, actor, subject, details, previous, hash)
values (1, '2019-11-24T12:00:00Z', 'setting.changed', null, 'slo.target_percent', repeat('1', 64), repeat('0', 64), repeat('2', 64));
