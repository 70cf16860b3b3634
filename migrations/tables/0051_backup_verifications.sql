-- What was verified of backups and when, and what archives of the application have begun to
-- lack.

create table ops.backup_verifications (
    id uuid primary key,
    snapshot text not null,
    taken_at timestamptz not null,
    level integer not null check (level in (1, 2)),
    started_at timestamptz not null,
    finished_at timestamptz not null,
    objects bigint not null check (objects >= 0),
    bytes bigint not null check (bytes >= 0),
    fault_count bigint not null check (fault_count >= 0),
    faults jsonb not null check (jsonb_typeof(faults) = 'array'),
    received_at timestamptz not null,
    check (finished_at >= started_at),
    check (least(taken_at, started_at) >= '2000-01-01 00:00+00' and greatest(taken_at, finished_at) < '2200-01-01 00:00+00')
);

comment on table ops.backup_verifications is 'The receipts of verifications: the objects of a backup were read in its store.';
comment on column ops.backup_verifications.id is 'Made by whoever verified, so that a receipt that is sent again counts once.';
comment on column ops.backup_verifications.taken_at is 'The time of the backup''s snapshot.';
comment on column ops.backup_verifications.level is '1: each object was compared with its hash; 2: all of it was also opened and read.';
comment on column ops.backup_verifications.fault_count is 'How many faults were found, of which faults tells the first.';
comment on column ops.backup_verifications.faults is 'A list of {what, why}.';
comment on column ops.backup_verifications.received_at is 'When the receipt arrived, by the database''s clock.';

create index backup_verifications_received_idx on ops.backup_verifications (received_at desc);

alter table ops.backup_verifications enable row level security;

alter table ops.application_archives
add column lacks jsonb not null default '{}' check (jsonb_typeof(lacks) = 'object');

comment on column ops.application_archives.lacks is
    'What earlier archives held and could not be read for this one: when it was held last, by its name.';
