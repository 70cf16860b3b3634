-- What a parent hands down is made with the parent. Foreign keys of partitioned
-- tables reach their partitions by themselves; keys are made for each table and
-- attached. That a column is not null stands in its table, unless rows may break it. A
-- foreign key of a partition that is not called like its whole's is made before that, and
-- one that the partition has beside its whole's says so, or the two could not be told apart.
-- What is not valid on a parent may be so on its heirs.
select 'pg_constraint'::regclass::oid as class,
       k.oid,
       case k.contype when 'f' then 'foreign key' else 'constraint' end as kind,
       n.nspname as schema,
       c.relname || ' ' || k.conname as name,
       pg_get_userbyid(c.relowner) as owner,
       c.oid as relation,
       n.nspname as table_schema,
       c.relname as table_name,
       fn.nspname as refers_schema,
       f.relname as refers_name,
       format(E'alter table %s%I.%I add constraint %I %s;\n',
              case when k.contype in ('p', 'u', 'x') then 'only ' else '' end,
              n.nspname, c.relname, k.conname, pg_get_constraintdef(k.oid))
       || coalesce((
           select format(E'alter index %I.%I set (%s);\n', n.nspname, x.relname,
                         string_agg(format('%I=%L', option_name, option_value), ', '))
           from pg_class x, pg_options_to_table(x.reloptions)
           where k.contype in ('p', 'u', 'x') and x.oid = k.conindid
           group by x.relname), '')
       || coalesce((
           with recursive heirs as (
               select i.inhrelid as relation from pg_inherits i where i.inhparent = k.conrelid
               union
               select i.inhrelid from heirs join pg_inherits i on i.inhparent = heirs.relation)
           select string_agg(
                      format(E'alter table %I.%I validate constraint %I;\n', hn.nspname, hc.relname, h.conname),
                      '' order by hn.nspname, hc.relname)
           from heirs
           join pg_class hc on hc.oid = heirs.relation
           join pg_namespace hn on hn.oid = hc.relnamespace
           join pg_constraint h on h.conrelid = hc.oid and h.contype = k.contype and h.convalidated
           where not k.convalidated
             and (k.contype = 'c' and h.conname = k.conname and not h.conislocal
                  -- A partition is made whole, and with it what of it may not be null. So is
                  -- whoever has that from another parent, and under that one's name.
                  or k.contype = 'n' and h.conname = k.conname and not h.conislocal and not hc.relispartition
                  and not exists (
                      select from pg_inherits i
                      join pg_attribute a on a.attrelid = h.conrelid and a.attnum = h.conkey[1]
                      join pg_attribute p on p.attrelid = i.inhparent and p.attname = a.attname
                      join pg_constraint o on o.conrelid = i.inhparent and o.contype = 'n' and o.conkey[1] = p.attnum
                      where i.inhrelid = h.conrelid and o.convalidated)
                  or k.contype = 'f' and h.conparentid = k.oid)), '')
       || case
           when k.contype = 'f' and k.conparentid = 0 and exists (
               select from pg_constraint whole
               where whole.conrelid = k.conrelid and whole.contype = 'f' and whole.conparentid <> 0
                 and whole.confrelid = k.confrelid and whole.conkey = k.conkey and whole.confkey = k.confkey)
           then E'-- It stands beside the one that its whole hands down.\n'
           else ''
       end as sql
from pg_constraint k
join pg_class c on c.oid = k.conrelid
join pg_namespace n on n.oid = c.relnamespace
left join pg_class f on f.oid = k.confrelid
left join pg_namespace fn on fn.oid = f.relnamespace
where c.relpersistence <> 't'
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and (k.contype in ('p', 'u', 'x')
       or k.contype = 'c' and k.conislocal
       or k.contype = 'n' and k.conislocal and not k.convalidated
       or k.contype = 'f' and k.conparentid = 0
       or k.contype = 'f' and exists (
           select from pg_constraint p
           where p.oid = k.conparentid and p.conrelid <> k.conrelid and p.conname <> k.conname))
