-- Every rule that may open an alert or send a notice. docs/runbooks.md has an entry for each
-- of them.

insert into ops.rules as stored (rule, severity, signal, subject_kind, bad_after, good_after, affects)
values
    ('app_down', 'critical', 'check', 'url', null, null, '{app}'),
    ('database_failing', 'critical', 'check', 'service', null, null, '{database,app}'),
    ('pages_unwatched', 'critical', 'check', 'service', null, null, '{app}'),
    ('app_slow', 'high', 'check', 'url', null, null, '{app}'),
    ('certificate_urgent', 'medium', 'check', 'host', null, null, '{app}'),
    ('check_slow', 'medium', 'check', 'check', null, null, '{app}'),
    ('service_degraded', 'medium', 'check', 'service', null, null, '{}'),
    ('certificate_expiring', 'low', 'check', 'host', null, null, '{app}'),
    ('check_failing', null, 'check', 'check', null, null, '{app}'),
    ('api_slow', 'high', 'traffic', 'service', null, null, '{app}'),
    ('error_rate_high', 'high', 'traffic', 'service', null, null, '{app}'),
    ('slo_fast_burn', 'high', 'traffic', 'service', null, null, '{app}'),
    ('api_average_slow', 'medium', 'traffic', 'service', null, null, '{app}'),
    ('page_load_slow', 'medium', 'traffic', 'service', null, null, '{app}'),
    ('web_vital_poor', 'medium', 'traffic', 'metric', null, null, '{app}'),
    ('endpoint_slow', 'low', 'traffic', 'endpoint', null, null, '{app}'),
    ('slo_slow_burn', 'low', 'traffic', 'service', null, null, '{app}'),
    ('critical_error', 'critical', 'event', 'message', 1, 1, '{app}'),
    ('error_new', 'critical', 'event', 'error', 1, 1, '{app}'),
    ('error_regressed', 'high', 'event', 'error', 1, 1, '{app}'),
    ('error_spike', 'high', 'event', 'error', 1, 1, '{app}'),
    ('app_alert', null, 'event', 'type', 1, 1, '{app}'),
    ('connections_high', 'high', 'database', 'service', null, null, '{database,app}'),
    ('outbox_stuck', 'high', 'database', 'service', null, null, '{monitoring}'),
    ('slow_queries', 'medium', 'database', 'service', null, null, '{database}'),
    ('backup_rpo_breached', 'critical', 'job', 'job', 1, 1, '{backups}'),
    ('backup_failed', 'high', 'job', 'job', 1, 1, '{backups}'),
    ('backup_overdue', 'high', 'job', 'job', 1, 1, '{backups}'),
    ('backup_suspect', 'high', 'job', 'job', 1, 1, '{backups}'),
    ('backup_drill_failed', 'high', 'job', 'job', 1, 1, '{backups}'),
    ('backup_drill_overdue', 'medium', 'job', 'job', 1, 1, '{backups}'),
    ('backup_gap', 'medium', 'job', 'object', 1, 1, '{backups}'),
    ('provider_backup', 'high', 'job', 'provider', 1, 1, '{backups}'),
    ('release_regressed', 'high', 'traffic', 'deployment', 1, 1, '{app}'),
    ('release_pinned', 'medium', 'job', 'project', 1, 1, '{}'),
    ('job_failing', 'high', 'job', 'job', 1, 1, '{monitoring}'),
    ('job_overdue', 'high', 'job', 'job', null, null, '{monitoring}'),
    ('job_missed', 'medium', 'job', 'job', null, null, '{monitoring}'),
    ('job_slow', 'medium', 'job', 'job', null, null, '{monitoring}'),
    ('channel_failing', 'high', 'delivery', 'channel', 1, 1, '{monitoring}'),
    ('delivery_unproven', 'medium', 'delivery', 'channel', 1, 1, '{monitoring}'),
    ('oncall_hole', 'medium', 'duty', 'rotation', 1, 1, '{monitoring}'),
    ('oncall_calendar_unread', 'medium', 'duty', 'rotation', 1, 1, '{monitoring}'),
    ('cost_over_limit', 'low', 'job', 'period', null, null, '{}'),
    ('admin_granted', 'high', 'security', 'role', 1, 1, '{security}'),
    ('sign_in_attempts', 'high', 'security', 'address, network or account', 1, null, '{security}'),
    ('access_drift', 'medium', 'security', 'schema', 1, 1, '{security}'),
    ('refused_requests', 'medium', 'security', 'service', null, null, '{security}'),
    ('monitoring_gap', 'high', 'notice', 'job', null, null, '{monitoring}'),
    ('external', null, 'external', 'source', 1, 1, '{}'),
    ('monitoring_blind', 'critical', 'emergency', 'service', null, null, '{monitoring}')
on conflict (rule) do update
set
    severity = excluded.severity,
    signal = excluded.signal,
    subject_kind = excluded.subject_kind,
    bad_after = excluded.bad_after,
    good_after = excluded.good_after,
    affects = excluded.affects
where (stored.severity, stored.signal, stored.subject_kind, stored.bad_after, stored.good_after, stored.affects)
    is distinct from (
        excluded.severity, excluded.signal, excluded.subject_kind, excluded.bad_after, excluded.good_after, excluded.affects
    );
