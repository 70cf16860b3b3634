-- All that a database holds, a line each, in words that another run writes the same way.
-- Privileges are written out, whether they were granted or are the default.
with places as (
    select oid, nspname from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema'
),

relations as (
    select c.*, n.nspname || '.' || c.relname as full_name
    from pg_class as c
    inner join places as n on n.oid = c.relnamespace
    where c.relkind not in ('i', 'I')
)

select format(
    'schema %s %s', n.nspname,
    (
        select string_agg(format('%s %s %s', a.grantee, a.privilege_type, a.grantor), ', ' order by a.grantee, a.privilege_type)
        from aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) as a
    )
)
from pg_namespace as n
inner join places using (oid)
union all
select format(
    'relation %s %s rls=%s %s', c.full_name, c.relkind, c.relrowsecurity,
    (
        select string_agg(format('%s %s %s', a.grantee, a.privilege_type, a.grantor), ', ' order by a.grantee, a.privilege_type)
        from aclexplode(coalesce(c.relacl, acldefault(case c.relkind when 'S' then 's' else 'r' end::"char", c.relowner))) as a
    )
)
from relations as c
union all
select format(
    'column %s.%s %s %s %s %s', c.full_name, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
    pg_get_expr(d.adbin, d.adrelid), nullif(a.attacl, '{}')
)
from pg_attribute as a
inner join relations as c on c.oid = a.attrelid
left join pg_attrdef as d on d.adrelid = a.attrelid and d.adnum = a.attnum
where a.attnum > 0 and not a.attisdropped
union all
select format('constraint %s %s %s', c.full_name, k.conname, pg_get_constraintdef(k.oid))
from pg_constraint as k
inner join relations as c on c.oid = k.conrelid
union all
select format('index %s %s', c.full_name, pg_get_indexdef(i.indexrelid))
from pg_index as i
inner join relations as c on c.oid = i.indrelid
union all
select format('trigger %s %s', c.full_name, pg_get_triggerdef(t.oid))
from pg_trigger as t
inner join relations as c on c.oid = t.tgrelid
where not t.tgisinternal
union all
select format(
    'policy %s %s %s %s', c.full_name, p.polname, pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)
)
from pg_policy as p
inner join relations as c on c.oid = p.polrelid
union all
select format('function %s %s %s', p.oid::regprocedure, md5(p.prosrc), p.proacl)
from pg_proc as p
inner join places as n on n.oid = p.pronamespace
union all
select format('type %s %s', t.oid::regtype, t.typtype)
from pg_type as t
inner join places as n on n.oid = t.typnamespace
where t.typtype in ('d', 'e', 'r')
union all
select format('default privileges %s %s %s %s', d.defaclrole, d.defaclnamespace, d.defaclobjtype, d.defaclacl)
from pg_default_acl as d
union all
select format('role %s %s', r.rolname, r.rolsuper)
from pg_roles as r
union all
select format('extension %s', e.extname)
from pg_extension as e
union all
select format('event trigger %s', e.evtname)
from pg_event_trigger as e
union all
select format('publication %s', p.pubname)
from pg_publication as p
union all
select format('slot %s', s.slot_name)
from pg_replication_slots as s
where s.database = current_database()
