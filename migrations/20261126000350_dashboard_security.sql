-- The dashboard: its section about security.
--
-- Why: who tries to get in, and who may what, in the one document; what has no
-- source is null.
-- Read by: GET /api/monitoring/dashboard.
-- Undo: put back the former public.ops_dashboard; drop ops.dashboard_security.

set local search_path = '';

create function ops.dashboard_security(p_now timestamptz)
returns jsonb
language sql
stable
set search_path = ''
as $$
    with bounds as (
        select
            (value #>> '{}')::integer as window_minutes,
            p_now - make_interval(mins => (value #>> '{}')::integer) as seen_from
        from ops.settings
        where key = 'window.security_minutes'
    )
    select jsonb_build_object(
        'windowMinutes', bounds.window_minutes,
        -- A project may keep its audit out of the database.
        'signInAttempts', case when ops.keeps_audit(p_now) then (
            select jsonb_build_object(
                'mostFromOneAddress', coalesce(max(attempts) filter (where subject like 'address %'), 0),
                'mostForOneAccount', coalesce(max(attempts) filter (where subject like 'account %'), 0)
            )
            from ops.sign_in_attempts(bounds.seen_from, p_now)
        ) end,
        'refusedPercent', (select percent from ops.refused_requests(bounds.seen_from, p_now)),
        'admins', (
            select jsonb_array_length(value)
            from ops.facts
            where name = 'admins'
        ),
        'accessChangedAt', (select changed_at from ops.facts where name = 'access'),
        'openAlerts', (
            select count(*)
            from ops.alerts as alert
            join ops.rules as rule on rule.rule = alert.rule
            where alert.status <> 'resolved' and rule.signal = 'security'
        )
    )
    from bounds
$$;

comment on function ops.dashboard_security(timestamptz) is
    'Who tries to get in, how many admins there are, and since when access is as it is; null where a source is absent or cannot be read.';

create or replace function public.ops_dashboard(
    p_seconds integer,
    p_environment text,
    p_now timestamptz default null
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
    v_from timestamptz := v_now - make_interval(secs => p_seconds);
    v_uptime jsonb;
begin
    if coalesce(p_seconds, 0) not between 60 and 31622400
        or coalesce(p_environment, '') not in ('development', 'preview', 'production')
    then
        raise exception 'a dashboard needs a range of 60 to 31622400 s and an environment (development, preview or production)'
            using errcode = 'invalid_parameter_value';
    end if;

    v_uptime := ops.dashboard_uptime(p_seconds, v_now, p_environment);
    return jsonb_build_object(
        'systemHealth', ops.dashboard_health(v_now, p_environment),
        'performance', ops.dashboard_performance(v_from, v_now, p_environment),
        'errors', ops.dashboard_errors(v_from, v_now, p_environment),
        'business', ops.dashboard_business(v_from, v_now, p_environment),
        'alerts', ops.dashboard_alerts(),
        'uptime', v_uptime,
        'slo', ops.dashboard_slo(v_uptime -> 'windows', p_environment, v_now),
        'incidents', ops.dashboard_incidents(v_from, v_now),
        'database', ops.dashboard_database(),
        'outbox', ops.dashboard_outbox(v_now),
        'jobs', ops.dashboard_jobs(v_now),
        'backups', ops.dashboard_backups(v_now),
        'security', ops.dashboard_security(v_now)
    );
end
$$;

revoke all on all functions in schema ops from public, anon, authenticated;
grant execute on all functions in schema ops to service_role;
