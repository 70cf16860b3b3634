-- The schema may be the platform's and missing on another server. One that an
-- extension makes for itself is no member of it, so it is made here as well.
select 'pg_extension'::regclass::oid as class,
       e.oid,
       'extension' as kind,
       e.extname as name,
       n.nspname as home,
       e.extversion as version,
       case when n.nspname in ('pg_catalog', 'public') then ''
            else format(E'create schema if not exists %I;\n', n.nspname) end
       || format(E'create extension if not exists %I with schema %I;\n', e.extname, n.nspname) as sql
from pg_extension e
join pg_namespace n on n.oid = e.extnamespace
where e.extname <> 'plpgsql'
