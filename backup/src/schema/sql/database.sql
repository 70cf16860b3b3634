-- The database's own comment, and who may do what with it: one row a grantee, or one
-- without.
select nullif(shobj_description(d.oid, 'pg_database'), 'default administrative connection database') as comment,
       e.role,
       e.grantee,
       e.privileges,
       e.grantable
from pg_database d
left join lateral (
    select case x.grantee when 0 then null else pg_get_userbyid(x.grantee) end as role,
           case x.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(x.grantee)) end as grantee,
           array_agg(lower(x.privilege_type) order by lower(x.privilege_type))
               filter (where not x.is_grantable) as privileges,
           array_agg(lower(x.privilege_type) order by lower(x.privilege_type))
               filter (where x.is_grantable) as grantable
    from aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) as x
    where x.grantee <> d.datdba
    group by x.grantee
) as e on true
where d.datname = current_database()
order by e.grantee
