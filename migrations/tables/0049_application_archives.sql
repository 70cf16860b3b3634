-- Archives of the application beside its database: what was taken when, and what its values
-- come to as keyed hashes, by which the next one tells what changed.

create table ops.application_archives (
    name text primary key check (name ~ '^[0-9]{8}T[0-9]{6}Z-[0-9a-f]{8}$'),
    taken_at timestamptz not null check (taken_at >= '2000-01-01 00:00+00' and taken_at < '2200-01-01 00:00+00'),
    bytes bigint not null check (bytes >= 0),
    repository_bytes bigint check (repository_bytes >= 0),
    documents text[] not null,
    absent jsonb not null check (jsonb_typeof(absent) = 'object'),
    differences jsonb check (jsonb_typeof(differences) = 'array'),
    leaves jsonb check (jsonb_typeof(leaves) = 'object'),
    recorded_at timestamptz not null
);

comment on table ops.application_archives is 'Archives of how the platforms are set up, and of the repository, in the store of the backups.';
comment on column ops.application_archives.documents is 'The documents that it holds, by name.';
comment on column ops.application_archives.absent is 'What it lacks, each with the reason.';
comment on column ops.application_archives.differences is 'What changed since the one before, a list of {path, change}; null for the first.';
comment on column ops.application_archives.leaves is 'A keyed hash of each value by its path; kept of the newest alone.';
comment on column ops.application_archives.recorded_at is 'When it was recorded, by the database''s clock.';

create index application_archives_taken_idx on ops.application_archives (taken_at desc);

alter table ops.application_archives enable row level security;
