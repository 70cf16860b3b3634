-- Backups and restores, and the canary: a word that each backup has to find again.

create table ops.backups (
    run uuid primary key references ops.runs (id),
    outcome ops.run_result not null,
    snapshot text,
    taken_at timestamptz,
    sealed_at timestamptz,
    finished_at timestamptz not null,
    figures jsonb not null default '{}',
    suspect text,
    reason text,
    check ((outcome = 'done') = (sealed_at is not null)),
    check (sealed_at is null or (snapshot is not null and taken_at is not null))
);

comment on table ops.backups is 'How each run of the backup ended.';
comment on column ops.backups.outcome is 'done: the backup is sealed; partial: the run ran out of time and the next run continues it; failed: the run achieved nothing that counts.';
comment on column ops.backups.snapshot is 'The name of the backup in the store.';
comment on column ops.backups.taken_at is 'The time of the snapshot by the database''s clock; what was committed later is not in the backup.';
comment on column ops.backups.sealed_at is 'When the commit record was written; before that the backup does not exist.';
comment on column ops.backups.figures is 'How many rows, bytes and requests the run took.';
comment on column ops.backups.suspect is 'Why a sealed backup may not be what it should be; null if nothing speaks against it.';
comment on column ops.backups.reason is 'Why the backup was not sealed; null if it was.';

create index backups_finished_idx on ops.backups (finished_at desc);
create index backups_taken_idx on ops.backups (taken_at desc) where outcome = 'done';

alter table ops.backups enable row level security;

create table ops.backup_canary (
    id integer primary key check (id = 1),
    nonce text not null,
    written_at timestamptz not null
);

comment on table ops.backup_canary is 'A word that each backup writes and has to find again in what it reads.';

alter table ops.backup_canary enable row level security;
-- Row-level security counts for the owner too: a session that does not bypass it has to
-- fail at this table, because it would read other tables as empty.
alter table ops.backup_canary force row level security;

create table ops.restores (
    id bigint generated always as identity primary key,
    snapshot text not null,
    taken_at timestamptz not null,
    restored_at timestamptz not null,
    seconds numeric not null check (seconds >= 0)
);

comment on table ops.restores is 'Every time this database was made from a backup.';
comment on column ops.restores.taken_at is 'The time of the backup''s snapshot; what was committed later was not restored.';
comment on column ops.restores.seconds is 'How long the restore took.';

create index restores_restored_idx on ops.restores (restored_at desc);

alter table ops.restores enable row level security;
