-- What needs what. That a sequence belongs to a column is a statement of its
-- own, made after both, and so is that a table or a key is a partition of another. A
-- constraint that a parent hands down comes before it where it has a statement.
select d.classid as class, d.objid as oid, d.refclassid as to_class, d.refobjid as to_oid
from pg_depend d
where d.objid >= 16384 and d.refobjid >= 16384 and d.deptype <> 'P'
  and not (d.classid = 'pg_class'::regclass and d.refclassid = 'pg_class'::regclass
           and d.deptype = 'a' and d.refobjsubid > 0
           and exists (select from pg_class s where s.oid = d.objid and s.relkind = 'S'))
  and not exists (
      select from pg_inherits i
      join pg_class part on part.oid = i.inhrelid and part.relispartition
      where d.classid = 'pg_class'::regclass and d.refclassid = 'pg_class'::regclass
        and i.inhrelid = d.objid and i.inhparent = d.refobjid)
union all
select 'pg_constraint'::regclass, p.oid, 'pg_constraint'::regclass, k.oid
from pg_constraint k
join pg_inherits i on i.inhrelid = k.conrelid
join pg_constraint p on p.conrelid = i.inhparent and p.conname = k.conname
where k.contype = 'c' and k.conislocal and p.contype = 'c' and not p.convalidated
union all
select 'pg_constraint'::regclass, k.conparentid, 'pg_constraint'::regclass, k.oid
from pg_constraint k
where k.contype = 'f' and k.conparentid <> 0
