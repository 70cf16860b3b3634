-- This file closes the application's monitoring tables to strangers, whatever policies and
-- grants the application made for them.
--
-- Whether a condition admits a stranger cannot be found out by trying it on rows: the row that
-- it admits may be the next one. So a permissive policy that holds for strangers, or for
-- everybody who is signed in, stays only if it says in so many words what our own policies say:
-- a person's own rows, an admin by app_metadata, or the server. Every other one is dropped, and
-- a notice names it. Policies of other roles and restrictive policies stay as they are.
-- Nobody but the server writes here: a policy may be made again by hand, and must not be enough.
-- `pourtrait check --live` names each policy that is not ours.
-- To undo it, create the policies again and grant what they need.

set local search_path = '';

do $$
declare
    v_policy record;
begin
    for v_policy in
        select pol.polname as policy_name, cls.relname as table_name
        from pg_policy as pol
        join pg_class as cls on cls.oid = pol.polrelid
        where pol.polpermissive
            and pol.polrelid = any (array[
                'public.analytics_events', 'public.performance_metrics', 'public.error_logs',
                'public.business_metrics', 'public.alerts', 'public.system_health',
                'public.user_sessions', 'public.feature_usage', 'public.api_usage_metrics'
            ]::regclass[])
            and pol.polname not in ('ops_admin_reads', 'ops_own_rows')
            and exists (
                select
                from unnest(pol.polroles) as held (role_id)
                where held.role_id = 0
                    or pg_has_role('anon', held.role_id, 'usage')
                    or pg_has_role('authenticated', held.role_id, 'usage')
            )
            and (
                (pol.polqual is null and pol.polwithcheck is null)
                or exists (
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
                )
            )
        order by cls.relname, pol.polname
    loop
        execute format('drop policy %I on public.%I', v_policy.policy_name, v_policy.table_name);
        raise notice 'policy % on public.% was dropped: it let others in than own rows, admins and the server',
            quote_ident(v_policy.policy_name), quote_ident(v_policy.table_name);
    end loop;
end
$$;

do $$
declare
    v_table text;
begin
    foreach v_table in array array[
        'analytics_events', 'performance_metrics', 'error_logs', 'business_metrics', 'alerts',
        'system_health', 'user_sessions', 'feature_usage', 'api_usage_metrics'
    ] loop
        execute format('alter table public.%I enable row level security', v_table);
        -- This takes the privileges on single columns, too.
        execute format('revoke all on table public.%I from public, anon, authenticated', v_table);
        execute format('grant select on table public.%I to authenticated', v_table);
    end loop;
end
$$;
