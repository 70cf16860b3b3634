-- Who may read the application's monitoring tables stands in one policy for each table instead
-- of two: every permissive policy of a role is evaluated for every row, and Supabase's advisor
-- warns of a second one.
--
-- For the same reason a policy of the application goes that lets people read what ours lets
-- them read anyway: their own rows, an admin by app_metadata every row, and the server, which
-- no policy binds. A notice names each. Nothing is readable afterwards that was not before,
-- and the other way round. To undo it, create the policies again.

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
            and pol.polcmd in ('r', '*')
            and pol.polrelid = any (array[
                'public.analytics_events', 'public.performance_metrics', 'public.error_logs',
                'public.business_metrics', 'public.alerts', 'public.system_health',
                'public.user_sessions', 'public.feature_usage', 'public.api_usage_metrics'
            ]::regclass[])
            and pol.polname not in ('ops_admin_reads', 'ops_own_rows', 'ops_reads')
            and exists (
                select
                from unnest(pol.polroles) as held (role_id)
                where held.role_id = 0
                    or pg_has_role('anon', held.role_id, 'usage')
                    or pg_has_role('authenticated', held.role_id, 'usage')
            )
            and pg_get_expr(pol.polqual, pol.polrelid) = any (array[
                '(user_id = auth.uid())',
                '(auth.uid() = user_id)',
                '(user_id = ( SELECT auth.uid() AS uid))',
                '(( SELECT auth.uid() AS uid) = user_id)',
                '(((auth.jwt() -> ''app_metadata''::text) ->> ''role''::text) = ''admin''::text)',
                '(((( SELECT auth.jwt() AS jwt) -> ''app_metadata''::text) ->> ''role''::text) = ''admin''::text)',
                '(auth.role() = ''service_role''::text)',
                '(( SELECT auth.role() AS role) = ''service_role''::text)'
            ])
        order by cls.relname, pol.polname
    loop
        execute format('drop policy %I on public.%I', v_policy.policy_name, v_policy.table_name);
        raise notice 'policy % on public.% was dropped: ops_reads lets the same people read the same rows',
            quote_ident(v_policy.policy_name), quote_ident(v_policy.table_name);
    end loop;
end
$$;

do $$
declare
    v_table text;
    v_reads text;
begin
    foreach v_table in array array[
        'analytics_events', 'performance_metrics', 'error_logs', 'business_metrics', 'alerts',
        'system_health', 'user_sessions', 'feature_usage', 'api_usage_metrics'
    ] loop
        -- Each in a scalar subquery of its own, so that it is evaluated once and not for every row.
        v_reads := '((select auth.jwt()) -> ''app_metadata'' ->> ''role'') = ''admin''';
        if exists (
            select
            from pg_attribute
            where attrelid = to_regclass('public.' || v_table)
                and attname = 'user_id'
                and not attisdropped
        ) then
            v_reads := 'user_id = (select auth.uid()) or ' || v_reads;
        end if;
        execute format('drop policy if exists ops_admin_reads on public.%I', v_table);
        execute format('drop policy if exists ops_own_rows on public.%I', v_table);
        execute format('drop policy if exists ops_reads on public.%I', v_table);
        execute format(
            'create policy ops_reads on public.%I for select to authenticated using (%s)', v_table, v_reads
        );
    end loop;
end
$$;
