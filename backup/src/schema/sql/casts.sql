-- A cast has no schema and no owner; those of the type that is not the server's own
-- stand for it, the source's first. Those between a range and its multirange come
-- with the type.
select 'pg_cast'::regclass::oid as class,
       c.oid,
       'cast' as kind,
       n.nspname as schema,
       format('(%s as %s)', source_type, target_type) as name,
       pg_get_userbyid(o.typowner) as owner,
       format(E'create cast (%s as %s) %s%s;\n', source_type, target_type,
           case c.castmethod
               when 'f' then (
                   select format('with function %I.%I(%s)', fn.nspname, p.proname,
                                 pg_get_function_identity_arguments(p.oid))
                   from pg_proc p join pg_namespace fn on fn.oid = p.pronamespace
                   where p.oid = c.castfunc)
               when 'i' then 'with inout'
               when 'b' then 'without function'
           end,
           case c.castcontext when 'a' then ' as assignment' when 'i' then ' as implicit' else '' end
       ) as sql
from pg_cast c
join pg_type s on s.oid = c.castsource
join pg_type t on t.oid = c.casttarget
left join pg_type o on o.oid = case when s.oid >= 16384 then s.oid when t.oid >= 16384 then t.oid end
left join pg_namespace n on n.oid = o.typnamespace
cross join lateral format_type(c.castsource, null) as source_type
cross join lateral format_type(c.casttarget, null) as target_type
where c.oid >= 16384
  and not exists (select from pg_range r where r.rngtypid = s.oid and r.rngmultitypid = t.oid)
