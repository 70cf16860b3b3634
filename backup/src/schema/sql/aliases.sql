-- Catalog rows that are part of another object, and which one.
with recursive late (oid, relation, name, parent) as (
    -- What may not be null and is not proven follows the rows, and so do its heirs.
    select k.oid, k.conrelid, k.conname, null::oid
    from pg_constraint k where k.contype = 'n' and k.conislocal and not k.convalidated
    union
    select h.oid, h.conrelid, h.conname, l.oid
    from late l
    join pg_inherits i on i.inhparent = l.relation
    join pg_constraint h
        on h.conrelid = i.inhrelid and h.contype = 'n' and h.conname = l.name and not h.conislocal
    join pg_class c on c.oid = h.conrelid and not c.relispartition
)
select a.class::oid as class, a.oid, a.to_class::oid as to_class, a.to_oid
from (
    -- What an extension brought along.
    select classid, objid, refclassid, refobjid from pg_depend
    where deptype = 'e' and refclassid = 'pg_extension'::regclass
    union all
    -- A relation's row type.
    select 'pg_type'::regclass, t.oid, 'pg_class'::regclass, c.oid
    from pg_type t join pg_class c on c.oid = t.typrelid where c.relkind <> 'c'
    union all
    select 'pg_class'::regclass, c.oid, 'pg_type'::regclass, c.reltype
    from pg_class c where c.relkind = 'c'
    union all
    select 'pg_type'::regclass, t.typarray, 'pg_type'::regclass, t.oid
    from pg_type t where t.typarray <> 0
    union all
    select 'pg_type'::regclass, r.rngmultitypid, 'pg_type'::regclass, r.rngtypid from pg_range r
    union all
    select 'pg_attrdef'::regclass, d.oid, 'pg_class'::regclass, d.adrelid from pg_attrdef d
    union all
    select 'pg_rewrite'::regclass, r.oid, 'pg_class'::regclass, r.ev_class
    from pg_rewrite r where r.rulename = '_RETURN'
    union all
    select 'pg_class'::regclass, k.conindid, 'pg_constraint'::regclass, k.oid
    from pg_constraint k where k.contype in ('p', 'u', 'x')
    union all
    select 'pg_constraint'::regclass, k.oid,
           case k.conrelid when 0 then 'pg_type'::regclass else 'pg_class'::regclass end,
           case k.conrelid when 0 then k.contypid else k.conrelid end
    from pg_constraint k
    where k.contype = 'n' and not exists (select from late l where l.oid = k.oid and l.parent is not null)
    union all
    select 'pg_constraint'::regclass, l.oid, 'pg_constraint'::regclass, min(l.parent)
    from late l where l.parent is not null
    group by l.oid
    union all
    -- The sequence of an identity column.
    select 'pg_class'::regclass, d.objid, 'pg_class'::regclass, d.refobjid
    from pg_depend d join pg_class s on s.oid = d.objid and s.relkind = 'S'
    where d.classid = 'pg_class'::regclass and d.refclassid = 'pg_class'::regclass and d.deptype = 'i'
    union all
    -- What a partition or a child has from its parent.
    select 'pg_trigger'::regclass, g.oid, 'pg_trigger'::regclass, g.tgparentid
    from pg_trigger g where g.tgparentid <> 0
    union all
    select 'pg_constraint'::regclass, k.oid, 'pg_constraint'::regclass, k.conparentid
    from pg_constraint k where k.contype = 'f' and k.conparentid <> 0
    union all
    select 'pg_constraint'::regclass, k.oid, 'pg_constraint'::regclass, min(p.oid)
    from pg_constraint k
    join pg_inherits i on i.inhrelid = k.conrelid
    join pg_constraint p on p.conrelid = i.inhparent and p.conname = k.conname
    where k.contype = 'c' and not k.conislocal
    group by k.oid
) as a (class, oid, to_class, to_oid)
where a.oid >= 16384
