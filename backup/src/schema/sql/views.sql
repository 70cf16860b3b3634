-- Views, and materialised views without their rows: those are computed once
-- everything they read is back. Where a view needs itself, its columns are made first.
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
       ) as sql,
       case c.relkind when 'v' then format(
           E'create view %I.%I as select %s;\n', n.nspname, c.relname,
           (select string_agg(format('null::%s%s as %I', format_type(a.atttypid, a.atttypmod),
                case when a.attcollation not in (0, t.typcollation)
                     then ' collate ' || a.attcollation::regcollation else '' end, a.attname),
                ', ' order by a.attnum)
            from pg_attribute a join pg_type t on t.oid = a.atttypid
            where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped)) end as beginning
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
       format(E'refresh materialized view %I.%I;\n', n.nspname, c.relname),
       null
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where c.relkind = 'm' and c.relispopulated
