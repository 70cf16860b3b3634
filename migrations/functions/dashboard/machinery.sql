-- The dashboard's sections about the database, the outbox and the jobs.

create or replace function ops.read_slow_queries()
returns jsonb
language plpgsql
stable
-- The view hides other roles' statements from the caller.
security definer
set search_path = ''
as $$
declare
    v_schema name;
    v_queries jsonb;
begin
    select nspname into v_schema
    from pg_extension
    join pg_namespace on pg_namespace.oid = extnamespace
    where extname = 'pg_stat_statements';
    if v_schema is null then
        return null;
    end if;

    execute format(
        $query$
        select coalesce(jsonb_agg(document order by total desc), '[]')
        from (
            select
                total_exec_time as total,
                jsonb_build_object(
                    'query', left(regexp_replace(query, '\s+', ' ', 'g'), 200),
                    'calls', calls,
                    'meanMs', round(mean_exec_time::numeric, 3),
                    'totalMs', round(total_exec_time::numeric, 3)
                ) as document
            from %I.pg_stat_statements
            where dbid = (select oid from pg_database where datname = current_database())
                and mean_exec_time > 500
                -- pg_stat_statements keeps the constants of statements about roles.
                and query !~* 'password'
            order by total_exec_time desc
            limit 10
        ) as slow
        $query$,
        v_schema
    ) into v_queries;
    return v_queries;
exception
    -- The extension is there, but its library was not loaded at start.
    when object_not_in_prerequisite_state then
        return null;
end
$$;

comment on function ops.read_slow_queries() is
    'The ten statements of this database that took most time among those with a mean above 500 ms, or null where pg_stat_statements is absent.';

create or replace function ops.dashboard_database()
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_build_object(
        'connections', jsonb_build_object(
            'used', sum(numbackends),
            'maximum', current_setting('max_connections')::integer
        ),
        'cacheHitRatio', (
            select round(100.0 * blks_hit / nullif(blks_hit + blks_read, 0), 2)
            from pg_stat_database
            where datname = current_database()
        ),
        'sizeBytes', pg_database_size(current_database()),
        'slowQueries', ops.read_slow_queries(),
        'version', current_setting('server_version')
    )
    from pg_stat_database
$$;

comment on function ops.dashboard_database() is
    'The server''s connections, the share of blocks found in memory in %, the size in bytes, and slow statements.';

create or replace function ops.dashboard_outbox(p_now timestamptz)
returns jsonb
language sql
stable
set search_path = ''
as $$
    with dead as (
        select id, channel, facts ->> 'rule' as rule, severity, last_error, created_at
        from ops.outbox
        where status = 'dead'
        order by created_at desc, id
        limit 20
    )
    select jsonb_build_object(
        'pending', (select count(*) from ops.outbox where status = 'pending'),
        'oldestPendingSeconds', (
            select extract(epoch from p_now - min(message.created_at))
            from ops.outbox as message
            where message.status = 'pending' and not ops.waits_on_purpose(message, p_now)
        ),
        'dead', coalesce(
            (
                select jsonb_agg(
                    jsonb_build_object(
                        'id', id,
                        'channel', channel,
                        'rule', rule,
                        'severity', severity,
                        'error', last_error,
                        'at', created_at
                    )
                    order by created_at desc, id
                )
                from dead
            ),
            '[]'
        ),
        'sent24h', (
            select count(*)
            from ops.outbox
            where status = 'sent' and sent_at > p_now - interval '24 hours' and sent_at <= p_now
        )
    )
$$;

comment on function ops.dashboard_outbox(timestamptz) is
    'How many messages wait and for how long (a message that waits on purpose counts, but not its time), the 20 newest that were given up, and how many were sent in 24 hours.';

create or replace function ops.dashboard_jobs(p_now timestamptz)
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
                'lastSlot', job.last_slot,
                'lastOutcome', last_run.outcome,
                'lastStartedAt', last_run.started_at,
                'lastFinishedAt', last_run.finished_at,
                'durationMs', round(1000 * extract(epoch from last_run.finished_at - last_run.started_at)),
                'missed24h', (
                    select count(*)
                    from ops.runs
                    where runs.job = job.job
                        and runs.outcome = 'missed'
                        and runs.slot > p_now - interval '24 hours'
                ),
                'status', case
                    when job.first_slot is null then 'not set up'
                    when p_now - job.last_slot > make_interval(secs => 3 * job.every_seconds) then 'overdue'
                    else 'ok'
                end
            )
            order by job.job
        ),
        '[]'
    )
    from ops.jobs as job
    left join lateral (
        select *
        from ops.runs
        where runs.job = job.job and runs.outcome <> 'missed'
        order by runs.started_at desc
        limit 1
    ) as last_run on true
$$;

comment on function ops.dashboard_jobs(timestamptz) is
    'Each job with its last run. A job is overdue after three intervals without a claimed slot, and not set up before its first slot.';
