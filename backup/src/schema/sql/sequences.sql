-- Those of identity columns are made by their tables.
select 'pg_class'::regclass::oid as class,
       c.oid,
       'sequence' as kind,
       n.nspname as schema,
       c.relname as name,
       pg_get_userbyid(c.relowner) as owner,
       format('sequence %I.%I', n.nspname, c.relname) as address,
       format(E'create %ssequence %I.%I as %s increment by %s minvalue %s maxvalue %s start with %s cache %s%s;\n',
              case c.relpersistence when 'u' then 'unlogged ' else '' end,
              n.nspname, c.relname, format_type(s.seqtypid, null),
              s.seqincrement, s.seqmin, s.seqmax, s.seqstart, s.seqcache,
              case when s.seqcycle then ' cycle' else '' end) as sql
from pg_sequence s
join pg_class c on c.oid = s.seqrelid
join pg_namespace n on n.oid = c.relnamespace
where n.nspname !~ '^pg_'
  and not exists (
      select from pg_depend d
      where d.classid = 'pg_class'::regclass and d.objid = c.oid
        and d.refclassid = 'pg_class'::regclass and d.deptype = 'i')
