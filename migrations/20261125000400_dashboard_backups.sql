-- The dashboard's section about backups, and the whole with it.
--
-- Why: the first question about backups is how much would be lost now; the
-- second what they cost, which is what they read from the database.
-- Read by: GET /api/monitoring/dashboard.
-- Undo: put the former public.ops_dashboard back, drop ops.dashboard_backups and
-- ops.backup_document.

set local search_path = '';

create function ops.backup_document(p_backup ops.backups, p_run ops.runs)
returns jsonb
language sql
immutable
set search_path = ''
as $$
    select jsonb_build_object(
        'run', p_backup.run,
        'slot', p_run.slot,
        'outcome', p_backup.outcome,
        'snapshot', p_backup.snapshot,
        'takenAt', p_backup.taken_at,
        'sealedAt', p_backup.sealed_at,
        'durationMs', round(1000 * extract(epoch from p_backup.finished_at - p_run.started_at)),
        'rows', p_backup.figures -> 'rows',
        'requests', p_backup.figures -> 'requests',
        'bytesRead', p_backup.figures -> 'bytesRead',
        'bytesStored', p_backup.figures -> 'bytesStored',
        'bytesReused', p_backup.figures -> 'bytesReused',
        'reusedPercent', round(
            100 * (p_backup.figures ->> 'bytesReused')::numeric
            -- What is reused counts the definitions of objects too.
            / nullif(
                greatest(
                    (p_backup.figures ->> 'bytesRead')::numeric, (p_backup.figures ->> 'bytesReused')::numeric
                ),
                0
            ),
            2
        ),
        'suspect', p_backup.suspect,
        'reason', p_backup.reason
    )
$$;

comment on function ops.backup_document(ops.backups, ops.runs) is
    'A run of the backup as the dashboard shows it; figures that it did not report are null.';

create function ops.dashboard_backups(p_now timestamptz)
returns jsonb
language sql
stable
set search_path = ''
as $$
    with job as (
        select * from ops.jobs where jobs.job = 'backup'
    ),
    finished as (
        select backups, runs, backups.outcome, backups.finished_at, backups.figures
        from ops.backups
        join ops.runs on runs.id = backups.run
        where backups.finished_at <= p_now
        order by backups.finished_at desc
        limit 10
    ),
    newest_sealed as (
        select *
        from ops.backups
        where outcome = 'done' and taken_at <= p_now
        order by taken_at desc
        limit 1
    ),
    newest_decided as (
        select outcome from finished where outcome <> 'partial' order by finished_at desc limit 1
    ),
    limits as (
        select
            extract(epoch from ops.minutes(settings, 'threshold.backup_overdue_minutes')) as overdue,
            extract(epoch from ops.minutes(settings, 'threshold.backup_rpo_minutes')) as target
        from ops.read_settings() as settings
    ),
    age as (
        select seconds from ops.backup_age(p_now)
    ),
    restored as (
        select * from ops.restores where restored_at <= p_now order by restored_at desc limit 10
    )
    select jsonb_build_object(
        'status', case
            when (select seconds from age) > limits.overdue then 'overdue'
            when (select outcome from newest_decided) = 'failed' then 'failing'
            when not exists (select from newest_sealed) then 'waiting'
            when (select suspect from newest_sealed) is not null then 'suspect'
            else 'ok'
        end,
        'lastBackupAt', (select taken_at from newest_sealed),
        'ageSeconds', (select seconds from age),
        'rpoSeconds', limits.target,
        'projectedMonthlyEgressBytes', (
            -- Thirty days like the newest runs.
            select round(avg((figures ->> 'bytesRead')::numeric) * 2592000 / job.every_seconds)
            from finished
            where outcome = 'done'
        ),
        'runs', coalesce(
            (
                select jsonb_agg(ops.backup_document(backups, runs) order by finished_at desc)
                from finished
            ),
            '[]'
        ),
        'restores', coalesce(
            (
                select jsonb_agg(
                    jsonb_build_object(
                        'snapshot', snapshot,
                        'takenAt', taken_at,
                        'restoredAt', restored_at,
                        'seconds', seconds
                    )
                    order by restored_at desc
                )
                from restored
            ),
            '[]'
        )
    )
    from job
    cross join limits
    where job.first_slot is not null or exists (select from finished)
$$;

comment on function ops.dashboard_backups(timestamptz) is
    'How much would be lost now, the last ten runs and restores, and what backups read in a month; null until there has been a run.';

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
begin
    if coalesce(p_seconds, 0) not between 60 and 31622400
        or coalesce(p_environment, '') not in ('development', 'preview', 'production')
    then
        raise exception 'a dashboard needs a range of 60 to 31622400 s and an environment (development, preview or production)'
            using errcode = 'invalid_parameter_value';
    end if;

    return jsonb_build_object(
        'systemHealth', ops.dashboard_health(v_now, p_environment),
        'performance', ops.dashboard_performance(v_from, v_now, p_environment),
        'errors', ops.dashboard_errors(v_from, v_now, p_environment),
        'business', ops.dashboard_business(v_from, v_now, p_environment),
        'alerts', ops.dashboard_alerts(),
        'uptime', ops.dashboard_uptime(p_seconds, v_now, p_environment),
        'incidents', ops.dashboard_incidents(v_from, v_now),
        'database', ops.dashboard_database(),
        'outbox', ops.dashboard_outbox(v_now),
        'jobs', ops.dashboard_jobs(v_now),
        'backups', ops.dashboard_backups(v_now)
    );
end
$$;

revoke all on all functions in schema ops from public, anon, authenticated;
grant execute on all functions in schema ops to service_role;
