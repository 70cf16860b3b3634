-- Views, and materialised views without their rows: those are computed once
-- everything they read is back.
select 'pg_class'::regclass::oid as class,
       c.oid,
       case c.relkind when 'v' then 'view' else 'materialized view' end as kind,
       n.nspname as schema,
       c.relname as name,
       pg_get_userbyid(c.relowner) as owner,
       n.nspname as table_schema,
       c.relname as table_name,
       format('%s %I.%I', case c.relkind when 'v' then 'view' else 'materialized view' end,
              n.nspname, c.relname) as address,
       format(
           E'create %s %I.%I%s as\n%s%s;\n',
           case c.relkind when 'v' then 'view' else 'materialized view' end,
           n.nspname, c.relname,
           coalesce((
               select ' with (' || string_agg(format('%I=%L', option_name, option_value), ', ') || ')'
               from pg_options_to_table(c.reloptions)), ''),
           rtrim(pg_get_viewdef(c.oid), '; '),
           case c.relkind when 'm' then E'\n with no data' else '' end
       ) as sql
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('v', 'm') and c.relpersistence <> 't'
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
union all
select 'pg_class'::regclass::oid,
       c.oid,
       'materialized view data',
       n.nspname,
       c.relname,
       pg_get_userbyid(c.relowner),
       n.nspname,
       c.relname,
       null,
       format(E'refresh materialized view %I.%I;\n', n.nspname, c.relname)
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where c.relkind = 'm' and c.relispopulated
