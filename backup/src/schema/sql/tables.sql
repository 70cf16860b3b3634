-- Tables and partitioned tables with their columns. A partition is made whole
-- and attached later; any other child leaves its inherited columns to its
-- parents. A default that calls something of ours is set later, because that
-- may need the table.
select 'pg_class'::regclass::oid as class,
       c.oid,
       'table' as kind,
       n.nspname as schema,
       c.relname as name,
       pg_get_userbyid(c.relowner) as owner,
       n.nspname as table_schema,
       c.relname as table_name,
       format('table %I.%I', n.nspname, c.relname) as address,
       format(
           E'create %stable %I.%I (%s)%s%s%s;\n',
           case c.relpersistence when 'u' then 'unlogged ' else '' end,
           n.nspname, c.relname,
           columns.list,
           coalesce(' inherits (' || parents.list || ')', ''),
           coalesce(' partition by ' || pg_get_partkeydef(c.oid), ''),
           coalesce(' with (' || options.list || ')', '')
       ) as sql
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
cross join lateral (
    select string_agg(E'\n    ' || concat_ws(' ',
        quote_ident(a.attname),
        format_type(a.atttypid, a.atttypmod),
        case a.attcompression when 'p' then 'compression pglz' when 'l' then 'compression lz4' end,
        case when a.attcollation not in (0, t.typcollation) then 'collate ' || a.attcollation::regcollation end,
        case
            when a.attgenerated <> '' and (a.attinhcount = 0 or c.relispartition)
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
        case when a.attnotnull then coalesce(named.clause, 'not null') end
    ), ',' order by a.attnum) || E'\n' as list
    from pg_attribute a
    join pg_type t on t.oid = a.atttypid
    left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
    -- Since version 18 a column that may not be null has a named constraint.
    left join lateral (
        select format('constraint %I not null%s', k.conname,
                      case when k.connoinherit then ' no inherit' else '' end) as clause
        from pg_constraint k
        where k.conrelid = c.oid and k.contype = 'n' and k.conkey[1] = a.attnum
          and (k.connoinherit or k.conname <> format('%s_%s_not_null', c.relname, a.attname))
    ) as named on true
    where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      and (a.attislocal or c.relispartition)
) as columns
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
where c.relkind in ('r', 'p') and c.relpersistence <> 't'
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
