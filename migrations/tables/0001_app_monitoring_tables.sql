-- This file makes the monitoring tables of the application, in schema public.
--
-- The application writes its events, errors and API calls here with its service key, and the
-- operations bundle reads them. On an empty project this file creates the tables; on top of
-- the application's own tables it keeps every row and every column, adds what is missing, and
-- replaces the policies that let strangers in. Applying it again changes nothing.
-- The rules of a tick and the dashboard read these tables. We write only system_health.
-- To undo it, drop the indexes and policies whose names begin with ops_.

set local search_path = '';
-- The notice "already exists, skipping" is expected here.
set local client_min_messages = warning;

do $$
begin
    if to_regclass('auth.users') is null
        or to_regprocedure('auth.uid()') is null
        or to_regprocedure('auth.jwt()') is null
    then
        raise exception 'schema auth with users, uid() and jwt() is missing: this is not a Supabase database'
            using errcode = 'object_not_in_prerequisite_state',
                  hint = 'Apply the migrations to a Supabase project, local or hosted.';
    end if;
end
$$;

-- Tables ---------------------------------------------------------------------

create table if not exists public.analytics_events (
    id uuid primary key default gen_random_uuid(),
    event_name text not null check (length(event_name) between 1 and 100),
    properties jsonb not null default '{}',
    user_id uuid references auth.users (id) on delete set null,
    session_id text,
    "timestamp" timestamptz not null default now(),
    user_agent text,
    ip_address inet,
    environment text not null default 'production'
        check (environment in ('development', 'preview', 'production')),
    created_at timestamptz not null default now()
);

create table if not exists public.performance_metrics (
    id uuid primary key default gen_random_uuid(),
    name text not null check (length(name) between 1 and 100),
    value numeric(15, 3) not null,
    unit text not null check (unit in ('ms', 'bytes', 'count', 'percentage')),
    metadata jsonb not null default '{}',
    "timestamp" timestamptz not null default now(),
    environment text not null default 'production'
        check (environment in ('development', 'preview', 'production')),
    created_at timestamptz not null default now()
);

create table if not exists public.error_logs (
    id uuid primary key default gen_random_uuid(),
    message text not null check (length(message) > 0),
    stack text,
    context jsonb not null default '{}',
    user_id uuid references auth.users (id) on delete set null,
    severity text not null check (severity in ('low', 'medium', 'high', 'critical')),
    "timestamp" timestamptz not null default now(),
    environment text not null default 'production'
        check (environment in ('development', 'preview', 'production')),
    resolved boolean not null default false,
    resolved_at timestamptz,
    resolved_by uuid references auth.users (id) on delete set null,
    created_at timestamptz not null default now()
);

create table if not exists public.business_metrics (
    id uuid primary key default gen_random_uuid(),
    metric_name text not null check (length(metric_name) between 1 and 100),
    metric_value numeric(15, 3) not null,
    metadata jsonb not null default '{}',
    "timestamp" timestamptz not null default now(),
    environment text not null default 'production'
        check (environment in ('development', 'preview', 'production')),
    created_at timestamptz not null default now()
);

create table if not exists public.alerts (
    id uuid primary key default gen_random_uuid(),
    type text not null
        check (type in ('performance', 'error', 'security', 'business', 'system')),
    severity text not null check (severity in ('info', 'warning', 'error', 'critical')),
    message text not null,
    data jsonb not null default '{}',
    "timestamp" timestamptz not null default now(),
    acknowledged boolean not null default false,
    acknowledged_at timestamptz,
    acknowledged_by uuid references auth.users (id) on delete set null,
    resolved boolean not null default false,
    resolved_at timestamptz,
    resolved_by uuid references auth.users (id) on delete set null,
    created_at timestamptz not null default now()
);

