insert into ops.audit_checkpoint (seq, at, action, actor, subject, details, previous, hash)
values (1, '2019-11-24T12:00:00Z', 'setting.changed', null, 'slo.target_percent', repeat('1', 64), repeat('0', 64), repeat('2', 64));
insert into ops.security_reports (starts_at, ends_at, made_at, facts, differences)
values (
    '2026-10-01T00:00:00Z', '2026-11-01T00:00:00Z', '2026-11-01T07:00:00Z', '{"people": {"known": {"0123456789ab": "admin"}}}', '[]'
);
