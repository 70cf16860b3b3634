-- Indexes without a constraint, and extended statistics. An invalid index is
-- what a failed build left behind; a partitioned one may be half built.
select 'pg_class'::regclass::oid as class,
       x.oid,
       'index' as kind,
       n.nspname as schema,
       x.relname as name,
       pg_get_userbyid(c.relowner) as owner,
       c.oid as relation,
       n.nspname as table_schema,
       c.relname as table_name,
       null as address,
       pg_get_indexdef(x.oid) || E';\n' as sql
from pg_index i
join pg_class x on x.oid = i.indexrelid
join pg_class c on c.oid = i.indrelid
join pg_namespace n on n.oid = c.relnamespace
where c.relpersistence <> 't'
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and (i.indisvalid or x.relkind = 'I') and i.indisready
  and not exists (
      select from pg_constraint k where k.conindid = x.oid and k.contype in ('p', 'u', 'x'))
union all
select 'pg_statistic_ext'::regclass::oid,
       s.oid,
       'statistics',
       n.nspname,
       s.stxname,
       pg_get_userbyid(s.stxowner),
       c.oid,
       cn.nspname,
       c.relname,
       format('statistics %I.%I', n.nspname, s.stxname),
       pg_get_statisticsobjdef(s.oid) || E';\n'
       || case when coalesce((to_jsonb(s) ->> 'stxstattarget')::integer, -1) >= 0
               then format(E'alter statistics %I.%I set statistics %s;\n', n.nspname, s.stxname, s.stxstattarget)
               else '' end
from pg_statistic_ext s
join pg_namespace n on n.oid = s.stxnamespace
join pg_class c on c.oid = s.stxrelid
join pg_namespace cn on cn.oid = c.relnamespace
where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
