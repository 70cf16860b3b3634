-- What of the server's own was granted or revoked since initdb, but for what the roles
-- among $1 may do. Of `information_schema` no server says what initdb gave.
with object (class, oid, part, what, owner, kind, acl) as (
    select 'pg_class'::regclass::oid, c.oid, 0, c.oid::regclass::text, c.relowner,
           case c.relkind when 'S' then 's' else 'r' end, c.relacl
    from pg_class c
    where c.relkind in ('r', 'v', 'm', 'S') and c.relnamespace = 'pg_catalog'::regnamespace
    union all
    select 'pg_class'::regclass::oid, a.attrelid, a.attnum, format('%s (%I)', a.attrelid::regclass, a.attname),
           c.relowner, 'c', a.attacl
    from pg_attribute a join pg_class c on c.oid = a.attrelid
    where a.attacl is not null and c.relnamespace = 'pg_catalog'::regnamespace
    union all
    select 'pg_proc'::regclass::oid, p.oid, 0, 'function ' || p.oid::regprocedure, p.proowner, 'f', p.proacl
    from pg_proc p
    where p.pronamespace = 'pg_catalog'::regnamespace
    union all
    select 'pg_language'::regclass::oid, l.oid, 0, 'language ' || l.lanname, l.lanowner, 'l', l.lanacl
    from pg_language l
    union all
    select 'pg_type'::regclass::oid, t.oid, 0, 'type ' || t.oid::regtype, t.typowner, 'T', t.typacl
    from pg_type t
    union all
    select 'pg_namespace'::regclass::oid, n.oid, 0, 'schema ' || n.nspname, n.nspowner, 'n', n.nspacl
    from pg_namespace n where n.nspname = 'pg_catalog'
)
select o.what
from object o
left join pg_init_privs i
    on i.classoid = o.class and i.objoid = o.oid and i.objsubid = o.part and i.privtype = 'i'
cross join lateral (
    select array_agg(distinct (x.grantee, x.privilege_type, x.is_grantable)::text) as given
    from aclexplode(o.acl) x
    where not exists (
        select from pg_roles r
        where r.oid = x.grantee and (r.oid = o.owner or r.rolname = any ($1::text [])))
) as now
cross join lateral (
    select array_agg(distinct (x.grantee, x.privilege_type, x.is_grantable)::text) as given
    from aclexplode(coalesce(i.initprivs, acldefault(o.kind::"char", o.owner))) x
    where not exists (
        select from pg_roles r
        where r.oid = x.grantee and (r.oid = o.owner or r.rolname = any ($1::text [])))
) as made
where o.oid < 16384 and o.acl is not null and now.given is distinct from made.given
order by 1