create table if not exists public.system_health (
    id uuid primary key default gen_random_uuid(),
    service_name text not null check (length(service_name) between 1 and 50),
    status text not null check (status in ('healthy', 'degraded', 'unhealthy')),
    response_time numeric(10, 3),
    error_rate numeric(5, 2),
    uptime_percentage numeric(5, 2),
    metadata jsonb not null default '{}',
    "timestamp" timestamptz not null default now(),
    environment text not null default 'production'
        check (environment in ('development', 'preview', 'production')),
    created_at timestamptz not null default now()
);

create table if not exists public.user_sessions (
    id uuid primary key default gen_random_uuid(),
    user_id uuid references auth.users (id) on delete cascade,
    session_start timestamptz not null default now(),
    session_end timestamptz,
    duration_seconds integer,
    page_views integer not null default 0,
    events_count integer not null default 0,
    user_agent text,
    ip_address inet,
    country text,
    city text,
    device_type text check (device_type in ('desktop', 'mobile', 'tablet')),
    browser text,
    os text,
    created_at timestamptz not null default now()
);

create table if not exists public.feature_usage (
    id uuid primary key default gen_random_uuid(),
    feature_name text not null,
    user_id uuid references auth.users (id) on delete set null,
    usage_count integer not null default 1,
    first_used timestamptz not null default now(),
    last_used timestamptz not null default now(),
    success_rate numeric(5, 2),
    average_duration numeric(10, 3),
    metadata jsonb not null default '{}',
    date date not null default current_date,
    created_at timestamptz not null default now(),
    unique (feature_name, user_id, date)
);

create table if not exists public.api_usage_metrics (
    id uuid primary key default gen_random_uuid(),
    endpoint text not null,
    method text not null check (method in ('GET', 'POST', 'PUT', 'DELETE', 'PATCH')),
    status_code integer not null,
    response_time numeric(10, 3) not null,
    user_id uuid references auth.users (id) on delete set null,
    user_agent text,
    ip_address inet,
    request_size integer,
    response_size integer,
    error_message text,
    "timestamp" timestamptz not null default now(),
    created_at timestamptz not null default now()
);

-- Tables that were there before get the columns that our functions read or write.

-- The column is new and holds nothing that would have to be looked up.
alter table public.analytics_events
    -- squawk-ignore adding-foreign-key-constraint
    add column if not exists user_id uuid references auth.users (id) on delete set null,
    add column if not exists "timestamp" timestamptz default now(),
    add column if not exists environment text default 'production';

alter table public.performance_metrics
    add column if not exists "timestamp" timestamptz default now(),
    add column if not exists environment text default 'production';

alter table public.error_logs
    add column if not exists context jsonb default '{}',
    add column if not exists "timestamp" timestamptz default now(),
    add column if not exists environment text default 'production',
    add column if not exists resolved boolean default false;

alter table public.business_metrics
    add column if not exists "timestamp" timestamptz default now(),
    add column if not exists environment text default 'production';

alter table public.alerts
    add column if not exists data jsonb default '{}',
    add column if not exists "timestamp" timestamptz default now(),
    add column if not exists acknowledged boolean default false,
    add column if not exists resolved boolean default false;

alter table public.system_health
    add column if not exists response_time numeric(10, 3),
    add column if not exists error_rate numeric(5, 2),
    add column if not exists uptime_percentage numeric(5, 2),
    add column if not exists metadata jsonb default '{}',
    add column if not exists "timestamp" timestamptz default now(),
    add column if not exists environment text default 'production';

alter table public.api_usage_metrics
    -- squawk-ignore adding-foreign-key-constraint
    add column if not exists user_id uuid references auth.users (id) on delete set null,
    add column if not exists "timestamp" timestamptz default now();

-- Indexes --------------------------------------------------------------------
-- Every reader asks for a range of time. Only short columns are included, because a long
-- endpoint or message in an index row would make the application's insert fail.

create index if not exists ops_analytics_events_time_idx
    on public.analytics_events ("timestamp") include (event_name, user_id, environment);

create index if not exists ops_performance_metrics_name_time_idx
    on public.performance_metrics (name, "timestamp") include (value, environment);

