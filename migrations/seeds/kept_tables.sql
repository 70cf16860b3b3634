-- The tables whose rows are deleted by age. public.alerts is not among them: its rows are few,
-- and nothing of ours writes there.

insert into ops.kept_tables as stored (name, table_name, class, place)
values
    ('items', 'ops.items', 'items', 1),
    ('api_usage_metrics', 'public.api_usage_metrics', 'requests', 2),
    ('performance_metrics', 'public.performance_metrics', 'requests', 3),
    ('analytics_events', 'public.analytics_events', 'events', 4),
    ('user_sessions', 'public.user_sessions', 'events', 5),
    ('feature_usage', 'public.feature_usage', 'events', 6),
    ('error_logs', 'public.error_logs', 'errors', 7),
    ('unresolved_errors', 'public.error_logs', 'unresolved', 8),
    ('business_metrics', 'public.business_metrics', 'business', 9),
    ('system_health', 'public.system_health', 'samples', 10)
on conflict (name) do update
set table_name = excluded.table_name, class = excluded.class, place = excluded.place
where (stored.table_name, stored.class, stored.place)
    is distinct from (excluded.table_name, excluded.class, excluded.place);
