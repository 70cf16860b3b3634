-- Sequences, and the tables whose columns they number.
select c.oid, n.nspname as schema, c.relname as name,
       tn.nspname as table_schema, t.relname as table_name
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
left join pg_depend d on d.classid = 'pg_class'::regclass and d.objid = c.oid
    and d.refclassid = 'pg_class'::regclass and d.deptype in ('i', 'a') and d.refobjsubid > 0
left join pg_class t on t.oid = d.refobjid
left join pg_namespace tn on tn.oid = t.relnamespace
where c.relkind = 'S' and c.relpersistence <> 't' and n.nspname !~ '^pg_'
order by n.nspname collate "C", c.relname collate "C"
