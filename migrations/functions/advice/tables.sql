-- Advice about the database: what of it costs something and gives nothing, or would give more,
-- each with the statement that changes it and what that was measured to give. Nothing is done.

create or replace function ops.advised_tables()
returns table (id oid, space text, name text, rows bigint, dead bigint)
language plpgsql
stable
set search_path = ''
as $$
begin
    return query
    select
        cls.oid, spc.nspname::text, cls.relname::text,
        pg_stat_get_live_tuples(cls.oid), pg_stat_get_dead_tuples(cls.oid)
    from pg_class as cls
    join pg_namespace as spc on spc.oid = cls.relnamespace
    where cls.relkind in ('r', 'm')
        and spc.nspname !~ '^(pg_|supabase_|_|graphql|pgsodium)'
        -- What the platform made, it looks after.
        and spc.nspname <> all ('{information_schema,auth,storage,realtime,extensions,vault,net,cron}'::name[]);
end
$$;

comment on function ops.advised_tables() is
    'The tables that advice is given about: the application''s and ours, none of the platform''s. Rows and dead rows are as the statistics have them.';

create or replace function ops.make_advice(
    p_kind text,
    p_object text,
    p_sql text,
    p_gain_bytes bigint,
    p_gain_rows bigint,
    p_facts jsonb
)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
begin
    return jsonb_build_object(
        'kind', p_kind, 'object', p_object, 'sql', p_sql, 'gainBytes', p_gain_bytes, 'gainRows', p_gain_rows, 'facts', p_facts
    );
end
$$;

comment on function ops.make_advice(text, text, text, bigint, bigint, jsonb) is
    'A piece of advice: its statement, the bytes that it frees, or the rows that one look no longer reads, and what was measured.';

create or replace function ops.advise_vacuum()
returns setof jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
    return query
    select ops.make_advice(
        'dead_rows', format('%I.%I', listed.space, listed.name),
        format('vacuum (analyze) %I.%I', listed.space, listed.name),
        (pg_relation_size(listed.id) * listed.dead::numeric / (listed.rows + listed.dead))::bigint, listed.dead,
        jsonb_build_object(
            'rows', listed.rows,
            'deadRows', listed.dead,
            'lastVacuum', greatest(
                pg_stat_get_last_vacuum_time(listed.id), pg_stat_get_last_autovacuum_time(listed.id)
            )
        )
    )
    from ops.advised_tables() as listed
    where listed.dead >= 1000 and listed.dead > 0.2 * (listed.rows + listed.dead);
end
$$;

comment on function ops.advise_vacuum() is
    'Tables of which a fifth and a thousand rows are dead. The space is free for new rows afterwards, and not smaller on disk.';

create or replace function ops.advise_analyze()
returns setof jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
    return query
    select ops.make_advice(
        'stale_statistics', format('%I.%I', listed.space, listed.name),
        format('analyze %I.%I', listed.space, listed.name), null, changed.rows,
        jsonb_build_object(
            'rows', listed.rows,
            'changedRows', changed.rows,
            'lastAnalyze', changed.analyzed_at
        )
    )
    from ops.advised_tables() as listed
    cross join lateral (
        select
            pg_stat_get_mod_since_analyze(listed.id) as rows,
            greatest(
                pg_stat_get_last_analyze_time(listed.id), pg_stat_get_last_autoanalyze_time(listed.id)
            ) as analyzed_at
    ) as changed
    where listed.rows >= 1000
        and changed.rows >= 1000
        and changed.rows > 0.2 * listed.rows;
end
$$;

comment on function ops.advise_analyze() is
    'Tables of which a fifth and a thousand rows changed since they were analyzed, so that plans rest on what is no longer so.';
