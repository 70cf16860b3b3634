-- Tables and partitioned tables with their columns. A partition is made whole
-- and attached later; any other child leaves its inherited columns to its
-- parents. A default that calls something of ours is set later, because that
-- may need the table.
select 'pg_class'::regclass::oid as class,
       c.oid,
       case c.relkind when 'f' then 'foreign table' else 'table' end as kind,
       n.nspname as schema,
       c.relname as name,
       pg_get_userbyid(c.relowner) as owner,
       n.nspname as table_schema,
       c.relname as table_name,
       format('%s %I.%I', case c.relkind when 'f' then 'foreign table' else 'table' end,
              n.nspname, c.relname) as address,
       format(
           E'create %s %I.%I (%s)%s%s%s%s%s;\n',
           case when c.relkind = 'f' then 'foreign table'
                when c.relpersistence = 'u' then 'unlogged table' else 'table' end,
           n.nspname, c.relname,
           concat_ws(',', columns.list, repeated.list) || E'\n',
           coalesce(' inherits (' || parents.list || ')', ''),
           coalesce(' partition by ' || pg_get_partkeydef(c.oid), ''),
           coalesce(' using ' || quote_ident(method.amname), ''),
           coalesce(' server ' || quote_ident(far.srvname)
                    || coalesce(' options (' || far.options || ')', ''), ''),
           coalesce(' with (' || options.list || ')', '')
       ) as sql
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
cross join lateral (
    select string_agg(E'\n    ' || concat_ws(' ',
        quote_ident(a.attname),
        format_type(a.atttypid, a.atttypmod),
        (select 'options (' || string_agg(format('%I %L', option_name, option_value), ', ') || ')'
         from pg_options_to_table(a.attfdwoptions) where option_name !~* :'secret_options'),
        case a.attcompression when 'p' then 'compression pglz' when 'l' then 'compression lz4' end,
        case when a.attcollation not in (0, t.typcollation) then 'collate ' || a.attcollation::regcollation end,
        case
            when a.attgenerated <> '' and not (not c.relispartition and exists (
                select from pg_inherits i
                join pg_attribute p on p.attrelid = i.inhparent and p.attname = a.attname
                join pg_attrdef pd on pd.adrelid = p.attrelid and pd.adnum = p.attnum
                where i.inhrelid = c.oid and p.attgenerated <> ''
                  and pg_get_expr(pd.adbin, pd.adrelid) = pg_get_expr(d.adbin, d.adrelid)))
                then format('generated always as (%s) %s', pg_get_expr(d.adbin, d.adrelid),
                            case a.attgenerated when 's' then 'stored' else 'virtual' end)
            when a.attgenerated = '' and not exists (
                select from pg_depend e
                where e.classid = 'pg_attrdef'::regclass and e.objid = d.oid
                  and (e.refclassid, e.refobjid) <> ('pg_class'::regclass, c.oid)
                  and e.refobjid >= 16384)
                then 'default ' || pg_get_expr(d.adbin, d.adrelid)
        end,
        (select format(
             'generated %s as identity (sequence name %I.%I increment by %s minvalue %s maxvalue %s start with %s cache %s%s)',
             case a.attidentity when 'a' then 'always' else 'by default' end,
             sn.nspname, s.relname,
             q.seqincrement, q.seqmin, q.seqmax, q.seqstart, q.seqcache,
             case when q.seqcycle then ' cycle' else ' no cycle' end)
         from pg_depend i
         join pg_class s on s.oid = i.objid
         join pg_namespace sn on sn.oid = s.relnamespace
         join pg_sequence q on q.seqrelid = s.oid
         where a.attidentity <> '' and i.deptype = 'i'
           and i.classid = 'pg_class'::regclass
           and i.refclassid = 'pg_class'::regclass
           and i.refobjid = c.oid and i.refobjsubid = a.attnum),
        case when a.attnotnull and not coalesce(named.late or named.inherited, false)
             then coalesce(named.clause, 'not null') end
    ), ',' order by a.attnum) as list
    from pg_attribute a
    join pg_type t on t.oid = a.atttypid
    left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
    -- Since version 18 a column that may not be null has a named constraint, which may be
    -- its parent's alone. A name that
    -- the server would derive is written where another table has it too, as a partition
    -- has its parent's: whichever table is made second would get another. An heir is
    -- always second.
    left join lateral (
        select case when k.connoinherit or k.conname <> format('%s_%s_not_null', c.relname, a.attname)
                      or exists (select from pg_constraint o
                                 left join pg_class oc on oc.oid = o.conrelid
                                 where (o.conname, o.connamespace) = (k.conname, k.connamespace)
                                   and o.oid <> k.oid and (o.conislocal or oc.relispartition))
                    then format('constraint %I not null%s', k.conname,
                                case when k.connoinherit then ' no inherit' else '' end) end as clause,
               not k.convalidated as late,
               not (k.conislocal or c.relispartition) as inherited
        from pg_constraint k
        where k.conrelid = c.oid and k.contype = 'n' and k.conkey[1] = a.attnum
    ) as named on true
    where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      and (a.attislocal or c.relispartition)
) as columns
cross join lateral (
    -- Of inherited columns, since version 18.
    select string_agg(format(E'\n    constraint %I not null %I%s', k.conname, a.attname,
                             case when k.connoinherit then ' no inherit' else '' end), ',' order by a.attnum) as list
    from pg_constraint k
    join pg_attribute a on a.attrelid = c.oid and a.attnum = k.conkey[1]
    where k.conrelid = c.oid and k.contype = 'n' and k.conislocal and k.convalidated
      and not a.attislocal and not c.relispartition
) as repeated
cross join lateral (
    select string_agg(i.inhparent::regclass::text, ', ' order by i.inhseqno) as list
    from pg_inherits i
    where i.inhrelid = c.oid and not c.relispartition
) as parents
cross join lateral (
    select string_agg(o.setting, ', ') as list
    from (
        select format('%I=%L', option_name, option_value)
        from pg_options_to_table(c.reloptions)
        union all
        select format('toast.%I=%L', option_name, option_value)
        from pg_class toast, pg_options_to_table(toast.reloptions)
        where toast.oid = c.reltoastrelid
    ) as o (setting)
) as options
-- Any other access method than the server's own and an extension's has to be made by
-- hand; rows are the same without.
left join lateral (
    select m.amname
    from pg_am m
    join pg_depend d on d.classid = 'pg_am'::regclass and d.objid = m.oid and d.deptype = 'e'
    where m.oid = c.relam
) as method on true
left join lateral (
    select s.srvname, shown.list as options
    from pg_foreign_table f
    join pg_foreign_server s on s.oid = f.ftserver
    cross join lateral (
        select string_agg(format('%I %L', option_name, option_value), ', ') as list
        from pg_options_to_table(f.ftoptions) where option_name !~* :'secret_options'
    ) as shown
    where f.ftrelid = c.oid
) as far on true
where c.relkind in ('r', 'p', 'f') and c.relpersistence <> 't'
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
