-- The dashboard: its sections about the machinery (database, outbox, jobs), and
-- the one call that answers all sections as one document.
--
-- Why: one round trip and one snapshot, so that the numbers agree with each
-- other, and the keys that scripts of the old dashboard read.
-- Read by: GET /api/monitoring/dashboard.
-- Undo: drop the functions of this file.

set local search_path = '';

-- Database -------------------------------------------------------------------

create function ops.read_slow_queries()
returns jsonb
language plpgsql
stable
-- The view hides other roles' statements from the caller.
security definer
set search_path = ''
as $$
declare
    v_schema text;
    v_queries jsonb;
begin
    select extnamespace::regnamespace::text into v_schema
    from pg_extension
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
            from %s.pg_stat_statements
            where dbid = (select oid from pg_database where datname = current_database())
                and mean_exec_time > 500
                -- Constants of statements about roles are not taken out.
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
    'The ten statements of this database with a mean above 500 ms that took most time; null where pg_stat_statements is absent.';

create function ops.dashboard_database()
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
    'Connections of the server, share of blocks found in memory in %, size in bytes, slow statements.';

-- Outbox and jobs ------------------------------------------------------------

create function ops.dashboard_outbox(p_now timestamptz)
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
            -- A digest waits on purpose.
            select extract(epoch from p_now - min(created_at))
            from ops.outbox
            where status = 'pending' and not digest
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
    'What waits to be delivered and for how long, what was given up, what was sent in 24 hours.';

create function ops.dashboard_jobs(p_now timestamptz)
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
    'Each job with its last run; overdue after three intervals without a claimed slot, not set up before the first.';

-- The whole ------------------------------------------------------------------

create function public.ops_dashboard(
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
        'backups', null
    );
end
$$;

comment on function public.ops_dashboard(integer, text, timestamptz) is
    'Everything the dashboard shows for the last p_seconds of an environment, as one document. Tables without an environment count for all.';

revoke all on all functions in schema ops from public, anon, authenticated;
grant execute on all functions in schema ops to service_role;
revoke all on function public.ops_dashboard(integer, text, timestamptz) from public, anon, authenticated;
grant execute on function public.ops_dashboard(integer, text, timestamptz) to service_role;
