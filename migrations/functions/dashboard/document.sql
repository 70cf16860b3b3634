-- The whole dashboard in one call and one snapshot, so that its numbers agree with each
-- other.

create or replace function public.ops_dashboard(
    p_seconds integer,
    p_environment text,
    p_now timestamptz default null,
    p_audit_log boolean default false
)
returns jsonb
language plpgsql
stable
set search_path = ''
-- Compiling a plan would take longer than running it.
set jit = off
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    -- Every figure of the range begins where the coarsest of them can.
    v_from timestamptz := ops.window_from('request', v_now - make_interval(secs => p_seconds), v_now);
    v_uptime jsonb;
    v_people jsonb;
    v_sessions jsonb;
    v_performance jsonb;
    v_business jsonb;
    v_measurements jsonb;
begin
    perform ops.check_number('seconds', p_seconds, 60, 31622400);
    perform ops.check_word('environment', p_environment, ops.words('ops.environment'));

    v_uptime := ops.dashboard_uptime(p_seconds, v_now, p_environment);
    v_people := ops.dashboard_people(v_from, v_now, p_environment);
    v_sessions := ops.dashboard_sessions(v_from, v_now, p_environment);
    v_performance := ops.dashboard_performance(v_from, v_now, p_environment);
    v_business := ops.dashboard_business(v_from, v_now, p_environment);
    v_measurements := ops.dashboard_measurements(v_from, v_now, p_environment);
    return jsonb_build_object(
        'systemHealth', ops.dashboard_health(v_now, p_environment),
        'performance', (v_performance - 'leftOut') || jsonb_build_object('activeUsers', v_people -> 'active'),
        'errors', ops.dashboard_errors(v_from, v_now, p_environment),
        'business', (v_business - 'leftOut') || jsonb_build_object('dailyActiveUsers', v_people -> 'active24h'),
        'people', v_people,
        'sessions', v_sessions || jsonb_build_object(
            'visitsPerPerson', round((v_sessions ->> 'visits')::numeric / nullif((v_people ->> 'active')::numeric, 0), 2)
        ),
        'features', ops.dashboard_features(v_from, v_now),
        'funnels', ops.dashboard_funnels(p_seconds, p_environment),
        'webVitals', v_measurements -> 'webVitals',
        'metrics', v_measurements -> 'metrics',
        'pages', ops.dashboard_pages(v_from, v_now, p_environment),
        'dependencies', ops.dashboard_dependencies(v_from, v_now, p_environment),
        'releases', ops.dashboard_releases(v_from, v_now, p_environment),
        'issues', ops.dashboard_issues(v_from, v_now, p_environment),
        'reports', ops.dashboard_reports(v_from, v_now, p_environment),
        'door', ops.dashboard_door(v_from, v_now),
        'series', ops.dashboard_series(p_seconds, v_from, v_now, p_environment),
        'alerts', ops.dashboard_alerts(v_now),
        'uptime', v_uptime,
        'slo', ops.dashboard_slo(v_uptime -> 'windows', p_environment, v_now),
        'incidents', ops.dashboard_incidents(v_from, v_now),
        'deployments', ops.dashboard_deployments('app', p_environment, v_from, v_now),
        'production', ops.dashboard_production(p_environment, v_from, v_now),
        'feedback', ops.dashboard_feedback(p_environment),
        'database', ops.dashboard_database(v_now),
        'resources', ops.list_resources(v_now),
        'retention', ops.dashboard_retention(v_now),
        'outbox', ops.dashboard_outbox(v_now),
        'jobs', ops.dashboard_jobs(v_now),
        'clocks', ops.dashboard_clocks(v_now),
        'onCall', ops.list_duty(v_now),
        'backups', ops.dashboard_backups(v_now),
        'providerBackups', ops.dashboard_provider_backups(v_now),
        'security', ops.dashboard_security(v_now),
        'audit', ops.self_audit(v_now),
        -- Not everybody who may see the rest may read it, and the edge knows who looks.
        'auditLog', case when p_audit_log then jsonb_build_object(
            'head', ops.audit_head(), 'rows', ops.list_audit(null, 50, null)
        ) end,
        'dataQuality', jsonb_build_object(
            'leftOut', (v_performance -> 'leftOut')
                || jsonb_build_object('businessMetrics', v_business -> 'leftOut')
                -- A clock that is a minute fast is usual; one that is an hour fast is wrong.
                || ops.dashboard_left_out(v_now + interval '1 hour', p_environment),
            'uncounted', ops.dashboard_uncounted(v_from, v_now)
        )
    );
end
$$;

comment on function public.ops_dashboard(integer, text, timestamptz, boolean) is
    'Everything that the dashboard shows of the last p_seconds of an environment, as one document. The range begins at a whole minute, from twenty hours on at a whole hour, and from four days on at a whole day in UTC. Rows of tables that know no environment count for every environment. The audit log is null unless it is asked for.';
