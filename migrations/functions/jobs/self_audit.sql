-- The self-audit: is anything left undone that nobody is about to do? The monitor reports to
-- whoever watches it from outside only while the audit is clean. What is held back on purpose
-- is no finding.

create or replace function ops.audit_messages(p_patience interval, p_now timestamptz)
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
        -- A resolution, for example, waits for the message that it answers.
        and ops.is_claimable(message, array[message.channel], p_now)
    group by message.channel
$$;

comment on function ops.audit_messages(interval, timestamptz) is
    'Messages that have been due for that long without a lease, by channel.';

create or replace function ops.audit_untold(p_patience interval, p_now timestamptz)
returns table (kind text, subject text, count bigint, since timestamptz)
language plpgsql
stable
set search_path = ''
as $$
begin
    return query
    select 'untold_alerts', untold.subject, count(*), min(untold.opened_at)
    from ops.find_untold(ops.served_channels(), p_now) as untold
    where untold.opened_at <= p_now - p_patience
        and not exists (
            select
            from ops.outbox as waiting
            where waiting.alert = untold.id
                and waiting.status = 'pending'
                and ops.waits_on_purpose(waiting, p_now)
        )
    group by untold.subject;
end
$$;

comment on function ops.audit_untold(interval, timestamptz) is
    'Alerts that have fired for that long without anybody having been told of them, by subject.';

create or replace function ops.audit_ladders(p_patience interval, p_now timestamptz)
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
    'Rungs of escalation that have been due for that long although their alert fires and is neither silenced nor held, by subject.';

create or replace function ops.audit_jobs(p_settings jsonb, p_now timestamptz)
returns table (kind text, subject text, count bigint, since timestamptz)
language sql
stable
set search_path = ''
as $$
    select 'stale_jobs', job.job, 1, job.last_slot
    from ops.jobs as job
    where job.first_slot is not null
        and p_now - job.last_slot - ops.blind_time(job.last_slot, p_now) > make_interval(
            secs => (p_settings ->> 'threshold.job_overdue_intervals')::float8 * job.every_seconds
        )
$$;

comment on function ops.audit_jobs(jsonb, timestamptz) is
    'Scheduled jobs that nobody has called for too many of their intervals.';

create or replace function ops.audit_counting(p_now timestamptz)
returns table (kind text, subject text, count bigint, since timestamptz)
language sql
stable
set search_path = ''
as $$
    select 'uncounted_rows', table_name, sum(rows)::bigint, min(at)
    from ops.uncounted_rows
    where at > p_now - interval '24 hours' and at <= p_now
    group by table_name
$$;

comment on function ops.audit_counting(timestamptz) is
    'Rows of the application that were kept in the last 24 hours and could not be counted, by table.';

create or replace function ops.self_audit(p_now timestamptz)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
    return (
        with bounds as (
            select
                settings.all as settings,
                p_now - ops.seen_from(p_now, ops.minutes(settings.all, 'audit.patience_minutes')) as patience
            from (select ops.read_settings() as all) as settings
        ),
        findings as (
            select found.* from bounds cross join lateral ops.audit_messages(bounds.patience, p_now) as found
            union all
            select found.* from bounds cross join lateral ops.audit_untold(bounds.patience, p_now) as found
            union all
            select found.* from bounds cross join lateral ops.audit_ladders(bounds.patience, p_now) as found
            union all
            select found.* from bounds cross join lateral ops.audit_jobs(bounds.settings, p_now) as found
            union all
            select * from ops.audit_counting(p_now)
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
    );
end
$$;

comment on function ops.self_audit(timestamptz) is
    'What is left undone and nobody is about to do: due messages that have no lease, alerts that nobody was told of, due rungs of escalation, jobs that nobody calls, and rows that could not be counted.';
