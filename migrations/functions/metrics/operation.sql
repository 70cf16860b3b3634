-- What a scrape reads of operation: what is up, what was promised, what waits, and what the
-- bundle itself does.

create or replace function ops.service_metrics(p_now timestamptz, p_environment text)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select coalesce(
        jsonb_agg(
            jsonb_build_object(
                'service', service,
                'critical', critical,
                'status', status,
                'milliseconds', response_time,
                'lastCheck', extract(epoch from last_check)
            )
            order by service
        ),
        '[]'
    )
    from ops.service_health(p_now, p_environment)
$$;

comment on function ops.service_metrics(timestamptz, text) is 'How each service is now, as the dashboard says it.';

create or replace function ops.availability_metrics(p_now timestamptz, p_environment text)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_build_object(
        'targetPercent', target.percent,
        'percent', budget.document -> 'percent',
        'budgetMinutes', budget.document -> 'budgetMinutes',
        'minutesLeft', budget.document -> 'minutesLeft'
    )
    from (select (ops.read_settings() ->> 'objective.availability_percent')::numeric as percent) as target
    cross join lateral ops.uptime(
        coalesce((select name from ops.checks where name = 'app' and environment = p_environment), ''),
        p_now - interval '720 hours',
        p_now
    ) as measured
    cross join lateral ops.error_budget(
        ops.uptime_document(measured.up, measured.degraded, measured.down, measured.unknown, measured.maintenance),
        2592000,
        target.percent
    ) as budget (document)
$$;

comment on function ops.availability_metrics(timestamptz, text) is
    'How available the application was in 30 days, what was promised, and how many minutes are left of what may be down.';

create or replace function ops.alert_metrics()
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_build_object(
        'alerts', coalesce(
            (
                select jsonb_agg(jsonb_build_object('severity', severity, 'status', status, 'n', n))
                from (
                    select severity, status, count(*) as n
                    from ops.alerts
                    where status <> 'resolved'
                    group by severity, status
                ) as alerts
            ),
            '[]'
        ),
        'incidents', coalesce(
            (
                select jsonb_object_agg(severity, n)
                from (
                    select severity, count(*) as n from ops.incidents where status <> 'resolved' group by severity
                ) as incidents
            ),
            '{}'
        )
    )
$$;

comment on function ops.alert_metrics() is
    'How many alerts and incidents are open, by severity, and of alerts whether somebody has acknowledged them.';

create or replace function ops.outbox_metrics(p_now timestamptz)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_build_object(
        'pending', (select count(*) from ops.outbox where status = 'pending'),
        'oldestSeconds', (
            select extract(epoch from p_now - min(message.created_at))
            from ops.outbox as message
            where message.status = 'pending' and not ops.waits_on_purpose(message, p_now)
        ),
        'dead', (select count(*) from ops.outbox where status = 'dead')
    )
$$;

comment on function ops.outbox_metrics(timestamptz) is
    'How many messages wait, for how long the oldest of those that do not wait on purpose, and how many were given up.';

create or replace function ops.job_metrics(p_now timestamptz)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select coalesce(
        jsonb_agg(
            jsonb_build_object(
                'job', job.job,
                'everySeconds', job.every_seconds,
                'lastSuccess', extract(epoch from succeeded.finished_at),
                'seconds', extract(epoch from succeeded.finished_at - succeeded.started_at)
            )
            order by job.job
        ),
        '[]'
    )
    from ops.jobs as job
    left join lateral (
        select started_at, finished_at
        from ops.runs
        where runs.job = job.job and runs.outcome = 'done' and runs.finished_at <= p_now
        order by runs.started_at desc
        limit 1
    ) as succeeded on true
$$;

comment on function ops.job_metrics(timestamptz) is 'When each job succeeded last, and how long that took.';

create or replace function ops.backup_metrics(p_now timestamptz)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_build_object(
        'ageSeconds', (select seconds from ops.backup_age(p_now)),
        'takenAt', extract(epoch from newest.taken_at),
        'bytes',
            (newest.figures ->> 'bytesRead')::numeric
            + coalesce((newest.figures ->> 'bytesTakenOver')::numeric, 0),
        'bytesRead', newest.figures -> 'bytesRead',
        'bytesStored', newest.figures -> 'bytesStored'
    )
    from (select) as always
    left join lateral (
        select taken_at, figures
        from ops.backups
        where outcome = 'done' and taken_at <= p_now
        order by taken_at desc
        limit 1
    ) as newest on true
$$;

comment on function ops.backup_metrics(timestamptz) is
    'How many seconds of changes no backup holds, and when the newest backup was taken, how large it is and how much of it was read.';

create or replace function ops.door_metrics(p_now timestamptz)
returns jsonb
language sql
stable
set search_path = ''
as $$
    with dropped as (
        select source, reason, sum(items) as items
        from ops.door_drops
        where at > p_now - interval '24 hours'
        group by source, reason
    )
    select jsonb_build_object(
        'taken', coalesce(
            (
                select jsonb_agg(jsonb_build_object('key', listed.id, 'name', listed.name, 'items', listed.items) order by listed.id)
                from (
                    select
                        known.id,
                        known.name,
                        coalesce((select sum(taken) from ops.door_counts where key = known.id and span = 'day'), 0)
                        + coalesce(
                            (select items from ops.door_totals where outcome = 'taken' and name = known.id::text), 0
                        ) as items
                    from ops.door_keys as known
                    order by known.id desc
                    limit 50
                ) as listed
            ),
            '[]'
        ),
        'dropped', coalesce(
            (
                select jsonb_object_agg(source, items)
                from (
                    select source, sum(items) as items
                    from (
                        select source, items from ops.door_drops
                        union all
                        select name, items from ops.door_totals where outcome = 'dropped'
                    ) as ever
                    group by source
                ) as totals
            ),
            '{}'
        ),
        'reasons', coalesce(
            (
                select jsonb_agg(
                    jsonb_build_object('source', source, 'reason', reason, 'items', items) order by items desc, source, reason
                )
                from (select * from dropped order by items desc, source, reason limit 30) as most
            ),
            '[]'
        ),
        'recent', (select coalesce(sum(items), 0) from dropped)
    )
$$;

comment on function ops.door_metrics(timestamptz) is
    'How many items each key ever brought, how many of each source were ever dropped, and for which reasons those of the last 24 hours, the most frequent.';
