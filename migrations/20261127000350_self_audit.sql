-- The self-audit: is anything left undone that nobody is about to do?
--
-- Why: whoever watches from outside hears from the monitor only while this is
-- clean. What is held on purpose is no finding: a message that waits for its
-- time is not due, and a silenced alert asks nobody.
-- Read by: the monitor, before it calls the dead man's switch; the dashboard.
-- Undo: put the former public.ops_dashboard back, drop the functions of this file,
-- the setting.

set local search_path = '';

insert into ops.settings (key, kind, value, default_value, minimum, maximum, unit, description)
values
    ('audit.patience_minutes', 'integer', '10', '10', 1, 1440, 'min', 'How long a due message or a due step of a ladder may lie there before the self-audit finds it.');

create function ops.audit_messages(p_patience interval, p_now timestamptz)
returns table (kind text, subject text, count bigint, since timestamptz)
language sql
stable
set search_path = ''
as $$
    select 'unowned_messages', message.channel, count(*), min(message.next_attempt_at)
    from ops.outbox as message
    where message.status = 'pending'
        and message.next_attempt_at <= p_now - p_patience
        and coalesce(message.leased_until <= p_now - p_patience, true)
        -- A resolution waits for what it answers.
        and ops.is_claimable(message, array[message.channel], p_now)
    group by message.channel
$$;

comment on function ops.audit_messages(interval, timestamptz) is
    'Messages that are due and that nobody has leased for that long, by channel.';

create function ops.audit_ladders(p_patience interval, p_now timestamptz)
returns table (kind text, subject text, count bigint, since timestamptz)
language sql
stable
set search_path = ''
as $$
    select 'overdue_escalations', asking.subject, count(*), min(step.due_at)
    from ops.escalations as step
    join ops.alerts as asking on asking.id = step.alert
    where step.status = 'waiting'
        and step.due_at <= p_now - p_patience
        and asking.status = 'firing'
        and ops.held_by(asking, p_now) is null
        and ops.silenced_until(asking, p_now) is null
    group by asking.subject
$$;

comment on function ops.audit_ladders(interval, timestamptz) is
    'Steps of ladders whose time has come for that long, although their alert fires and is neither silenced nor held, by subject.';

create function ops.audit_jobs(p_settings jsonb, p_now timestamptz)
returns table (kind text, subject text, count bigint, since timestamptz)
language sql
stable
set search_path = ''
as $$
    select 'stale_jobs', job.job, 1, job.last_slot
    from ops.jobs as job
    where job.first_slot is not null
        and p_now - job.last_slot > make_interval(
            secs => (p_settings ->> 'threshold.job_overdue_intervals')::float8 * job.every_seconds
        )
$$;

comment on function ops.audit_jobs(jsonb, timestamptz) is
    'Scheduled jobs that nobody has called for too many of their intervals.';

create function ops.self_audit(p_now timestamptz)
returns jsonb
language sql
stable
set search_path = ''
as $$
    with bounds as (
        select settings.all as settings, ops.minutes(settings.all, 'audit.patience_minutes') as patience
        from (select ops.read_settings() as all) as settings
    ),
    findings as (
        select found.* from bounds cross join lateral ops.audit_messages(bounds.patience, p_now) as found
        union all
        select found.* from bounds cross join lateral ops.audit_ladders(bounds.patience, p_now) as found
        union all
        select found.* from bounds cross join lateral ops.audit_jobs(bounds.settings, p_now) as found
    )
    select jsonb_build_object(
        'clean', count(*) = 0,
        'findings', coalesce(
            jsonb_agg(
                jsonb_build_object('kind', kind, 'subject', subject, 'count', count, 'since', since)
                order by since, kind, subject
            ),
            '[]'
        )
    )
    from findings
$$;

comment on function ops.self_audit(timestamptz) is
    'What is left undone and nobody is about to do: due messages that nobody leases, steps of ladders that nobody takes, jobs that nobody calls.';

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
        'security', ops.dashboard_security(v_now),
        'audit', ops.self_audit(v_now)
    );
end
$$;

revoke all on all functions in schema ops from public, anon, authenticated;
grant execute on all functions in schema ops to service_role;
