-- What cannot stand in the statement that makes an object and follows it.
with relation as (
    select c.oid, c.relkind, c.relispartition, c.relreplident, c.reltoastrelid,
           format('%s %s', case c.relkind when 'm' then 'materialized view' else 'table only' end,
                  format('%I.%I', n.nspname, c.relname)) as address
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'm', 'f') and c.relpersistence <> 't'
      and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
),
attribute as (
    select a.*, r.address, r.relkind, r.relispartition, t.typstorage,
           coalesce(a.attstattarget, -1) as target
    from pg_attribute a
    join relation r on r.oid = a.attrelid
    join pg_type t on t.oid = a.atttypid
    where a.attnum > 0 and not a.attisdropped
),
addition (class, oid, rank, "of", sql) as (
    select 'pg_class'::regclass::oid, attrelid, 1, '',
           format(E'alter %s alter column %I set not null;\n', address, attname)
    from attribute a
    where attnotnull and not attislocal and not relispartition and relkind <> 'm'
      and not exists (
          select from pg_constraint k
          where k.conrelid = attrelid and k.contype = 'n' and k.conkey[1] = attnum)
      and not exists (
          select from pg_inherits i
          join pg_attribute p on p.attrelid = i.inhparent and p.attname = a.attname
          where i.inhrelid = a.attrelid and p.attnotnull)
    union all
    select 'pg_class'::regclass::oid, c.oid, 1, '',
           format(E'alter table only %I.%I of %s;\n', n.nspname, c.relname, c.reloftype::regtype)
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.reloftype <> 0
    union all
    -- A child may have an expression of its own for a column that it inherits.
    select 'pg_class'::regclass::oid, attrelid, 2, '',
           format(E'alter %s alter column %I set expression as (%s);\n', address, attname,
                  pg_get_expr(d.adbin, d.adrelid))
    from attribute a
    join pg_attrdef d on d.adrelid = attrelid and d.adnum = attnum
    where attgenerated <> '' and not attislocal and not relispartition
      and not exists (
          select from pg_inherits i
          join pg_attribute p on p.attrelid = i.inhparent and p.attname = a.attname
          join pg_attrdef pd on pd.adrelid = p.attrelid and pd.adnum = p.attnum
          where i.inhrelid = a.attrelid
            and pg_get_expr(pd.adbin, pd.adrelid) = pg_get_expr(d.adbin, d.adrelid))
    union all
    select 'pg_class'::regclass::oid, attrelid, 2, '',
           format(E'alter %s alter column %I drop default;\n', address, attname)
    from attribute a
    where not attislocal and not relispartition and not atthasdef
      and exists (
          select from pg_inherits i
          join pg_attribute p on p.attrelid = i.inhparent and p.attname = a.attname
          where i.inhrelid = a.attrelid and p.atthasdef)
    union all
    select 'pg_class'::regclass::oid, attrelid, 3, '',
           format(E'alter %s alter column %I set storage %s;\n', address, attname,
                  case attstorage when 'p' then 'plain' when 'e' then 'external'
                                  when 'm' then 'main' when 'x' then 'extended' end)
    from attribute where attstorage <> typstorage
    union all
    select 'pg_class'::regclass::oid, attrelid, 3, '',
           format(E'alter %s alter column %I set compression %s;\n', address, attname,
                  case attcompression when 'p' then 'pglz' when 'l' then 'lz4' end)
    from attribute
    where attcompression <> '' and (relkind = 'm' or not (attislocal or relispartition))
    union all
    select 'pg_class'::regclass::oid, attrelid, 4, '',
           format(E'alter %s alter column %I set statistics %s;\n', address, attname, target)
    from attribute where target >= 0
    union all
    select 'pg_class'::regclass::oid, attrelid, 5, '',
           format(E'alter %s alter column %I set (%s);\n', address, attname, options.list)
    from attribute
    cross join lateral (
        select string_agg(format('%I=%L', option_name, option_value), ', ') as list
        from pg_options_to_table(attoptions)
        -- The server's own mark, since the minor releases of November 2026.
        where option_name <> 'pg_attver'
    ) as options
    where options.list is not null
    union all
    select 'pg_class'::regclass::oid, oid, 6, '',
           format(E'alter %s replica identity %s;\n', address,
                  case relreplident when 'f' then 'full' else 'nothing' end)
    from relation where relreplident in ('f', 'n') and relkind not in ('m', 'f')
    union all
    select 'pg_class'::regclass::oid, s.oid, 6, '',
           format(E'alter sequence %I.%I set %s;\n', n.nspname, s.relname,
                  case s.relpersistence when 'u' then 'unlogged' else 'logged' end)
    from pg_depend d
    join pg_class s on s.oid = d.objid and s.relkind = 'S'
    join pg_namespace n on n.oid = s.relnamespace
    join pg_class c on c.oid = d.refobjid
    where d.classid = 'pg_class'::regclass and d.refclassid = 'pg_class'::regclass
      and d.deptype = 'i' and s.relpersistence <> c.relpersistence
    union all
    select 'pg_class'::regclass::oid, i.indexrelid, 7, '',
           format(E'alter index %I.%I alter column %s set statistics %s;\n',
                  n.nspname, x.relname, a.attnum, a.attstattarget)
    from pg_index i
    join pg_class x on x.oid = i.indexrelid
    join pg_namespace n on n.oid = x.relnamespace
    join pg_attribute a on a.attrelid = x.oid
    where coalesce(a.attstattarget, -1) >= 0 and n.nspname !~ '^pg_'
    union all
    select 'pg_class'::regclass::oid, i.indexrelid, 8, '',
           format(E'alter %s cluster on %I;\n', replace(r.address, 'table only ', 'table '), x.relname)
    from pg_index i
    join pg_class x on x.oid = i.indexrelid
    join relation r on r.oid = i.indrelid
    where i.indisclustered
    union all
    select 'pg_class'::regclass::oid, i.indexrelid, 9, '',
           format(E'alter %s replica identity using index %I;\n', r.address, x.relname)
    from pg_index i
    join pg_class x on x.oid = i.indexrelid
    join relation r on r.oid = i.indrelid
    where i.indisreplident
    union all
    select 'pg_trigger'::regclass::oid, g.oid, 10, '',
           format(E'alter table %I.%I %s trigger %I;\n', n.nspname, c.relname,
                  case g.tgenabled when 'D' then 'disable' when 'R' then 'enable replica'
                                   when 'A' then 'enable always' else 'enable' end,
                  g.tgname)
    from pg_trigger g
    join pg_trigger p on p.oid = g.tgparentid
    join pg_class c on c.oid = g.tgrelid
    join pg_namespace n on n.oid = c.relnamespace
    where not g.tgisinternal and g.tgenabled <> p.tgenabled
    union all
    select d.classid, d.objid, 10, '',
           format(E'alter %s %s depends on extension %I;\n', o.type, o.identity, e.extname)
    from pg_depend d
    join pg_extension e on e.oid = d.refobjid
    cross join lateral pg_identify_object(d.classid, d.objid, 0) as o
    where d.deptype = 'x' and d.refclassid = 'pg_extension'::regclass
    union all
    select d.classoid, d.objoid, 11, format('comment on %s %s', o.type, o.identity),
           format(E'comment on %s is %L;\n',
                  case
                      when o.type like '% column' then 'column ' || o.identity
                      -- The identity lacks what an aggregate's own form of arguments needs.
                      when o.type = 'aggregate' then (
                          select format('aggregate %I.%I(%s)', n.nspname, p.proname,
                                        coalesce(nullif(pg_get_function_identity_arguments(p.oid), ''), '*'))
                          from pg_proc p join pg_namespace n on n.oid = p.pronamespace
                          where p.oid = d.objoid)
                      when o.type = 'foreign-data wrapper' then 'foreign data wrapper ' || o.identity
                      when o.type = 'composite type' then 'type ' || o.identity
                      when o.type = 'statistics object' then 'statistics ' || o.identity
                      when o.type = 'table constraint' then 'constraint ' || o.identity
                      when o.type = 'domain constraint'
                          then format('constraint %I on domain %s', k.conname, k.contypid::regtype)
                      else o.type || ' ' || o.identity
                  end,
                  d.description)
    from pg_description d
    cross join lateral pg_identify_object(d.classoid, d.objoid, d.objsubid) as o
    left join pg_constraint k on d.classoid = 'pg_constraint'::regclass and k.oid = d.objoid
    where d.objoid >= 16384
       -- Whoever makes one may choose its number.
       or d.classoid = 'pg_largeobject'::regclass
       or (d.classoid, d.objoid) = ('pg_namespace'::regclass, 'public'::regnamespace)
       and d.description <> 'standard public schema'
)
select class, oid, "of", sql from addition order by class, oid, rank, sql collate "C"
