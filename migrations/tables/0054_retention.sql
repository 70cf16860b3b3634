-- Retention: which rows are deleted at which age, how far that has come, what was deleted, and
-- what an incident hit, which is counted before its rows go.

create domain ops.kept_class as text
    check (value in ('events', 'requests', 'errors', 'unresolved', 'business', 'samples', 'items'));

comment on domain ops.kept_class is 'What is kept equally long, by retention.<class>_days. errors: those that are resolved; unresolved: those that are not.';

create table ops.kept_tables (
    name text primary key,
    table_name text not null,
    class ops.kept_class not null,
    place integer not null unique,
    tried_at timestamptz,
    ended_at timestamptz,
    reached_at timestamptz,
    oldest_at timestamptz,
    hindrance text
);

comment on table ops.kept_tables is 'The tables whose rows are deleted by age, and how far that has come. Tables of ops that hold what was computed are not among them.';
comment on column ops.kept_tables.name is 'The table, or the part of its rows that has a class of its own.';
comment on column ops.kept_tables.place is 'The order in which they are dealt with.';
comment on column ops.kept_tables.tried_at is 'When something was to be deleted last.';
comment on column ops.kept_tables.ended_at is 'When nothing was left to delete last; null before the first time.';
comment on column ops.kept_tables.reached_at is 'Up to which time rows are deleted while more are left, so that the next part does not look at those again.';
comment on column ops.kept_tables.oldest_at is 'The oldest row that was left when nothing was left to delete last.';
comment on column ops.kept_tables.hindrance is 'Why nothing could be deleted last; null where it could.';

alter table ops.kept_tables enable row level security;

create table ops.forgotten_rows (
    day date not null,
    table_name text not null,
    rows bigint not null,
    partitions integer not null default 0,
    from_at timestamptz,
    to_at timestamptz,
    primary key (day, table_name)
);

comment on table ops.forgotten_rows is 'How many rows were deleted by age on each day, in UTC, of which table.';
comment on column ops.forgotten_rows.rows is 'About how many, where a partition was very large.';
comment on column ops.forgotten_rows.from_at is 'The oldest of them.';

alter table ops.forgotten_rows enable row level security;

create table ops.incident_users (
    incident uuid primary key references ops.incidents (id) on delete cascade,
    resolved_at timestamptz not null,
    users bigint,
    counted_at timestamptz not null
);

comment on table ops.incident_users is 'How many users incidents hit that are over, counted while their rows were there.';
comment on column ops.incident_users.resolved_at is 'The end up to which was counted; an incident that was opened again since is counted anew.';
comment on column ops.incident_users.users is 'Null where that was not known.';

alter table ops.incident_users enable row level security;

-- The application's own table may lack it.
alter table public.error_logs add column if not exists resolved_at timestamptz;

-- Whatever is deleted by age is found by age.
create index if not exists ops_performance_metrics_time_idx on public.performance_metrics ("timestamp");
create index if not exists ops_error_logs_resolved_idx
    on public.error_logs (coalesce(resolved_at, "timestamp")) where resolved;
