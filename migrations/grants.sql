-- Who may call what: nobody but the server's key may execute a function of ours, and the
-- server's key may read the few columns beside our tables that rules count.

revoke all on all functions in schema ops from public, anon, authenticated;
grant execute on all functions in schema ops to service_role;

do $$
declare
    v_function regprocedure;
begin
    for v_function in
        select oid from pg_proc where pronamespace = 'public'::regnamespace and proname like 'ops\_%'
    loop
        execute format('revoke all on function %s from public, anon, authenticated', v_function);
        execute format('grant execute on function %s to service_role', v_function);
    end loop;
end
$$;

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

-- A table of ours says by a policy whose it is: row security without any policy means the
-- same, and Supabase's advisor takes it for forgotten.
do $$
declare
    v_table regclass;
begin
    for v_table in
        select cls.oid
        from pg_class as cls
        where cls.relnamespace = 'ops'::regnamespace
            and cls.relkind in ('r', 'p')
            and cls.relrowsecurity
            and not exists (select from pg_policy as pol where pol.polrelid = cls.oid)
        order by cls.relname
    loop
        execute format('create policy ops_server_alone on %s to service_role using (true) with check (true)', v_table);
    end loop;
end
$$;
