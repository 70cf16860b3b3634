-- Owners that may make nothing in the schema where something is theirs, as its grants
-- alone have it: what a role is a member of, and whether it is a superuser, does not come
-- along. The team's role owns the database, so what that may is its own in every project.
select distinct n.nspname as schema, r.rolname as owner
from (
    select relnamespace, relowner from pg_class where relkind <> 't' and relpersistence <> 't'
    union select pronamespace, proowner from pg_proc
    union select typnamespace, typowner from pg_type
    union select collnamespace, collowner from pg_collation
    union select oprnamespace, oprowner from pg_operator
    union select dictnamespace, dictowner from pg_ts_dict
    union select cfgnamespace, cfgowner from pg_ts_config
    union select stxnamespace, stxowner from pg_statistic_ext
) as o (place, owner)
join pg_namespace n on n.oid = o.place
join pg_roles r on r.oid = o.owner
where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and not exists (
      select from aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) g
      where g.privilege_type = 'CREATE'
        and (g.grantee in (0, r.oid)
             or g.grantee = 'pg_database_owner'::regrole and r.rolname = 'postgres'))
