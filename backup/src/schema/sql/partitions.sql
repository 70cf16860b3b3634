-- Which table is a part of which.
select 'pg_class'::regclass::oid as class,
       c.oid,
       'partition' as kind,
       n.nspname as schema,
       c.relname as name,
       pg_get_userbyid(c.relowner) as owner,
       c.oid as relation,
       p.oid as needs,
       n.nspname as table_schema,
       c.relname as table_name,
       format(E'alter table only %I.%I attach partition %I.%I %s;\n',
              pn.nspname, p.relname, n.nspname, c.relname, pg_get_expr(c.relpartbound, c.oid)) as sql
from pg_inherits i
join pg_class c on c.oid = i.inhrelid and c.relispartition and c.relkind in ('r', 'p', 'f')
join pg_namespace n on n.oid = c.relnamespace
join pg_class p on p.oid = i.inhparent
join pg_namespace pn on pn.oid = p.relnamespace
where c.relpersistence <> 't'
union all
select 'pg_class'::regclass::oid,
       x.oid,
       'index partition',
       n.nspname,
       x.relname,
       pg_get_userbyid(x.relowner),
       s.indrelid,
       p.oid,
       n.nspname,
       t.relname,
       format(E'alter index %I.%I attach partition %I.%I;\n', pn.nspname, p.relname, n.nspname, x.relname)
from pg_inherits i
join pg_class x on x.oid = i.inhrelid and x.relkind in ('i', 'I')
join pg_namespace n on n.oid = x.relnamespace
join pg_index s on s.indexrelid = x.oid and s.indisready and (s.indisvalid or x.relkind = 'I')
join pg_class t on t.oid = s.indrelid
join pg_class p on p.oid = i.inhparent
join pg_namespace pn on pn.oid = p.relnamespace
where x.relpersistence <> 't'
