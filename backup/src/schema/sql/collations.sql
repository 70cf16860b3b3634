-- Columns that differ between versions are read by name from the row.
select 'pg_collation'::regclass::oid as class,
       c.oid,
       'collation' as kind,
       n.nspname as schema,
       c.collname as name,
       pg_get_userbyid(c.collowner) as owner,
       format('collation %I.%I', n.nspname, c.collname) as address,
       format(
           E'create collation %I.%I (provider = %s%s%s%s);\n',
           n.nspname, c.collname,
           case c.collprovider when 'i' then 'icu' when 'c' then 'libc' when 'b' then 'builtin' end,
           case when c.collisdeterministic then '' else ', deterministic = false' end,
           case when c.collprovider = 'c'
                then format(', lc_collate = %L, lc_ctype = %L', c.collcollate, c.collctype)
                else format(', locale = %L', coalesce(f ->> 'colllocale', f ->> 'colliculocale', c.collcollate)) end,
           coalesce(', rules = ' || quote_literal(f ->> 'collicurules'), '')
       ) as sql
from pg_collation c
join pg_namespace n on n.oid = c.collnamespace
cross join lateral to_jsonb(c) as f
where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
