-- Who else may do something with the application's monitoring tables than our own policies
-- allow: a row for each permissive policy that is not ours, each privilege to write, each table
-- without row-level security, and each view that shows a table past its policies. To be run
-- with an empty search_path, which makes the server name functions whole.
with tables as (
    select cls.oid, cls.relname::text as name, cls.relrowsecurity as is_guarded
    from pg_catalog.pg_class as cls
    where cls.relnamespace = to_regnamespace('public')
        and cls.relkind in ('r', 'p')
        and cls.relname in (
            'analytics_events', 'performance_metrics', 'error_logs', 'business_metrics', 'alerts',
            'system_health', 'user_sessions', 'feature_usage', 'api_usage_metrics'
        )
),
strangers as (
    select rolname::text as name, oid from pg_catalog.pg_roles where rolname in ('anon', 'authenticated')
),
policies as (
    select
        tables.name as table_name,
        pol.polname::text as policy_name,
        array(
            select case role_id when 0 then 'public' else pg_get_userbyid(role_id)::text end
            from unnest(pol.polroles) as held (role_id)
            order by 1
        ) as roles,
        case pol.polcmd
            when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' else 'all'
        end as command,
        concat_ws(
            ' ',
            'using ' || pg_get_expr(pol.polqual, pol.polrelid),
            'with check ' || pg_get_expr(pol.polwithcheck, pol.polrelid)
        ) as condition,
        -- The conditions by which migrating spares a policy: what our own policies say.
        coalesce(pol.polqual, pol.polwithcheck) is not null
        and not exists (
            select
            from unnest(array[
                pg_get_expr(pol.polqual, pol.polrelid),
                pg_get_expr(pol.polwithcheck, pol.polrelid)
            ]) as condition (expression)
            where expression <> all (array[
                '(user_id = auth.uid())',
                '(auth.uid() = user_id)',
                '(user_id = ( SELECT auth.uid() AS uid))',
                '(( SELECT auth.uid() AS uid) = user_id)',
                '(((auth.jwt() -> ''app_metadata''::text) ->> ''role''::text) = ''admin''::text)',
                '(((( SELECT auth.jwt() AS jwt) -> ''app_metadata''::text) ->> ''role''::text) = ''admin''::text)',
                '(auth.role() = ''service_role''::text)',
                '(( SELECT auth.role() AS role) = ''service_role''::text)'
            ])
        ) as is_spared,
        exists (
            select
            from unnest(pol.polroles) as held (role_id)
            where held.role_id = 0
                or exists (select from strangers where pg_has_role(strangers.oid, held.role_id, 'usage'))
        ) as holds_for_strangers
    from pg_catalog.pg_policy as pol
    join tables on tables.oid = pol.polrelid
    where pol.polpermissive
)
select
    case when holds_for_strangers and not is_spared then 'policy' else 'spared_policy' end as kind,
    table_name, policy_name as name, roles, command || ' ' || condition as detail
from policies
where not (
        roles = array['authenticated']
        and command = 'select'
        and policy_name = 'ops_reads'
        and condition = any (array[
            'using (((( SELECT auth.jwt() AS jwt) -> ''app_metadata''::text) ->> ''role''::text) = ''admin''::text)',
            'using ((user_id = ( SELECT auth.uid() AS uid)) OR (((( SELECT auth.jwt() AS jwt) -> ''app_metadata''::text) ->> ''role''::text) = ''admin''::text))'
        ])
    )
union all
select 'grant', tables.name, privilege, array_agg(strangers.name order by strangers.name), null
from tables
cross join strangers
cross join unnest(array['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) as privilege
where has_table_privilege(strangers.oid, tables.oid, privilege)
    or (
        privilege in ('INSERT', 'UPDATE', 'REFERENCES')
        and has_any_column_privilege(strangers.oid, tables.oid, privilege)
    )
group by tables.name, privilege
union all
select 'no_row_security', tables.name, tables.name, '{}', null
from tables
where not is_guarded
union all
select distinct 'view', tables.name, format('%I.%I', nsp.nspname, viewed.relname), '{}'::text[], null
from tables
join pg_catalog.pg_depend as dep
    on dep.refclassid = 'pg_catalog.pg_class'::regclass and dep.refobjid = tables.oid
    and dep.classid = 'pg_catalog.pg_rewrite'::regclass
join pg_catalog.pg_rewrite as rule on rule.oid = dep.objid
join pg_catalog.pg_class as viewed on viewed.oid = rule.ev_class and viewed.relkind in ('v', 'm')
join pg_catalog.pg_namespace as nsp on nsp.oid = viewed.relnamespace
cross join strangers
where (viewed.relkind = 'm' or not coalesce(viewed.reloptions::text ~ 'security_invoker=(true|on|1|yes)', false))
    and has_schema_privilege(strangers.oid, nsp.oid, 'USAGE')
    and has_any_column_privilege(strangers.oid, viewed.oid, 'SELECT')
order by 1, 2, 3
