-- The dashboard's section about the database itself, from the server's own statistics. A
-- statement is shown without its literals: they are somebody's data.

create or replace function ops.show_statement(p_statement text)
returns text
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
declare
    v_text text := left(p_statement, 2000);
begin
    -- pg_stat_statements keeps the constants of statements about roles.
    if p_statement ~* 'password' then
        return '(not shown)';
    end if;
    -- Comments and texts in one go, since each may hold what looks like the other's beginning. One
    -- that was cut in the middle is hidden to the end, and so is what follows a dollar's.
    v_text := regexp_replace(
        v_text,
        '/\*([^*]|\*+[^*/])*(\*+/|$)|--[^\n]*|\$([A-Za-z_]\w*)?\$.*$'
            '|\m[eE]''([^''\\]|''''|\\.)*(''|\\?$)|''([^'']|'''')*(''|$)',
        '…', 'g'
    );
    v_text := regexp_replace(v_text, '(^|[^\w$.])\d+(\.\d+)?([eE][+-]?\d+)?\M', '\1…', 'g');
    return left(btrim(regexp_replace(v_text, '\s+', ' ', 'g')), 300);
end
$$;

comment on function ops.show_statement(text) is
    'A statement as it is shown: on one line, cut, and without its literals and comments. One about a password is not shown at all.';

create or replace function ops.read_statements()
returns jsonb
language plpgsql
stable
-- The view hides other roles' statements from the caller.
security definer
set search_path = ''
as $$
declare
    v_schema name;
    v_since timestamptz;
    v_statements jsonb;
begin
    select nspname into v_schema
    from pg_extension
    join pg_namespace on pg_namespace.oid = extnamespace
    where extname = 'pg_stat_statements';
    if v_schema is null then
        return jsonb_build_object('unknown', 'pg_stat_statements is not installed');
    end if;

    execute format(
        $query$
        with ours as materialized (
            select *
            from %I.pg_stat_statements
            where dbid = (select oid from pg_database where datname = current_database())
        ),
        listed as (
            (select 'top' as list, * from ours order by total_exec_time desc limit 10)
            union all
            (select 'slow', * from ours where mean_exec_time > 500 order by total_exec_time desc limit 10)
        ),
        documents as (
            select
                list,
                total_exec_time,
                jsonb_build_object(
                    'query', ops.show_statement(query),
                    'calls', calls,
                    'totalMs', round(total_exec_time::numeric, 3),
                    'meanMs', round(mean_exec_time::numeric, 3),
                    'maxMs', round(max_exec_time::numeric, 3),
                    'rows', rows,
                    'cacheHitPercent', round(
                        100.0 * shared_blks_hit / nullif(shared_blks_hit + shared_blks_read, 0), 2
                    )
                ) as document
            from listed
        )
        select jsonb_build_object(
            'slow', coalesce(jsonb_agg(document order by total_exec_time desc) filter (where list = 'slow'), '[]'),
            'top', coalesce(jsonb_agg(document order by total_exec_time desc) filter (where list = 'top'), '[]')
        )
        from documents
        $query$,
        v_schema
    ) into v_statements;
    if to_regclass(format('%I.pg_stat_statements_info', v_schema)) is not null then
        execute format('select stats_reset from %I.pg_stat_statements_info', v_schema) into v_since;
    end if;
    return v_statements || jsonb_build_object('since', v_since);
exception
    when object_not_in_prerequisite_state then
        return jsonb_build_object(
            'unknown', 'pg_stat_statements is installed, but the server did not load it at its start'
        );
    when insufficient_privilege then
        return jsonb_build_object('unknown', 'the owner of our functions may not read pg_stat_statements');
end
$$;

comment on function ops.read_statements() is
    'The ten statements of this database that took most time, and the ten that did among those with a mean above 500 ms; or why that is not known.';

