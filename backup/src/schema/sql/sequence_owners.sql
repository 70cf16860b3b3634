select 'pg_class'::regclass::oid as class,
       s.oid,
       'sequence owner' as kind,
       sn.nspname as schema,
       s.relname as name,
       pg_get_userbyid(s.relowner) as owner,
       t.oid as needs,
       tn.nspname as table_schema,
       t.relname as table_name,
       format(E'alter sequence %I.%I owned by %I.%I.%I;\n',
              sn.nspname, s.relname, tn.nspname, t.relname, a.attname) as sql
from pg_depend d
join pg_class s on s.oid = d.objid and s.relkind = 'S'
join pg_namespace sn on sn.oid = s.relnamespace
join pg_class t on t.oid = d.refobjid
join pg_namespace tn on tn.oid = t.relnamespace
join pg_attribute a on a.attrelid = t.oid and a.attnum = d.refobjsubid
where d.classid = 'pg_class'::regclass and d.refclassid = 'pg_class'::regclass
  and d.deptype = 'a' and d.refobjsubid > 0 and sn.nspname !~ '^pg_'
