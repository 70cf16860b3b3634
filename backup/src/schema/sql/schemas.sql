-- `public` is never made, but its owner, comment and grants may be the app's.
select 'pg_namespace'::regclass::oid as class,
       n.oid,
       'schema' as kind,
       n.nspname as schema,
       n.nspname as name,
       pg_get_userbyid(n.nspowner) as owner,
       format('schema %I', n.nspname) as address,
       case when n.nspname = 'public' then '' else format(E'create schema %I;\n', n.nspname) end as sql
from pg_namespace n
where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
