-- What a role's new objects come with, in one schema or everywhere.
select pg_get_userbyid(d.defaclrole) as role,
       n.nspname as schema,
       case d.defaclobjtype when 'r' then 'tables' when 'S' then 'sequences' when 'f' then 'functions'
                            when 'T' then 'types' when 'n' then 'schemas' else d.defaclobjtype::text end as of,
       (select array_agg(lower(w.privilege_type) order by lower(w.privilege_type))
        from aclexplode(acldefault(case d.defaclobjtype when 'S' then 's' else d.defaclobjtype end, d.defaclrole)) w
        where w.grantee = d.defaclrole) as whole,
       e.grantee,
       e.privileges,
       e.grantable
from pg_default_acl d
left join pg_namespace n on n.oid = d.defaclnamespace
left join lateral (
    select case x.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(x.grantee)) end as grantee,
           array_agg(lower(x.privilege_type) order by lower(x.privilege_type))
               filter (where not x.is_grantable) as privileges,
           array_agg(lower(x.privilege_type) order by lower(x.privilege_type))
               filter (where x.is_grantable) as grantable,
           min(x.place) as place
    from aclexplode(d.defaclacl) with ordinality as x (grantor, grantee, privilege_type, is_grantable, place)
    group by x.grantee
) as e on true
order by role, schema nulls first, "of", e.place
