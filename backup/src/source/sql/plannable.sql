-- Which of the relations $1 the server may plan a query of without running anything
-- of the app's. Planning evaluates the expressions of indexes and of statistics as far
-- as their arguments are constant, and writes functions in SQL out; sorting calls the
-- operator classes of the key's types.
with recursive code as materialized (
    -- C is no app's: only a superuser makes such a function, or an extension.
    select p.oid from pg_proc p
    join pg_language l on l.oid = p.prolang
    where p.oid >= 16384 and l.lanname not in ('c', 'internal')
), operators as materialized (
    select oid from pg_operator
    where oprcode in (table code) or oprrest in (table code) or oprjoin in (table code)
), families as materialized (
    select amprocfamily as oid from pg_amproc where amproc in (table code)
    union
    select amopfamily from pg_amop where amopopr in (table operators)
), classes as materialized (
    select oid, opcintype, opcmethod from pg_opclass where opcfamily in (table families)
), types as materialized (
    -- Reading one of their constants may check or order it.
    select t.oid from pg_type t
    where t.oid >= 16384
        and (t.typtype in ('d', 'r', 'm', 'c') or t.oid in (select opcintype from classes))
    union
    select t.typarray from types u join pg_type t on t.oid = u.oid where t.typarray <> 0
), wanted as (
    select oid from unnest($1::oid[]) as oid
), parts (oid, classid, objid) as (
    select oid, 'pg_class'::regclass, oid from wanted
    union all
    select w.oid, 'pg_class'::regclass, a.relid
    from wanted w cross join pg_partition_ancestors(w.oid) as a (relid)
    union all
    select indrelid, 'pg_class'::regclass, indexrelid from pg_index where indrelid in (table wanted)
    union all
    select stxrelid, 'pg_statistic_ext'::regclass, oid from pg_statistic_ext
    where stxrelid in (table wanted)
), running as (
    select p.oid from parts p
    join pg_depend d on d.classid = p.classid and d.objid = p.objid
    where d.refclassid = 'pg_proc'::regclass and d.refobjid in (table code)
        or d.refclassid = 'pg_operator'::regclass and d.refobjid in (table operators)
        or d.refclassid = 'pg_opfamily'::regclass and d.refobjid in (table families)
        or d.refclassid = 'pg_opclass'::regclass and d.refobjid in (select oid from classes)
        or d.refclassid = 'pg_type'::regclass and d.refobjid in (table types) and p.objid <> p.oid
    union
    -- A key whose type may lead to an operator class of the app's.
    select i.indrelid from pg_index i
    join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any (i.indkey)
    join pg_type t on t.oid = a.atttypid
    where i.indisprimary and i.indrelid in (table wanted)
        and (t.oid >= 16384 or t.typcategory = 'A')
        and exists (select from classes where opcmethod = 403)
)
select oid from wanted where oid not in (table running)