create index if not exists ops_error_logs_time_idx
    on public.error_logs ("timestamp") include (severity, environment);

create index if not exists ops_error_logs_critical_idx
    on public.error_logs ("timestamp") where severity = 'critical';

create index if not exists ops_business_metrics_time_idx
    on public.business_metrics ("timestamp") include (metric_name, metric_value, environment);

create index if not exists ops_alerts_time_idx
    on public.alerts ("timestamp");

create index if not exists ops_system_health_time_idx
    on public.system_health ("timestamp");

create index if not exists ops_user_sessions_time_idx
    on public.user_sessions (session_start);

create index if not exists ops_feature_usage_date_idx
    on public.feature_usage (date);

create index if not exists ops_api_usage_metrics_time_idx
    on public.api_usage_metrics ("timestamp") include (status_code, response_time, user_id);

-- Failed requests are few, so a reader that looks for them need not read all requests.
create index if not exists ops_api_usage_metrics_failed_idx
    on public.api_usage_metrics ("timestamp") include (user_id) where status_code >= 500;

-- When an account is deleted, PostgreSQL looks up its rows by every column that refers to it.
do $$
declare
    v_key record;
begin
    for v_key in
        select cls.relname as table_name, att.attname as column_name
        from pg_constraint as con
        join pg_class as cls on cls.oid = con.conrelid
        join pg_attribute as att on att.attrelid = con.conrelid and att.attnum = con.conkey[1]
        where con.contype = 'f'
            and cardinality(con.conkey) = 1
            and con.conrelid = any (array[
                'public.analytics_events', 'public.performance_metrics', 'public.error_logs',
                'public.business_metrics', 'public.alerts', 'public.system_health',
                'public.user_sessions', 'public.feature_usage', 'public.api_usage_metrics'
            ]::regclass[])
            and not exists (
                select
                from pg_index as idx
                where idx.indrelid = con.conrelid and idx.indkey[0] = con.conkey[1]
            )
        order by cls.relname, att.attname
    loop
        execute format(
            'create index %I on public.%I (%I) where %I is not null',
            format('ops_%s_%s_idx', v_key.table_name, v_key.column_name),
            v_key.table_name, v_key.column_name, v_key.column_name
        );
    end loop;
end
$$;

-- Policies -------------------------------------------------------------------
-- A policy is dropped, whatever its name, if it admits a stranger to a row that belongs to
-- nobody (which covers `with check (true)` in every spelling and `user_id is null`), or if it
-- takes somebody's role from the preferences that people write themselves. To find out
-- whether it admits a stranger, its expression is evaluated as `anon` and as a signed-in
-- nobody, for a row whose columns are all null.

do $$
declare
    v_policy record;
    v_caller text;
    v_expression text;
    v_admits boolean;
    v_acting boolean;
