-- Maintenance windows, and the roll-ups of samples and requests.

create table ops.maintenance_windows (
    id uuid primary key,
    reason text not null check (length(reason) between 1 and 500),
    author text not null check (length(author) between 1 and 200),
    checks text[] not null default '{}',
    services text[] not null default '{}',
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    weekdays integer[] check (weekdays <@ '{1,2,3,4,5,6,7}' and cardinality(weekdays) > 0),
    local_time time,
    duration_minutes integer check (duration_minutes between 1 and 1440),
    zone text,
    created_at timestamptz not null,
    removed_at timestamptz,
    removed_by text,
    check (starts_at < ends_at),
    check (created_at < ends_at),
    check (num_nulls(weekdays, local_time, duration_minutes, zone) in (0, 4)),
    check ((removed_at is null) = (removed_by is null))
);

comment on table ops.maintenance_windows is 'Announced work, which comes once or on weekdays at a local time. Every window has an end.';
comment on column ops.maintenance_windows.id is 'The caller makes the id, so that the call can be repeated.';
comment on column ops.maintenance_windows.checks is 'The checks that are worked on. A window without any check and service concerns all of them.';
comment on column ops.maintenance_windows.services is 'The services that are worked on, with all their checks.';
comment on column ops.maintenance_windows.ends_at is 'When the window ends; for a recurring one, when it stops recurring.';
comment on column ops.maintenance_windows.weekdays is 'The days on which the window begins, from 1 for Monday to 7 for Sunday; null for a window that comes once.';
comment on column ops.maintenance_windows.local_time is 'When the window begins, by the clocks of its zone.';
comment on column ops.maintenance_windows.duration_minutes is 'How long each occurrence lasts, even if clocks change meanwhile.';
comment on column ops.maintenance_windows.zone is 'The IANA name of the zone.';
comment on column ops.maintenance_windows.created_at is 'When the window was announced; nothing before that is maintenance.';
comment on column ops.maintenance_windows.removed_at is 'When the window was removed; nothing after that is maintenance.';

create index maintenance_windows_ends_idx on ops.maintenance_windows (ends_at);

alter table ops.maintenance_windows enable row level security;

create table ops.uptime_rollups (
    check_name text primary key,
    rolled_to timestamptz not null,
    newest_sample bigint not null,
    samples_from timestamptz not null default '-infinity'
);

comment on table ops.uptime_rollups is 'How far each check is rolled up.';
comment on column ops.uptime_rollups.rolled_to is 'A whole hour. What lies before it is in spans, and what lies before its day is in whole days as well.';
comment on column ops.uptime_rollups.newest_sample is 'The id of the newest sample that the roll-up has noticed.';
comment on column ops.uptime_rollups.samples_from is 'Samples that are not valid after this were deleted.';

alter table ops.uptime_rollups enable row level security;

create table ops.uptime_spans (
    check_name text not null,
    started_at timestamptz not null,
    ended_at timestamptz not null,
    status ops.check_status not null check (status <> 'unknown'),
    primary key (check_name, started_at),
    check (started_at < ended_at and ended_at <= started_at + interval '1 hour')
);

comment on table ops.uptime_spans is 'What the samples of past hours mean, cut at whole hours. Time that is in no span is unknown.';

alter table ops.uptime_spans enable row level security;

create table ops.uptime_days (
    check_name text not null,
    day timestamptz not null,
    up numeric not null,
    degraded numeric not null,
    down numeric not null,
    primary key (check_name, day),
    check (up >= 0 and down >= 0 and degraded between 0 and up and up + down <= 86400)
);

comment on table ops.uptime_days is 'How many seconds of each past day, outside maintenance, a check was up and down: one row for each check and day.';
comment on column ops.uptime_days.day is 'The midnight in UTC at which the day begins.';
comment on column ops.uptime_days.degraded is 'These seconds are part of up.';

alter table ops.uptime_days enable row level security;

create table ops.request_hours (
    hour timestamptz primary key,
    requests bigint not null,
    failures bigint not null,
    fast bigint not null,
    check (failures between 0 and requests),
    check (fast between 0 and requests)
);

comment on table ops.request_hours is 'How many requests the API had in each past hour, after its beginning and up to its end. No hour is missing between the first and the last row.';
comment on column ops.request_hours.fast is 'How many requests were answered in less than objective.latency_ms, as it was when the hour was counted.';

alter table ops.request_hours enable row level security;

create table ops.web_vitals (
    environment text not null,
    name text not null check (name in ('LCP', 'FID', 'INP', 'CLS')),
    p75 numeric not null,
    views bigint not null check (views > 0),
    measured_at timestamptz not null,
    primary key (environment, name)
);

comment on table ops.web_vitals is 'The Web Vitals of 24 hours, as the maintenance job measured them last.';
comment on column ops.web_vitals.name is 'The name that the web-vitals library uses; the application stores its measurements in performance_metrics under the same name.';
comment on column ops.web_vitals.p75 is 'Three of four page views were as good or better. The unit is milliseconds; CLS has none.';

alter table ops.web_vitals enable row level security;
