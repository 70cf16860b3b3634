-- The application's own tables as they may stand in production before the
-- operations bundle comes: with its policies, a trigger, and rows.

create table public.user_profiles (
    id uuid primary key references auth.users (id) on delete cascade,
    preferences jsonb not null default '{}'
);

create function public.is_admin() returns boolean language sql stable security definer as $$
    select exists (
        select from public.user_profiles where id = auth.uid() and preferences ->> 'role' = 'admin'
    )
$$;

create table public.analytics_events (
    id uuid primary key default gen_random_uuid(),
    event_name text not null check (char_length(event_name) between 1 and 100),
    properties jsonb default '{}',
    user_id uuid references auth.users (id) on delete set null,
    session_id text,
    timestamp timestamptz default now(),
    user_agent text,
    ip_address inet,
    environment text default 'production' check (environment in ('development', 'preview', 'production')),
    created_at timestamptz default now()
);

create table public.performance_metrics (
    id uuid primary key default gen_random_uuid(),
    name text not null check (char_length(name) between 1 and 100),
    value numeric(15, 3) not null,
    unit text not null check (unit in ('ms', 'bytes', 'count', 'percentage')),
    metadata jsonb default '{}',
    timestamp timestamptz default now(),
    environment text default 'production' check (environment in ('development', 'preview', 'production')),
    created_at timestamptz default now()
);

create table public.error_logs (
    id uuid primary key default gen_random_uuid(),
    message text not null check (char_length(message) > 0),
    stack text,
    context jsonb default '{}',
    user_id uuid references auth.users (id) on delete set null,
    severity text not null check (severity in ('low', 'medium', 'high', 'critical')),
    timestamp timestamptz default now(),
    environment text default 'production' check (environment in ('development', 'preview', 'production')),
    resolved boolean default false,
    resolved_at timestamptz,
    resolved_by uuid references auth.users (id),
    created_at timestamptz default now()
);
comment on table public.error_logs is 'The application''s own words about its errors.';

-- An early version, without environment.
create table public.business_metrics (
    id uuid primary key default gen_random_uuid(),
    metric_name text not null check (char_length(metric_name) between 1 and 100),
    metric_value numeric(15, 3) not null,
    metadata jsonb default '{}',
    timestamp timestamptz default now()
);

create table public.alerts (
    id uuid primary key default gen_random_uuid(),
    type text not null check (type in ('performance', 'error', 'security', 'business', 'system')),
    severity text not null check (severity in ('info', 'warning', 'error', 'critical')),
    message text not null,
    data jsonb default '{}',
    timestamp timestamptz default now(),
    acknowledged boolean default false,
    acknowledged_at timestamptz,
    acknowledged_by uuid references auth.users (id),
    resolved boolean default false,
    resolved_at timestamptz,
    resolved_by uuid references auth.users (id),
    created_at timestamptz default now()
);

create table public.system_health (
    id uuid primary key default gen_random_uuid(),
    service_name text not null check (char_length(service_name) between 1 and 50),
    status text not null check (status in ('healthy', 'degraded', 'unhealthy')),
    response_time numeric(10, 3),
    error_rate numeric(5, 2),
    uptime_percentage numeric(5, 2),
    metadata jsonb default '{}',
    timestamp timestamptz default now(),
    environment text default 'production' check (environment in ('development', 'preview', 'production'))
);

create table public.user_sessions (
    id uuid primary key default gen_random_uuid(),
    user_id uuid references auth.users (id) on delete cascade,
    session_start timestamptz default now(),
    session_end timestamptz,
    duration_seconds integer,
    page_views integer default 0,
    events_count integer default 0,
    user_agent text,
    ip_address inet,
    country text,
    city text,
    device_type text check (device_type in ('desktop', 'mobile', 'tablet')),
    browser text,
    os text,
    created_at timestamptz default now()
);

