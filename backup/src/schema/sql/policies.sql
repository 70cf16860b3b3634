select 'pg_class'::regclass::oid as class,
       c.oid,
       'row security' as kind,
       n.nspname as schema,
       c.relname as name,
       pg_get_userbyid(c.relowner) as owner,
       c.oid as relation,
       n.nspname as table_schema,
       c.relname as table_name,
       case when c.relrowsecurity
            then format(E'alter table %I.%I enable row level security;\n', n.nspname, c.relname) else '' end
       || case when c.relforcerowsecurity
               then format(E'alter table %I.%I force row level security;\n', n.nspname, c.relname) else '' end as sql
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p') and (c.relrowsecurity or c.relforcerowsecurity) and c.relpersistence <> 't'
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
union all
select 'pg_policy'::regclass::oid,
       p.oid,
       'policy',
       n.nspname,
       c.relname || ' ' || p.polname,
       pg_get_userbyid(c.relowner),
       c.oid,
       n.nspname,
       c.relname,
       format(
           E'create policy %I on %I.%I as %s for %s to %s%s%s;\n',
           p.polname, n.nspname, c.relname,
           case when p.polpermissive then 'permissive' else 'restrictive' end,
           case p.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update'
                         when 'd' then 'delete' when '*' then 'all' end,
           (select string_agg(case when r = 0 then 'public' else quote_ident(pg_get_userbyid(r)) end, ', ')
            from unnest(p.polroles) as r),
           coalesce(E'\n    using (' || pg_get_expr(p.polqual, p.polrelid) || ')', ''),
           coalesce(E'\n    with check (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')', ''))
from pg_policy p
join pg_class c on c.oid = p.polrelid
join pg_namespace n on n.oid = c.relnamespace
where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
