-- Who may do what with what: one row an object, a column and a grantee. An
-- object without grantees has one row without.
-- One of an extension is changed if roles that are not among $1 have other
-- privileges than the extension or the default privileges gave.
with object (class, oid, kind, address, attribute, owner, acl, place) as (
    select 'pg_namespace'::regclass::oid, n.oid, 'n', format('schema %I', n.nspname), null,
           n.nspowner, n.nspacl, 0::oid
    from pg_namespace n
    union all
    select 'pg_class'::regclass::oid, c.oid, case c.relkind when 'S' then 's' else 'r' end,
           format('%s %I.%I', case c.relkind when 'S' then 'sequence' else 'table' end, n.nspname, c.relname),
           null, c.relowner, c.relacl, n.oid
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'v', 'm', 'S', 'f') and c.relpersistence <> 't'
      and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
    union all
    select 'pg_class'::regclass::oid, c.oid, 'c', format('table %I.%I', n.nspname, c.relname),
           a.attname, c.relowner, a.attacl, n.oid
    from pg_attribute a
    join pg_class c on c.oid = a.attrelid
    join pg_namespace n on n.oid = c.relnamespace
    where a.attacl is not null and not a.attisdropped
      and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
    union all
    select 'pg_proc'::regclass::oid, p.oid, 'f',
           -- An aggregate's own form of arguments is unknown to `grant`.
           case p.prokind
               when 'a' then 'function ' || p.oid::regprocedure
               else format('%s %I.%I(%s)', case p.prokind when 'p' then 'procedure' else 'function' end,
                           n.nspname, p.proname, pg_get_function_identity_arguments(p.oid))
           end,
           null, p.proowner, p.proacl, n.oid
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
    union all
    select 'pg_type'::regclass::oid, t.oid, 'T', format('type %I.%I', n.nspname, t.typname),
           null, t.typowner, t.typacl, n.oid
    from pg_type t join pg_namespace n on n.oid = t.typnamespace
    where t.typacl is not null and t.typtype in ('e', 'c', 'd', 'r')
      and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
    union all
    select 'pg_foreign_data_wrapper'::regclass::oid, f.oid, 'F', format('foreign data wrapper %I', f.fdwname),
           null, f.fdwowner, f.fdwacl, 0
    from pg_foreign_data_wrapper f
    union all
    select 'pg_foreign_server'::regclass::oid, s.oid, 'S', format('foreign server %I', s.srvname),
           null, s.srvowner, s.srvacl, 0
    from pg_foreign_server s
    union all
    select 'pg_largeobject'::regclass::oid, l.oid, 'L', format('large object %s', l.oid),
           null, l.lomowner, l.lomacl, 0
    from pg_largeobject_metadata l
),
changed (class, oid) as materialized (
    select distinct o.class, o.oid
    from object o
    join pg_depend d on d.classid = o.class and d.objid = o.oid and d.deptype = 'e'
    left join pg_init_privs i
        on i.classoid = o.class and i.objoid = o.oid and i.privtype = 'e'
        and i.objsubid = coalesce((
            select a.attnum from pg_attribute a where a.attrelid = o.oid and a.attname = o.attribute), 0)
    cross join lateral (
        select array_agg(distinct (x.grantee, x.privilege_type, x.is_grantable)::text) as given
        from aclexplode(o.acl) x
        where not exists (
            select from pg_roles r
            where r.oid = x.grantee and (r.oid = o.owner or r.rolname = any ($1::text [])))
    ) as now
    cross join lateral (
        select array_agg(distinct (x.grantee, x.privilege_type, x.is_grantable)::text) as given
        from (
            select (aclexplode(i.initprivs)).*
            union all
            select (aclexplode(coalesce(
                (select a.defaclacl from pg_default_acl a
                 where a.defaclrole = o.owner and a.defaclnamespace = 0
                   and a.defaclobjtype = case o.kind when 's' then 'S' else o.kind end::"char"),
                acldefault(o.kind::"char", o.owner)))).*
            where i.initprivs is null
            union all
            select (aclexplode(a.defaclacl)).*
            from pg_default_acl a
            where a.defaclrole = o.owner and a.defaclnamespace = o.place
              and a.defaclobjtype = case o.kind when 's' then 'S' else o.kind end::"char"
        ) as x
        where not exists (
            select from pg_roles r
            where r.oid = x.grantee and (r.oid = o.owner or r.rolname = any ($1::text [])))
    ) as made
    where o.acl is not null and now.given is distinct from made.given
)
select o.class,
       o.oid,
       o.address,
       o.attribute,
       pg_get_userbyid(o.owner) as owner,
       coalesce((
           select array_agg(lower(w.privilege_type) order by lower(w.privilege_type))
           from aclexplode(acldefault(o.kind::"char", o.owner)) w
           where w.grantee = o.owner), '{}') as whole,
       (o.class, o.oid) in (select c.class, c.oid from changed c) as changed,
       e.grantor,
       e.grantee,
       e.privileges,
       e.grantable
from object o
left join lateral (
    select pg_get_userbyid(x.grantor) as grantor,
           case x.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(x.grantee)) end as grantee,
           array_agg(lower(x.privilege_type) order by lower(x.privilege_type))
               filter (where not x.is_grantable) as privileges,
           array_agg(lower(x.privilege_type) order by lower(x.privilege_type))
               filter (where x.is_grantable) as grantable,
           min(x.place) as place
    from aclexplode(coalesce(o.acl, acldefault(o.kind::"char", o.owner)))
        with ordinality as x (grantor, grantee, privilege_type, is_grantable, place)
    group by x.grantor, x.grantee
) as e on true
order by o.class, o.oid, o.attribute nulls first, e.place
