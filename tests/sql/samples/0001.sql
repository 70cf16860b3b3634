-- Rows of the application, as it writes them.
insert into public.analytics_events (event_name, properties, user_id, session_id, user_agent)
values ('wine_added', '{"vintage": 2019}', null, 's-1', 'Mozilla/5.0');
insert into public.performance_metrics (name, value, unit, metadata)
values ('page_load_time', 1200.5, 'ms', '{"path": "/"}');
insert into public.error_logs (message, stack, context, severity)
values ('boom', 'at x', '{"category": "unknown", "statusCode": 500}', 'critical');
insert into public.business_metrics (metric_name, metric_value, metadata) values ('wine_added', 1, '{}');
insert into public.alerts (type, severity, message, data)
values ('performance', 'warning', 'Slow query', '{"ms": 900}');
insert into public.system_health (service_name, status, response_time, error_rate, uptime_percentage, metadata)
values ('ai', 'degraded', 900, 1.5, 99.9, '{}');
insert into public.user_sessions (user_id, device_type, browser, os) values (null, 'mobile', 'Safari', 'iOS');
insert into public.feature_usage (feature_name, user_id, usage_count, success_rate) values ('scan', null, 2, 50);
insert into public.api_usage_metrics (endpoint, method, status_code, response_time, user_agent, request_size)
values ('/api/scan', 'POST', 503, 9000.125, 'curl', 10);