create or replace function ops.read_sessions()
returns jsonb
language plpgsql
stable
-- The view hides what other roles' sessions do from the caller.
security definer
set search_path = ''
as $$
begin
    return (
        with sessions as materialized (
            select
                pid, state, xact_start, query_start, wait_event_type, wait_event,
                datname = current_database() and pid <> pg_backend_pid() as is_other, query
            from pg_stat_activity
            where backend_type = 'client backend'
        ),
        longest as (
            select * from sessions where is_other and xact_start is not null order by xact_start limit 1
        ),
        waiting as (
            select *, pg_blocking_pids(pid) as blockers
            from (
                select * from sessions where is_other and wait_event_type = 'Lock' order by query_start limit 10
            ) as first
        )
        select jsonb_build_object(
            'byState', (
                select jsonb_build_object(
                    'active', count(*) filter (where state = 'active'),
                    'idle', count(*) filter (where state = 'idle'),
                    'idleInTransaction', count(*) filter (where state like 'idle in transaction%'),
                    'other', count(*) filter (
                        where state is null or state not in ('active', 'idle') and state not like 'idle in transaction%'
                    )
                )
                from sessions
            ),
            'longestTransaction', (
                select jsonb_build_object(
                    'pid', pid,
                    'seconds', round(extract(epoch from now() - xact_start), 3),
                    'state', state,
                    'waitsFor', wait_event_type || ' ' || wait_event,
                    'query', ops.show_statement(query)
                )
                from longest
            ),
            'locks', (
                select coalesce(
                    jsonb_agg(
                        jsonb_build_object(
                            'pid', waiting.pid,
                            'seconds', round(extract(epoch from now() - waiting.query_start), 3),
                            'waitsFor', waiting.wait_event,
                            'query', ops.show_statement(waiting.query),
                            'blockedBy', (
                                select coalesce(
                                    jsonb_agg(
                                        jsonb_build_object(
                                            'pid', blocker.pid,
                                            'seconds', round(extract(epoch from now() - blocker.xact_start), 3),
                                            'state', blocker.state,
                                            'query', ops.show_statement(blocker.query)
                                        )
                                        order by blocker.xact_start, blocker.pid
                                    ),
                                    '[]'
                                )
                                from sessions as blocker
                                where blocker.pid = any (waiting.blockers[:5])
                            )
                        )
                        order by waiting.query_start, waiting.pid
                    ),
                    '[]'
                )
                from waiting
            )
        )
    );
end
$$;

comment on function ops.read_sessions() is
    'How many sessions are in which state on the whole server, the transaction of this database that lasts longest, and the ten sessions of it that wait longest for a lock, with whom they wait for. Seconds of a waiting session are those of its statement.';

create or replace function ops.database_tables()
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
    return (
        with largest as materialized (
            select cls.oid, space.nspname as schema, cls.relname as name, cls.relpages, cls.reltuples
            from pg_class as cls
            join pg_namespace as space on space.oid = cls.relnamespace
            where cls.relkind in ('r', 'm') and space.nspname not in ('pg_catalog', 'information_schema')
            order by cls.relpages desc, cls.oid
            limit 10
        )
        select coalesce(
            jsonb_agg(
                jsonb_build_object(
                    'table', format('%s.%s', schema, name),
                    'sizeBytes', pg_total_relation_size(oid),
                    'rows', known.live,
                    'deadRows', known.dead,
                    'deadPercent', round(100.0 * known.dead / nullif(known.live + known.dead, 0), 2),
                    'bloatBytes', case
                        when widths.row_bytes is not null then greatest(
                            0,
                            -- A page has 24 bytes and a row some 28 of its own.
                            8192 * (relpages - ceil(reltuples * (widths.row_bytes + 28) / (8192 - 24)))::bigint
                        )
                    end,
                    'lastVacuum', greatest(pg_stat_get_last_vacuum_time(oid), pg_stat_get_last_autovacuum_time(oid)),
                    'lastAnalyze', greatest(pg_stat_get_last_analyze_time(oid), pg_stat_get_last_autoanalyze_time(oid))
                )
                order by relpages desc, oid
            ),
            '[]'
        )
        from largest
        cross join lateral (
            select pg_stat_get_live_tuples(oid) as live, pg_stat_get_dead_tuples(oid) as dead
        ) as known
        left join lateral (
            select sum((1 - stats.null_frac) * stats.avg_width) as row_bytes
            from pg_stats as stats
            where stats.schemaname = largest.schema and stats.tablename = largest.name and not stats.inherited
            -- A column that nothing is known of would make the rest look like waste.
            having count(*) = (
                select count(*)
                from pg_attribute as att
                where att.attrelid = largest.oid and att.attnum > 0 and not att.attisdropped
            )
        ) as widths on reltuples > 0
    );
