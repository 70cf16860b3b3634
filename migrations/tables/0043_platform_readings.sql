-- What the platforms' own APIs said: who serves production and whether it is pinned, and how
-- the provider's backups stand.

create domain ops.platform_source as text check (value in ('app_project', 'own_project', 'provider_backups'));

comment on domain ops.platform_source is 'What is read of a platform. app_project: the watched app''s project on Vercel; own_project: this bundle''s; provider_backups: the backups that Supabase makes itself.';

create table ops.platform_watches (
    source ops.platform_source primary key,
    watched boolean not null,
    asked_at timestamptz
);

comment on table ops.platform_watches is 'What of the platforms is read, which is what a token was there for when the maintenance last looked.';
comment on column ops.platform_watches.asked_at is 'When a function last went to read it.';

alter table ops.platform_watches enable row level security;

create table ops.platform_readings (
    id bigint generated always as identity primary key,
    source ops.platform_source not null,
    document jsonb,
    error text,
    first_at timestamptz not null,
    last_at timestamptz not null,
    check (num_nonnulls(document, error) = 1)
);

comment on table ops.platform_readings is 'What was read of a platform, a row for each change.';
comment on column ops.platform_readings.document is 'What it said, in our words; null where it could not be read.';
comment on column ops.platform_readings.error is 'Why it could not be read.';
comment on column ops.platform_readings.first_at is 'When it was read like this first.';
comment on column ops.platform_readings.last_at is 'When it was read like this last.';

create index platform_readings_source_idx on ops.platform_readings (source, id desc);

alter table ops.platform_readings enable row level security;
