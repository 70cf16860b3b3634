-- Which alerts are only consequences of another alert. A custom check names what it depends on
-- in its own dependsOn. A row that exists already stays as an operator left it, enabled or not.

insert into ops.dependencies (rule, subject, needs_rule, same_subject)
values
    -- While pages or the database are down, what users measure says nothing new.
    ('error_rate_high', null, 'app_down', false),
    ('api_slow', null, 'app_down', false),
    ('api_average_slow', null, 'app_down', false),
    ('page_load_slow', null, 'app_down', false),
    ('web_vital_poor', null, 'app_down', false),
    ('endpoint_slow', null, 'app_down', false),
    ('slo_fast_burn', null, 'app_down', false),
    ('slo_slow_burn', null, 'app_down', false),
    ('app_slow', null, 'app_down', true),
    ('error_rate_high', null, 'database_failing', false),
    ('api_slow', null, 'database_failing', false),
    ('api_average_slow', null, 'database_failing', false),
    ('page_load_slow', null, 'database_failing', false),
    ('web_vital_poor', null, 'database_failing', false),
    ('endpoint_slow', null, 'database_failing', false),
    ('slo_fast_burn', null, 'database_failing', false),
    ('slo_slow_burn', null, 'database_failing', false),
    ('app_slow', null, 'database_failing', false),
    -- Supabase Storage keeps the names of its objects in the database.
    ('service_degraded', 'storage', 'database_failing', false),
    ('service_degraded', 'database', 'database_failing', false),
    ('check_slow', null, 'check_failing', true)
on conflict (rule, subject, needs_rule, needs_subject) do nothing;
