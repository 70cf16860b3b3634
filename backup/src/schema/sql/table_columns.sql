-- Tables that hold rows, and their columns.
select c.oid,
       n.nspname as schema,
       c.relname as name,
       a.attname as "column",
       format_type(a.atttypid, a.atttypmod) as type_sql,
       a.attgenerated <> '' as generated,
       pg_get_expr(d.adbin, d.adrelid) as default_sql,
       a.attnotnull as not_null,
       coalesce((
           select array_agg(k.attname order by p.place)
           from pg_constraint pk
           cross join lateral unnest(pk.conkey) with ordinality as p (attnum, place)
           join pg_attribute k on k.attrelid = c.oid and k.attnum = p.attnum
           where pk.conrelid = c.oid and pk.contype = 'p'), '{}') as primary_key
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
left join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
where c.relkind = 'r' and c.relpersistence <> 't'
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
order by n.nspname collate "C", c.relname collate "C", a.attnum
