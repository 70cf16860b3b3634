-- Publications, then what they publish. Only a superuser may own one of all
-- tables, so it belongs to whoever is let make it.
select 'pg_publication'::regclass::oid as class,
       p.oid,
       'publication' as kind,
       p.pubname as name,
       pg_get_userbyid(p.pubowner) as owner,
       case when p.puballtables then null else format('publication %I', p.pubname) end as address,
       p.pubname as publication,
       null::text as schema,
       null::oid as relation,
       null::text as table_schema,
       null::text as table_name,
       p.puballtables as wide,
       format(
           E'create publication %I%s with (publish = %L%s);\n',
           p.pubname,
           case when p.puballtables then ' for all tables' else '' end,
           concat_ws(', ',
               case when p.pubinsert then 'insert' end,
               case when p.pubupdate then 'update' end,
               case when p.pubdelete then 'delete' end,
               case when p.pubtruncate then 'truncate' end),
           case when p.pubviaroot then ', publish_via_partition_root = true' else '' end
           || case when to_jsonb(p) ->> 'pubgencols' = 's' then ', publish_generated_columns = stored' else '' end
       ) as sql
from pg_publication p
union all
select 'pg_publication_rel'::regclass::oid,
       r.oid,
       'publication table',
       p.pubname || ' ' || c.relname,
       pg_get_userbyid(p.pubowner),
       null,
       p.pubname,
       n.nspname,
       c.oid,
       n.nspname,
       c.relname,
       false,
       format(
           E'alter publication %I add table only %I.%I%s%s;\n',
           p.pubname, n.nspname, c.relname,
           (select ' (' || string_agg(quote_ident(a.attname), ', ' order by a.attnum) || ')'
            from unnest(r.prattrs::smallint []) as k (attnum)
            join pg_attribute a on a.attrelid = c.oid and a.attnum = k.attnum),
           ' where (' || pg_get_expr(r.prqual, r.prrelid) || ')')
from pg_publication_rel r
join pg_publication p on p.oid = r.prpubid
join pg_class c on c.oid = r.prrelid
join pg_namespace n on n.oid = c.relnamespace
union all
select 'pg_publication_namespace'::regclass::oid,
       s.oid,
       'publication schema',
       p.pubname || ' ' || n.nspname,
       pg_get_userbyid(p.pubowner),
       null,
       p.pubname,
       n.nspname,
       null,
       null,
       null,
       true,
       format(E'alter publication %I add tables in schema %I;\n', p.pubname, n.nspname)
from pg_publication_namespace s
join pg_publication p on p.oid = s.pnpubid
join pg_namespace n on n.oid = s.pnnspid
