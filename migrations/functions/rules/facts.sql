-- Facts: what a tick notes of the database so that the next tick can compare it, because some
-- things are only known by how they change. A fact whose source is absent, switched off or
-- unreadable is null. Where the owner of a table may pass on the right to read it, the
-- server's key is granted only the columns that are counted.

create or replace function ops.can_scan(p_table text, p_column text)
returns boolean
language plpgsql
stable
set search_path = ''
as $$
begin
    return (
        -- We may not index tables of others, and scanning a large one every minute costs too much.
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
    );
end
$$;

comment on function ops.can_scan(text, text) is
    'Whether a table has that column, the caller may read it, and the table is small enough to be scanned every minute.';

create or replace function ops.read_slow_calls()
returns jsonb
language plpgsql
stable
-- The view hides other roles' statements from the caller.
security definer
set search_path = ''
as $$
declare
    v_schema name;
    v_calls numeric;
begin
    select nspname into v_schema
    from pg_extension
    join pg_namespace on pg_namespace.oid = extnamespace
    where extname = 'pg_stat_statements';
    if v_schema is null then
        return null;
    end if;

    -- Without the statements' texts, which would be read from a file at every tick.
    execute format(
        $query$
        select coalesce(sum(calls), 0)
        from %I.pg_stat_statements(showtext => false)
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
    'How often the statements with a mean above 500 ms were called since the statistics began, or null where pg_stat_statements is absent.';

create or replace function ops.read_roles()
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
    v_roles jsonb;
begin
    if not ops.can_scan('auth.users', 'raw_app_meta_data') then
        return null;
    end if;
    -- An app may mean something else by these words, and give them to everybody.
    select case when count(*) <= 10000 then coalesce(jsonb_object_agg(id, raw_app_meta_data ->> 'role'), '{}') end
    into v_roles
    from auth.users
    where raw_app_meta_data ->> 'role' = any ((select ops.words('ops.person_role'))::text[]);
    return v_roles;
exception
    -- A change of a table that is not ours must not stop the tick.
    when insufficient_privilege or undefined_column then
        return null;
end
$$;

comment on function ops.read_roles() is
    'The roles of people by the ids of their users; null where auth.users cannot be read, or where more than ten thousand have one.';

create or replace function ops.read_migrations()
returns text
language plpgsql
stable
set search_path = ''
as $$
declare
    v_ledger record;
    v_versions text;
    v_all text := '';
begin
    -- A team that copies our files into its own migrations has no ledger of ours.
    for v_ledger in
        select *
        from (values
            ('ops', 'migrations', 'version'),
            -- An exchange of the functions grants anew, though no table file came.
            ('ops', 'function_sets', 'sha256'),
            ('supabase_migrations', 'schema_migrations', 'version')
        ) as ledger (schema, name, version)
    loop
        if ops.can_scan(v_ledger.schema || '.' || v_ledger.name, v_ledger.version) then
            execute format(
                'select string_agg(%1$I, '','' order by %1$I) from %2$I.%3$I',
                v_ledger.version, v_ledger.schema, v_ledger.name
            ) into v_versions;
            v_all := concat_ws(';', v_all, v_versions);
        end if;
    end loop;
    return md5(v_all);
end
$$;

comment on function ops.read_migrations() is
    'A digest of all recorded migrations: ours, and the application''s where they can be read.';

create or replace function ops.read_access()
returns text
language plpgsql
stable
set search_path = ''
as $$
begin
    return (
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
        -- The order of a locale could change with the server, and that of "C" does not.
        select md5(coalesce(string_agg(line, E'\n' order by line collate "C"), '')) from lines
    );
end
$$;

comment on function ops.read_access() is
    'A digest of who may do what in schema public: row-level security, policies, grants, and which functions run with their owner''s rights.';

create or replace function ops.note_fact(p_name text, p_value jsonb, p_now timestamptz)
returns void
language plpgsql
set search_path = ''
as $$
begin
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
        end;
end
$$;

comment on function ops.note_fact(text, jsonb, timestamptz) is
    'Notes a fact, and keeps what was noted before it as the previous value.';

create or replace function ops.note_roles(p_now timestamptz)
returns void
language plpgsql
set search_path = ''
as $$
declare
    v_roles jsonb := ops.read_roles();
begin
    perform ops.note_fact('admins', case when v_roles is not null then (
        select coalesce(jsonb_agg(person.key order by person.key), '[]')
        from jsonb_each_text(v_roles) as person
        where person.value = 'admin'
    ) end, p_now);
    perform ops.note_fact('roles', v_roles, p_now);
    perform ops.audit_found_roles(known.previous, known.value)
    from ops.facts as known
    where known.name = 'roles' and known.value <> known.previous;
end
$$;

comment on function ops.note_roles(timestamptz) is
    'Notes who is an admin and who has which role, and has the audit log know what changed.';

create or replace function ops.note_facts(p_now timestamptz)
returns void
language sql
set search_path = ''
as $$
    select
        ops.note_fact('slow_calls', ops.read_slow_calls(), p_now),
        ops.note_roles(p_now),
        ops.note_fact(
            'access', jsonb_build_object('public', ops.read_access(), 'migrations', ops.read_migrations()), p_now
        )
$$;

comment on function ops.note_facts(timestamptz) is
    'Notes all facts that the rules compare from tick to tick.';