create table public.feature_usage (
    id uuid primary key default gen_random_uuid(),
    feature_name text not null,
    user_id uuid references auth.users (id) on delete set null,
    usage_count integer default 1,
    first_used timestamptz default now(),
    last_used timestamptz default now(),
    success_rate numeric(5, 2),
    average_duration numeric(10, 3),
    metadata jsonb default '{}',
    date date default current_date,
    unique (feature_name, user_id, date)
);

create table public.api_usage_metrics (
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
    timestamp timestamptz default now()
);

create index idx_error_logs_user on public.error_logs (user_id);
create index idx_api_usage_timestamp on public.api_usage_metrics (timestamp desc);

create function public.note_alert() returns trigger language plpgsql as $$
begin
    new.data := new.data || '{"noted": true}';
    return new;
end
$$;
create trigger note_alert before insert on public.alerts for each row execute function public.note_alert();

-- Policies that let strangers in, in several spellings.
alter table public.analytics_events enable row level security;
alter table public.performance_metrics enable row level security;
alter table public.error_logs enable row level security;
alter table public.alerts enable row level security;
alter table public.user_sessions enable row level security;
alter table public.feature_usage enable row level security;
alter table public.api_usage_metrics enable row level security;

create policy "Anyone can insert analytics" on public.analytics_events for insert with check (true);
create policy "Own or anonymous" on public.analytics_events for select
    using (auth.uid() = user_id or user_id is null);
create policy "Admins read analytics" on public.analytics_events for select
    using (exists (
        select from public.user_profiles
        where user_profiles.id = auth.uid() and user_profiles.preferences ->> 'role' = 'admin'
    ));
create policy "insert metrics" on public.performance_metrics for insert
    with check (auth.role() in ('anon', 'authenticated'));
create policy "log errors" on public.error_logs for insert to anon, authenticated with check (1 = 1);
create policy "any member may edit" on public.error_logs for update to authenticated
    using (auth.uid() is not null);
create policy "alerts for all" on public.alerts for all using (true) with check (true);
create policy "adopt alerts" on public.alerts for update to authenticated
    using (true) with check (resolved_by = auth.uid());
create policy "unchecked" on public.api_usage_metrics for insert to anon with check (length('x') = 1);
create policy "admins by function" on public.feature_usage for select using (public.is_admin());

-- Policies that do no harm.
create policy "own sessions" on public.user_sessions for insert to authenticated
    with check (user_id = auth.uid());
create policy "server manages alerts" on public.alerts for all using (auth.role() = 'service_role');
create policy "server writes" on public.feature_usage for insert to service_role with check (true);
create policy "never at night" on public.analytics_events as restrictive for insert with check (true);

insert into auth.users (id, email)
values
    ('00000000-0000-4000-8000-00000000000a', 'anna@example.org'),
    ('00000000-0000-4000-8000-00000000000b', 'bert@example.org');
insert into public.user_profiles (id, preferences)
values ('00000000-0000-4000-8000-00000000000b', '{"role": "admin"}');
insert into public.analytics_events (event_name, user_id)
values ('wine_added', '00000000-0000-4000-8000-00000000000a'), ('wine_added', null);
insert into public.performance_metrics (name, value, unit) values ('page_load_time', 812.5, 'ms');
insert into public.error_logs (message, severity, context, user_id)
values ('Could not load wine 12', 'high', '{"category": "database"}', '00000000-0000-4000-8000-00000000000a');
insert into public.business_metrics (metric_name, metric_value) values ('wine_added', 3);
insert into public.alerts (type, severity, message) values ('error', 'critical', 'Payment failed');
insert into public.system_health (service_name, status, response_time) values ('database', 'healthy', 12.5);
insert into public.user_sessions (user_id) values ('00000000-0000-4000-8000-00000000000a');
insert into public.feature_usage (feature_name, user_id)
values ('search', '00000000-0000-4000-8000-00000000000a');
insert into public.api_usage_metrics (endpoint, method, status_code, response_time)
values ('/api/wines', 'GET', 200, 41.25);