end
$$;

comment on function ops.database_tables() is
    'The ten largest tables with their dead rows, an estimate of the bytes that hold nothing, which is null where no statistics are known, and when they were last vacuumed and analyzed.';

create or replace function ops.slow_statistics()
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
    v_statements jsonb := ops.read_statements();
begin
    return jsonb_build_object(
        'sizeBytes', pg_database_size(current_database()),
        'slowQueries', v_statements -> 'slow',
        'topQueries', v_statements -> 'top',
        'queriesSince', v_statements -> 'since',
        'queriesUnknown', v_statements -> 'unknown',
        'tables', ops.database_tables()
    );
end
$$;

comment on function ops.slow_statistics() is
    'What takes long to find out: the size in bytes, the statements that took most time, and the largest tables.';

create or replace function ops.keep_slow_statistics(p_now timestamptz)
returns void
language plpgsql
set search_path = ''
as $$
begin
    insert into ops.database_readings (read_at, document)
    values (p_now, ops.slow_statistics())
    on conflict (only_one) do update set read_at = excluded.read_at, document = excluded.document;
end
$$;

comment on function ops.keep_slow_statistics(timestamptz) is
    'Keeps what takes long to find out for the dashboard. The maintenance job does this.';

create or replace function ops.live_statistics()
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
    v_sessions jsonb := ops.read_sessions();
begin
    return (
        select jsonb_build_object(
            'connections', jsonb_build_object(
                'used', sum(numbackends),
                'maximum', current_setting('max_connections')::integer,
                'byState', v_sessions -> 'byState'
            ),
            'cacheHitRatio', round(
                100.0 * sum(blks_hit) filter (where datname = current_database())
                / nullif(sum(blks_hit + blks_read) filter (where datname = current_database()), 0),
                2
            ),
            'longestTransaction', v_sessions -> 'longestTransaction',
            'locks', v_sessions -> 'locks',
            'version', current_setting('server_version')
        )
        from pg_stat_database
    );
end
$$;

comment on function ops.live_statistics() is
    'The server''s connections, the share of blocks found in memory in %, the longest transaction, and who waits for whom.';

create or replace function ops.dashboard_database(p_now timestamptz)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
    v_kept jsonb := (
        select document || jsonb_build_object('readAt', read_at)
        from ops.database_readings
        where read_at > p_now - interval '1 hour' and read_at <= p_now
    );
begin
    return ops.live_statistics()
        || coalesce(v_kept, ops.slow_statistics() || jsonb_build_object('readAt', p_now));
end
$$;

comment on function ops.dashboard_database(timestamptz) is
    'What the server''s statistics say of the database. The size, statements and tables are those that the maintenance read last, at readAt, or of now if that is over an hour ago.';

create or replace function public.ops_show_database()
returns jsonb
language sql
stable
set search_path = ''
as $$
    select ops.live_statistics() || ops.slow_statistics() || jsonb_build_object('readAt', now())
$$;

comment on function public.ops_show_database() is 'What the server''s own statistics say of the database now.';
