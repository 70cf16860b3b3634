-- The dashboard's section about security: who tries to get in, and who may do what. A figure
-- without a source is null.

create or replace function ops.dashboard_security(p_now timestamptz)
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
        -- A project may have its audit of sign-ins written elsewhere.
        'signInAttempts', case when ops.keeps_audit(p_now) or exists (
            select from ops.figure_sources where kind = 'event' and source = 'supabase'
        ) then (
            select jsonb_build_object(
                'mostFromOneAddress', coalesce(max(attempts) filter (where subject !~ '^account '), 0),
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
    'The most attempts to sign in, the share of refused requests, how many admins there are, and since when access is as it is. A figure whose source is absent or cannot be read is null.';
