-- Enumerations, composite types, ranges and domains.
select 'pg_type'::regclass::oid as class,
       t.oid,
       case t.typtype when 'd' then 'domain' else 'type' end as kind,
       n.nspname as schema,
       t.typname as name,
       pg_get_userbyid(t.typowner) as owner,
       format('type %I.%I', n.nspname, t.typname) as address,
       case t.typtype
           when 'e' then format(
               E'create type %I.%I as enum (%s);\n',
               n.nspname, t.typname,
               (select string_agg(quote_literal(e.enumlabel), ', ' order by e.enumsortorder)
                from pg_enum e where e.enumtypid = t.oid))
           when 'c' then format(
               E'create type %I.%I as (%s);\n',
               n.nspname, t.typname,
               (select string_agg(
                    format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod))
                    || case when a.attcollation not in (0, of.typcollation)
                            then ' collate ' || a.attcollation::regcollation else '' end,
                    ', ' order by a.attnum)
                from pg_attribute a
                join pg_type of on of.oid = a.atttypid
                where a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped))
           when 'r' then (
               select format(
                   E'create type %I.%I as range (subtype = %s, subtype_opclass = %I.%I%s%s, multirange_type_name = %I.%I);\n',
                   n.nspname, t.typname,
                   format_type(r.rngsubtype, null), cn.nspname, c.opcname,
                   case when r.rngcollation not in (0, of.typcollation)
                        then ', collation = ' || r.rngcollation::regcollation else '' end,
                   case when r.rngsubdiff <> 0 then ', subtype_diff = ' || r.rngsubdiff::regproc else '' end,
                   mn.nspname, m.typname)
               from pg_range r
               join pg_opclass c on c.oid = r.rngsubopc
               join pg_namespace cn on cn.oid = c.opcnamespace
               join pg_type of on of.oid = r.rngsubtype
               join pg_type m on m.oid = r.rngmultitypid
               join pg_namespace mn on mn.oid = m.typnamespace
               where r.rngtypid = t.oid)
           when 'd' then format(
               E'create domain %I.%I as %s%s%s%s;\n',
               n.nspname, t.typname,
               format_type(t.typbasetype, t.typtypmod),
               (select case when t.typcollation not in (0, of.typcollation)
                            then ' collate ' || t.typcollation::regcollation else '' end
                from pg_type of where of.oid = t.typbasetype),
               coalesce(' default ' || pg_get_expr(t.typdefaultbin, 'pg_type'::regclass),
                        ' default ' || quote_literal(t.typdefault), ''),
               -- Since version 17 this is a named constraint.
               case when t.typnotnull then coalesce((
                   select format(' constraint %I not null', k.conname) from pg_constraint k
                   where k.contypid = t.oid and k.contype = 'n'
                     and (k.conname <> t.typname || '_not_null' or exists (
                         select from pg_constraint o where o.connamespace = k.connamespace
                         and o.conname = k.conname and o.oid <> k.oid))), ' not null') else '' end)
       end as sql
from pg_type t
join pg_namespace n on n.oid = t.typnamespace
left join pg_class c on c.oid = t.typrelid
where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and (t.typtype in ('e', 'r', 'd') or t.typtype = 'c' and c.relkind = 'c')
