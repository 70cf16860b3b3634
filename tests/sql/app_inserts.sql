-- What the application inserts with its service key, as supabase-js words it:
-- the columns that it gives, the rest by default.

insert into public.analytics_events (event_name, properties, user_id, session_id, user_agent, environment)
values ('wine_added', '{"vintage": 2019}', null, 's-1', 'Mozilla/5.0', 'production');
insert into public.performance_metrics (name, value, unit, metadata, environment)
values ('page_load_time', 1200.5, 'ms', '{"path": "/"}', 'production');
insert into public.error_logs (message, stack, context, user_id, severity, environment)
values ('boom', 'at x', '{"category": "unknown", "statusCode": 500}', null, 'medium', 'production');
insert into public.business_metrics (metric_name, metric_value, metadata) values ('wine_added', 1, '{}');
insert into public.alerts (type, severity, message, data)
values ('performance', 'warning', 'Slow query', '{"ms": 900}');
insert into public.system_health (service_name, status, response_time, error_rate, uptime_percentage, metadata)
values ('ai', 'degraded', 900, 1.5, 99.9, '{}');
insert into public.user_sessions (user_id, device_type, browser, os) values (null, 'mobile', 'Safari', 'iOS');
insert into public.feature_usage (feature_name, user_id, usage_count, success_rate) values ('scan', null, 2, 50);
insert into public.api_usage_metrics (endpoint, method, status_code, response_time, user_agent, request_size)
values ('/api/scan/' || repeat('x', 4000), 'POST', 503, 9000.125, 'curl', 10);
update public.alerts set acknowledged = true, acknowledged_at = now() where message = 'Slow query';
