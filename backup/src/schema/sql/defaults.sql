-- Defaults that could not stand in their tables: those that call something of
-- ours, those of inherited columns, and those of views.
select 'pg_attrdef'::regclass::oid as class,
       d.oid,
       'default' as kind,
       n.nspname as schema,
       c.relname || ' ' || a.attname as name,
       pg_get_userbyid(c.relowner) as owner,
       c.oid as relation,
       c.oid as needs,
       n.nspname as table_schema,
       c.relname as table_name,
       format(E'alter %s %I.%I alter column %I set default %s;\n',
              case c.relkind when 'v' then 'view' else 'table only' end,
              n.nspname, c.relname, a.attname, pg_get_expr(d.adbin, d.adrelid)) as sql
from pg_attrdef d
join pg_class c on c.oid = d.adrelid
join pg_namespace n on n.oid = c.relnamespace
join pg_attribute a on a.attrelid = c.oid and a.attnum = d.adnum
where a.attgenerated = ''
  and c.relkind in ('r', 'p', 'v', 'f') and c.relpersistence <> 't'
  and (c.relkind = 'v'
       or not (a.attislocal or c.relispartition)
       or exists (
           select from pg_depend e
           where e.classid = 'pg_attrdef'::regclass and e.objid = d.oid
             and (e.refclassid, e.refobjid) <> ('pg_class'::regclass, c.oid)
             and e.refobjid >= 16384))
