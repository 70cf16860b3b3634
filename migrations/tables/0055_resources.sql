-- Resources: what is used of what there is, by day, and how the database's host is.

create domain ops.resource as text check (value in (
    'database_size', 'database_disk', 'connections', 'database_cpu', 'database_memory', 'storage', 'egress',
    'invocations', 'function_time', 'function_memory', 'cron_jobs', 'emails', 'openai', 'vision'
));

comment on domain ops.resource is 'What may run out. database_size: the database''s own bytes; database_disk: of its host; function_time: the run of a function that took most of what it may; function_memory: of the function that looked last; emails: those of a day.';

create table ops.resource_readings (
    resource ops.resource primary key,
    used numeric,
    capacity numeric,
    unit text not null,
    note text,
    reason text,
    read_at timestamptz not null
);

comment on table ops.resource_readings is 'What is used of each resource, as the maintenance saw it last.';
comment on column ops.resource_readings.used is 'Null where nobody tells, with the reason.';
comment on column ops.resource_readings.capacity is 'How much there is; null where nobody tells.';
comment on column ops.resource_readings.reason is 'Why used or capacity is null.';

alter table ops.resource_readings enable row level security;

create table ops.resource_days (
    resource ops.resource not null,
    day date not null,
    used numeric not null,
    primary key (resource, day)
);

comment on table ops.resource_days is 'What was used of each resource on each day, as it was seen last.';

alter table ops.resource_days enable row level security;

insert into ops.resource_days (resource, day, used)
select 'database_size', (day at time zone 'UTC')::date, bytes
from ops.database_sizes;

-- It is replaced by one that allows more, so no row has to be read.
-- squawk-ignore ban-drop-constraint
alter domain ops.platform_source drop constraint platform_source_check;
-- squawk-ignore ban-alter-domain-with-add-constraint
alter domain ops.platform_source add constraint platform_source_check
    check (value in ('app_project', 'own_project', 'provider_backups', 'database_host')) not valid;

comment on domain ops.platform_source is 'What is read of a platform. app_project: the watched app''s project on Vercel; own_project: this bundle''s; provider_backups: the backups that Supabase makes itself; database_host: the machine that the database runs on.';
