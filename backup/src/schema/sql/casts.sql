-- A cast has no schema and no owner; its source type's stand for it. Those
-- between a range and its multirange come with the type.
select 'pg_cast'::regclass::oid as class,
       c.oid,
       'cast' as kind,
       n.nspname as schema,
       format('(%s as %s)', source_type, target_type) as name,
       pg_get_userbyid(s.typowner) as owner,
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
join pg_namespace n on n.oid = case when s.oid >= 16384 then s.typnamespace else t.typnamespace end
cross join lateral format_type(c.castsource, null) as source_type
cross join lateral format_type(c.casttarget, null) as target_type
where c.oid >= 16384
  and not exists (select from pg_range r where r.rngtypid = s.oid and r.rngmultitypid = t.oid)
