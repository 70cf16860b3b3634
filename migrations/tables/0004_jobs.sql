-- This file makes the tables of jobs and their runs, and of the scheduler in the database.

create table ops.jobs (
    job text primary key check (job ~ '^[a-z][a-z_]{0,49}$'),
    every_seconds integer not null check (every_seconds between 1 and 31622400),
    fence bigint not null default 0,
    lease_run uuid,
    lease_until timestamptz,
    first_slot timestamptz,
    last_slot timestamptz,
    committed_at timestamptz,
    updated_at timestamptz not null default now()
);

comment on table ops.jobs is 'What runs by schedule, one row for each job; locking the row serialises the runs of the job.';
comment on column ops.jobs.fence is 'Fence of the newest claim; a run that holds an older one has been superseded.';
comment on column ops.jobs.lease_run is 'The run that holds the job until lease_until, or null.';
comment on column ops.jobs.first_slot is 'First scheduled slot that was ever claimed; null means not set up.';
comment on column ops.jobs.committed_at is 'Time of the newest committed tick; what happened since then is new to the next tick.';

alter table ops.jobs enable row level security;

create table ops.runs (
    id uuid primary key,
    job text not null references ops.jobs (job),
    slot timestamptz,
    fence bigint not null,
    outcome ops.run_outcome not null,
    started_at timestamptz not null,
    finished_at timestamptz,
    lease_until timestamptz,
    missed integer not null default 0,
    summary jsonb
);

comment on table ops.runs is 'Every run of a job, and every slot that nobody ran.';
comment on column ops.runs.id is 'Made by the caller, so that a claim may be repeated.';
comment on column ops.runs.slot is 'Time of the database when the run began, floored to the job''s interval; null for a manual run.';
comment on column ops.runs.outcome is 'abandoned: its lease ran out and another run took over; missed: nobody claimed the slot.';
comment on column ops.runs.missed is 'How many slots before this one nobody had claimed.';
comment on column ops.runs.summary is 'What the run reported when it finished; a repeated commit returns it.';

-- An abandoned run leaves its slot to the next one.
create unique index runs_slot_key on ops.runs (job, slot) where outcome <> 'abandoned';
create index runs_job_idx on ops.runs (job, started_at desc);

alter table ops.runs enable row level security;

create table ops.scheduler (
    here boolean primary key default true check (here),
    base_url text not null check (base_url ~ '^https?://[^/?#]+$'),
    installed_at timestamptz not null,
    silent_since timestamptz,
    told_at timestamptz,
    check ((silent_since is null) = (told_at is null))
);

comment on table ops.scheduler is 'Where the scheduler in the database calls, at most one row; none where it is not installed.';
comment on column ops.scheduler.silent_since is 'The last tick before ticks stopped, if a message about that was sent to Slack; null while ticks come.';
comment on column ops.scheduler.told_at is 'When the last message about that was sent to Slack.';

alter table ops.scheduler enable row level security;