begin
    for v_policy in
        select
            pol.polname as policy_name,
            cls.relname as table_name,
            case
                when pol.polqual is null and pol.polwithcheck is null then array['true']
                else array_remove(array[
                    pg_get_expr(pol.polqual, pol.polrelid),
                    pg_get_expr(pol.polwithcheck, pol.polrelid)
                ], null)
            end as expressions,
            array(
                select rol.rolname
                from pg_roles as rol
                where rol.rolname in ('anon', 'authenticated')
                    and (rol.oid = any (pol.polroles) or 0 = any (pol.polroles))
            ) as callers,
            exists (
                select
                from pg_depend as dep
                join pg_proc as prc on prc.oid = dep.refobjid and prc.prokind = 'f'
                where dep.classid = 'pg_policy'::regclass
                    and dep.objid = pol.oid
                    and dep.refclassid = 'pg_proc'::regclass
                    and pg_get_functiondef(prc.oid) ~ '\mpreferences\M'
            ) as calls_preferences
        from pg_policy as pol
        join pg_class as cls on cls.oid = pol.polrelid
        where pol.polpermissive
            and pol.polrelid = any (array[
                'public.analytics_events', 'public.performance_metrics', 'public.error_logs',
                'public.business_metrics', 'public.alerts', 'public.system_health',
                'public.user_sessions', 'public.feature_usage', 'public.api_usage_metrics'
            ]::regclass[])
        order by cls.relname, pol.polname
    loop
        v_admits := v_policy.calls_preferences
            or array_to_string(v_policy.expressions, ' ') ~ '\mpreferences\M';

        foreach v_expression in array v_policy.expressions loop
            foreach v_caller in array v_policy.callers loop
                exit when v_admits;
                v_acting := false;
                begin
                    perform set_config('request.jwt.claims', jsonb_build_object(
                        'role', v_caller,
                        'sub', case v_caller when 'authenticated' then gen_random_uuid() end
                    )::text, true);
                    execute format('set local role %I', v_caller);
                    v_acting := true;
                    execute format(
                        'select coalesce((select %s from (select (null::public.%I).*) as %I), false)',
                        v_expression, v_policy.table_name, v_policy.table_name
                    ) into v_admits;
                    -- The exception undoes the role and the claims.
                    raise exception 'asked' using errcode = 'OPS00';
                exception
                    when sqlstate 'OPS00' then
                        null;
                    when others then
                        if not v_acting then
                            raise;
                        end if;
                        -- An expression that fails for a stranger does not admit one.
                        v_admits := false;
                end;
            end loop;
        end loop;

        if v_admits then
            execute format('drop policy %I on public.%I', v_policy.policy_name, v_policy.table_name);
        end if;
    end loop;
end
$$;

-- Strangers may read nothing, people read their own rows, admins read all rows, and the
-- server's key is not bound by policies.

do $$
declare
    v_table text;
begin
    foreach v_table in array array[
        'analytics_events', 'performance_metrics', 'error_logs', 'business_metrics', 'alerts',
        'system_health', 'user_sessions', 'feature_usage', 'api_usage_metrics'
    ] loop
        execute format('alter table public.%I enable row level security', v_table);
        execute format('revoke all on table public.%I from public, anon', v_table);
        execute format('revoke truncate, references, trigger on table public.%I from authenticated', v_table);
        execute format('grant select on table public.%I to authenticated', v_table);
        execute format('grant select, insert, update, delete on table public.%I to service_role', v_table);

        execute format('drop policy if exists ops_admin_reads on public.%I', v_table);
        execute format(
            'create policy ops_admin_reads on public.%I for select to authenticated '
            'using (((select auth.jwt()) -> ''app_metadata'' ->> ''role'') = ''admin'')',
            v_table
        );

        execute format('drop policy if exists ops_own_rows on public.%I', v_table);
        if exists (
            select
            from pg_attribute
            where attrelid = to_regclass('public.' || v_table)
                and attname = 'user_id'
                and not attisdropped
        ) then
            execute format(
                'create policy ops_own_rows on public.%I for select to authenticated '
                'using (user_id = (select auth.uid()))',
                v_table
            );
        end if;
    end loop;
end
$$;

-- A table gets a comment where the application gave it none.

do $$
declare
    v_comment record;
begin
    for v_comment in
        select *
        from (values
            ('analytics_events', 'What people did, one row for each event.'),
            ('performance_metrics', 'Measurements of the application, one row for each.'),
            ('error_logs', 'Errors of the application, one row for each occurrence.'),
            ('business_metrics', 'Figures that the application counts itself.'),
            ('alerts', 'Alerts that the application raises; input of the monitor, which never writes here.'),
            ('system_health', 'One row for each service and tick, for the readers of the old dashboard.'),
            ('user_sessions', 'Visits, one row for each session.'),
            ('feature_usage', 'Use of features, one row for each feature, user and day.'),
            ('api_usage_metrics', 'API calls of the application, one row for each request.')
        ) as wanted (table_name, body)
        where obj_description(to_regclass('public.' || wanted.table_name), 'pg_class') is null
    loop
        execute format('comment on table public.%I is %L', v_comment.table_name, v_comment.body);
    end loop;
end
$$;
