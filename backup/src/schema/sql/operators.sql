-- A commutator or negator that does not exist yet is made as a shell, and
-- filled in when its turn comes.
select 'pg_operator'::regclass::oid as class,
       o.oid,
       'operator' as kind,
       n.nspname as schema,
       format('%s(%s, %s)', o.oprname, left_type, right_type) as name,
       pg_get_userbyid(o.oprowner) as owner,
       format('operator %I.%s (%s, %s)', n.nspname, o.oprname, left_type, right_type) as address,
       format(E'create operator %I.%s (%s);\n', n.nspname, o.oprname, concat_ws(', ',
           'function = ' || o.oprcode::regproc,
           'leftarg = ' || nullif(left_type, 'none'),
           'rightarg = ' || right_type,
           (select format('commutator = operator(%I.%s)', cn.nspname, c.oprname)
            from pg_operator c join pg_namespace cn on cn.oid = c.oprnamespace where c.oid = o.oprcom),
           (select format('negator = operator(%I.%s)', cn.nspname, c.oprname)
            from pg_operator c join pg_namespace cn on cn.oid = c.oprnamespace where c.oid = o.oprnegate),
           'restrict = ' || nullif(o.oprrest, 0)::regproc,
           'join = ' || nullif(o.oprjoin, 0)::regproc,
           case when o.oprcanhash then 'hashes' end,
           case when o.oprcanmerge then 'merges' end
       )) as sql
from pg_operator o
join pg_namespace n on n.oid = o.oprnamespace
cross join lateral coalesce(format_type(nullif(o.oprleft, 0), null), 'none') as left_type
cross join lateral format_type(o.oprright, null) as right_type
where o.oprcode <> 0 and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
