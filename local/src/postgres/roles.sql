-- The roles of a Supabase project, made once for each server by its superuser
-- supabase_admin. What a role may do in a database stands in database.sql.

-- The owner of what the project's team makes, and no superuser.
create role postgres login nosuperuser createdb createrole replication bypassrls;
grant pg_monitor, pg_read_all_data, pg_signal_backend to postgres;
alter role postgres set search_path = "$user", public, extensions;
-- On Supabase the server's own default is two minutes.
alter role postgres set statement_timeout = '2min';

alter role supabase_admin set search_path = "$user", public, auth, extensions;

-- The three roles that a request may take.
create role anon nologin inherit;
create role authenticated nologin inherit;
create role service_role nologin inherit bypassrls;
alter role anon set statement_timeout = '3s';
alter role authenticated set statement_timeout = '8s';

-- The role by which PostgREST logs in. Its limits hold for service_role too,
-- which has none of its own.
create role authenticator login noinherit;
alter role authenticator set statement_timeout = '8s';
alter role authenticator set lock_timeout = '8s';
grant anon, authenticated, service_role to authenticator;

create role supabase_auth_admin login noinherit createrole noreplication;
alter role supabase_auth_admin set search_path = auth;
alter role supabase_auth_admin set idle_in_transaction_session_timeout = 60000;

create role supabase_storage_admin login noinherit createrole noreplication;
alter role supabase_storage_admin set search_path = storage;
grant supabase_storage_admin to authenticator;

grant anon, authenticated, service_role, authenticator to postgres;

-- From PostgreSQL 16 on CREATEROLE alone no longer rules over other roles.
do $$
begin
    if current_setting('server_version_num')::integer >= 160000 then
        grant anon, authenticated, service_role, authenticator to postgres with admin option;
    end if;
end
$$;
