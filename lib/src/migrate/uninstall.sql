-- Takes away all that is ours from a database. The application's tables stay, with the
-- columns and indexes that they were given and the policies that keep strangers out.
--
-- The caller has made sure that nothing of anybody else rests on what goes.

set local lock_timeout = '15s';

do $$
declare
    v_statement text;
begin
    for v_statement in
        select format('drop trigger %I on %s', t.tgname, t.tgrelid::regclass)
        from pg_catalog.pg_trigger as t
        inner join pg_catalog.pg_proc as p on p.oid = t.tgfoid
        inner join pg_catalog.pg_class as c on c.oid = t.tgrelid
        where
            not t.tgisinternal
            and p.pronamespace = to_regnamespace('ops')
            and c.relnamespace is distinct from to_regnamespace('ops')
    loop
        execute v_statement;
    end loop;
    for v_statement in
        select format('drop routine %s', p.oid::regprocedure)
        from pg_catalog.pg_proc as p
        where p.pronamespace = 'public'::regnamespace and p.proname like 'ops\_%'
    loop
        execute v_statement;
    end loop;
end
$$;

do $$
begin
    if to_regclass('cron.job') is not null then
        perform cron.unschedule(job.jobname) from cron.job as job where job.jobname like 'pourtrait\_%';
    end if;
    if to_regclass('vault.secrets') is not null then
        delete from vault.secrets where name like 'pourtrait\_%';
    end if;
end
$$;

-- A role takes back what it granted itself, and nothing that somebody else did.
do $$
declare
    v_revoke text;
begin
    foreach v_revoke in array array[
        'select (id, raw_app_meta_data) on auth.users',
        'select on auth.audit_log_entries',
        'select (version) on supabase_migrations.schema_migrations',
        'usage on schema supabase_migrations'
    ] loop
        begin
            execute format('revoke %s from service_role', v_revoke);
        exception
            when insufficient_privilege or undefined_table or undefined_column or invalid_schema_name then
                raise notice 'not revoked: % (%)', v_revoke, sqlerrm;
        end;
    end loop;
end
$$;

drop schema if exists ops cascade;

notify pgrst, 'reload schema';
