-- Stand-ins for pg_cron 1.6, pg_net 0.14 and Vault 0.3: the functions and views
-- that the second scheduler uses, with their real signatures, which record
-- instead of acting.

create schema cron;
create table cron.job (
    jobid bigint generated always as identity primary key,
    schedule text not null,
    command text not null,
    jobname text unique,
    active boolean not null default true
);

create function cron.schedule(job_name text, schedule text, command text) returns bigint
language sql security definer as $$
    insert into cron.job (jobname, schedule, command) values (job_name, schedule, command)
    on conflict (jobname) do update set schedule = excluded.schedule, command = excluded.command
    returning jobid
$$;

create function cron.unschedule(job_name text) returns boolean
language plpgsql security definer as $$
begin
    delete from cron.job where jobname = job_name;
    if not found then
        raise exception 'could not find valid entry for job ''%''', job_name;
    end if;
    return true;
end
$$;

create schema net;
create table net.requests (
    id bigint generated always as identity primary key,
    method text, url text, params jsonb, headers jsonb, body jsonb, timeout integer
);
create unlogged table net._http_response (
    id bigint, status_code integer, content_type text, headers jsonb, content text, timed_out boolean,
    error_msg text, created timestamptz not null default now()
);

create function net.http_get(
    url text, params jsonb default '{}', headers jsonb default '{}', timeout_milliseconds integer default 5000
) returns bigint
language sql security definer as $$
    insert into net.requests (method, url, params, headers, timeout)
    values ('GET', url, params, headers, timeout_milliseconds)
    returning id
$$;

create function net.http_post(
    url text, body jsonb default '{}', params jsonb default '{}',
    headers jsonb default '{"Content-Type": "application/json"}', timeout_milliseconds integer default 5000
) returns bigint
language sql security definer as $$
    insert into net.requests (method, url, headers, body, timeout)
    values ('POST', url, headers, body, timeout_milliseconds)
    returning id
$$;

create schema vault;
create table vault.secrets (
    id uuid primary key default gen_random_uuid(),
    name text unique,
    description text not null default '',
    secret text not null
);
create view vault.decrypted_secrets as
    select id, name, description, reverse(secret) as decrypted_secret from vault.secrets;

create function vault.create_secret(
    new_secret text, new_name text default null, new_description text default '', new_key_id uuid default null
) returns uuid
language sql security definer as $$
    insert into vault.secrets (secret, name, description) values (reverse(new_secret), new_name, new_description)
    returning id
$$;

create function vault.update_secret(
    secret_id uuid, new_secret text default null, new_name text default null,
    new_description text default null, new_key_id uuid default null
) returns void
language sql security definer as $$
    update vault.secrets set secret = coalesce(reverse(new_secret), secret), name = coalesce(new_name, name)
    where id = secret_id
$$;

-- What Supabase grants to the project's owner.
grant usage on schema cron, vault to postgres;
-- pg_net opens its schema to everybody by itself.
grant usage on schema net to public;
grant all on all tables in schema net to public;
grant select on cron.job to postgres;
grant select, delete on vault.secrets, vault.decrypted_secrets to postgres;

insert into pg_extension (oid, extname, extowner, extnamespace, extrelocatable, extversion)
values
    (990001, 'pg_cron', 10, 'cron'::regnamespace, false, '1.6'),
    (990002, 'pg_net', 10, 'net'::regnamespace, false, '0.14.0'),
    (990003, 'supabase_vault', 10, 'vault'::regnamespace, false, '0.3.1');
