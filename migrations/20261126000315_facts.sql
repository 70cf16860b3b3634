-- Facts: what a tick notes of the database, to be held against the next one.
--
-- Why: some things are only known by how they changed. A fact keeps its present
-- value, the one before, and since when it is as it is; one whose source is
-- absent, switched off or unreadable is null. Nothing here but the statistics of
-- statements is read with more rights than the caller's: where the project lets
-- its owner pass on the right to read, the server's key is granted just the
-- columns that are counted.
-- Read by: the rules about the database and about security, the dashboard.
-- Undo: put back the former ops.record_samples; drop the functions and ops.facts;
-- revoke the grants.

set local search_path = '';

create table ops.facts (
    name text primary key check (length(name) between 1 and 50),
    value jsonb,
    previous jsonb,
    noted_at timestamptz not null,
    previous_at timestamptz,
    changed_at timestamptz not null
);

comment on table ops.facts is 'What a tick noted of the database, and what the tick before had noted.';
comment on column ops.facts.value is 'Null where the source is absent or may not be read.';
comment on column ops.facts.changed_at is 'Since when the value is as it is.';

alter table ops.facts enable row level security;

do $$
begin
    grant select (id, raw_app_meta_data) on auth.users to service_role;
    grant select on auth.audit_log_entries to service_role;
exception
    when insufficient_privilege or undefined_table or undefined_column then
        raise notice 'the rules about sign-ins and admins stay silent: %', sqlerrm;
end
$$;

-- So that a change which the team's own migrations made is told apart from drift.
do $$
begin
    if to_regclass('ops.migrations') is not null then
        grant select (version) on ops.migrations to service_role;
    end if;
    if to_regclass('supabase_migrations.schema_migrations') is not null then
        grant usage on schema supabase_migrations to service_role;
        grant select (version) on supabase_migrations.schema_migrations to service_role;
    end if;
exception
    when insufficient_privilege or undefined_column then
        raise notice 'the application''s own migrations cannot be seen: %', sqlerrm;
end
$$;

-- Sources --------------------------------------------------------------------

create function ops.can_scan(p_table text, p_column text)
returns boolean
language sql
stable
set search_path = ''
as $$
    -- These tables are not ours to index: past some size a scan a minute is too dear.
    select coalesce(
        (
            select
                has_schema_privilege(cls.relnamespace, 'usage')
                and has_column_privilege(cls.oid, att.attnum, 'select')
                and cls.reltuples <= 200000
            from pg_class as cls
            join pg_attribute as att on att.attrelid = cls.oid
            where cls.oid = to_regclass(p_table) and att.attname = p_column
        ),
        false
    )
$$;

comment on function ops.can_scan(text, text) is
    'Whether a table has that column, which the caller may read, and is small enough to be read every minute.';

create function ops.read_slow_calls()
returns jsonb
language plpgsql
stable
-- The view hides other roles' statements from the caller.
security definer
set search_path = ''
as $$
declare
    v_schema text;
    v_calls numeric;
begin
    select extnamespace::regnamespace::text into v_schema
    from pg_extension
    where extname = 'pg_stat_statements';
    if v_schema is null then
        return null;
    end if;

    execute format(
        $query$
        select coalesce(sum(calls), 0)
        from %s.pg_stat_statements
        where dbid = (select oid from pg_database where datname = current_database())
            and mean_exec_time > 500
        $query$,
        v_schema
    ) into v_calls;
    return to_jsonb(v_calls);
exception
    -- The extension is there, but its library was not loaded at start.
    when object_not_in_prerequisite_state then
        return null;
end
$$;

comment on function ops.read_slow_calls() is
    'How often statements with a mean above 500 ms were called since the statistics began; null where pg_stat_statements is absent.';

create function ops.read_admins()
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
    v_admins jsonb;
begin
    if not ops.can_scan('auth.users', 'raw_app_meta_data') then
        return null;
    end if;
    select coalesce(jsonb_agg(id order by id), '[]') into v_admins
    from auth.users
    where raw_app_meta_data ->> 'role' = 'admin';
    return v_admins;
exception
    -- Whatever becomes of a table that is not ours must not blind the monitor.
    when insufficient_privilege or undefined_column then
        return null;
end
$$;

comment on function ops.read_admins() is
    'The ids of the application''s admins; null where auth.users cannot be read.';

create function ops.read_migrations()
returns text
language plpgsql
stable
set search_path = ''
as $$
declare
    v_table text;
    v_versions text;
    v_all text := '';
begin
    -- Whoever copies our files into a folder of their own has no ledger of ours.
    foreach v_table in array '{ops.migrations,supabase_migrations.schema_migrations}'::text[] loop
        if ops.can_scan(v_table, 'version') then
            execute format('select string_agg(version, '','' order by version) from %s', v_table) into v_versions;
            v_all := concat_ws(';', v_all, v_versions);
        end if;
    end loop;
    return md5(v_all);
end
$$;

comment on function ops.read_migrations() is 'A digest of all recorded migrations, ours and, where they can be read, the application''s.';

create function ops.read_access()
returns text
language sql
stable
set search_path = ''
as $$
    with lines (line) as (
        select concat_ws('|', 'table', relname, relkind, relrowsecurity, relforcerowsecurity, relacl)
        from pg_class
        where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm', 'f', 'S')

        union all
        select concat_ws('|', 'column', cls.relname, att.attname, att.attacl)
        from pg_attribute as att
        join pg_class as cls on cls.oid = att.attrelid
        where cls.relnamespace = 'public'::regnamespace and att.attacl is not null

        union all
        select concat_ws('|', 'policy', tablename, policyname, permissive, roles, cmd, qual, with_check)
        from pg_policies
        where schemaname = 'public'

        union all
        select concat_ws('|', 'function', proname, pg_get_function_identity_arguments(oid), prosecdef, proacl)
        from pg_proc
        where pronamespace = 'public'::regnamespace
    )
    -- The order of a locale might change with the server.
    select md5(coalesce(string_agg(line, E'\n' order by line collate "C"), '')) from lines
$$;

comment on function ops.read_access() is
    'A digest of who may do what in schema public: row-level security, policies, grants, and functions with their owners'' rights.';

-- Notes ----------------------------------------------------------------------

create function ops.note_fact(p_name text, p_value jsonb, p_now timestamptz)
returns void
language sql
set search_path = ''
as $$
    insert into ops.facts as known (name, value, noted_at, changed_at)
    values (p_name, nullif(p_value, 'null'), p_now, p_now)
    on conflict (name) do update
    set
        value = excluded.value,
        previous = known.value,
        noted_at = excluded.noted_at,
        previous_at = known.noted_at,
        changed_at = case
            when known.value is distinct from excluded.value then excluded.noted_at
            else known.changed_at
        end
$$;

comment on function ops.note_fact(text, jsonb, timestamptz) is 'Notes a fact and keeps what was noted before it.';

create function ops.note_facts(p_now timestamptz)
returns void
language sql
set search_path = ''
as $$
    select
        ops.note_fact('slow_calls', ops.read_slow_calls(), p_now),
        ops.note_fact('admins', ops.read_admins(), p_now),
        ops.note_fact(
            'access', jsonb_build_object('public', ops.read_access(), 'migrations', ops.read_migrations()), p_now
        )
$$;

comment on function ops.note_facts(timestamptz) is 'Notes everything that the rules compare from tick to tick.';

revoke all on all functions in schema ops from public, anon, authenticated;
grant execute on all functions in schema ops to service_role;
