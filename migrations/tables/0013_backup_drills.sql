-- Drills, which restore a backup to see whether it can be restored; the gaps of backups; and
-- settings that are lists of names.

create table ops.backup_drills (
    id uuid primary key,
    snapshot text not null,
    taken_at timestamptz not null,
    started_at timestamptz not null,
    finished_at timestamptz not null,
    restored boolean not null,
    reason text,
    missing jsonb not null default '[]' check (jsonb_typeof(missing) = 'array'),
    tables text[] not null default '{}',
    -- NaN and infinity are greater than every number.
    seconds numeric check (seconds between 0 and 1000000000),
    rows bigint check (rows >= 0),
    bytes bigint check (bytes >= 0),
    tables_in_backup bigint check (tables_in_backup >= 0),
    received_at timestamptz not null,
    check (restored = (reason is null)),
    check (finished_at >= started_at),
    check (least(taken_at, started_at) >= '2000-01-01 00:00+00' and greatest(taken_at, finished_at) < '2200-01-01 00:00+00')
);

comment on table ops.backup_drills is 'The receipts of drills: a backup was restored into a scratch database and compared with its source.';
comment on column ops.backup_drills.id is 'Made by whoever ran the drill, so that a receipt that is sent again counts once.';
comment on column ops.backup_drills.taken_at is 'The time of the backup''s snapshot.';
comment on column ops.backup_drills.restored is 'Whether the restore came to its end; what it lacked then is in missing.';
comment on column ops.backup_drills.reason is 'Why the restore did not come to its end; null if it did.';
comment on column ops.backup_drills.missing is 'What could not be made, a list of {what, reason}.';
comment on column ops.backup_drills.tables is 'The tables whose rows were restored and compared, each with its schema.';
comment on column ops.backup_drills.seconds is 'How long the restore took, with its comparison; null if it did not come to its end.';
comment on column ops.backup_drills.bytes is 'The length of the restored rows as COPY text.';
comment on column ops.backup_drills.tables_in_backup is 'How many tables the backup has rows of.';
comment on column ops.backup_drills.received_at is 'When the receipt arrived, by the database''s clock.';

create index backup_drills_received_idx on ops.backup_drills (received_at desc);
create index backup_drills_snapshot_idx on ops.backup_drills (snapshot);

alter table ops.backup_drills enable row level security;

alter table ops.backups add column gaps jsonb not null default '[]';

comment on column ops.backups.gaps is 'What the database holds and the sealed backup does not, a list of {what, why}.';

-- It is replaced by one that allows more, on a table of some seventy rows.
-- squawk-ignore ban-drop-constraint
alter table ops.settings drop constraint settings_kind_check;
-- squawk-ignore constraint-missing-not-valid
alter table ops.settings add constraint settings_kind_check
    check (kind in ('number', 'integer', 'boolean', 'text', 'checked_urls', 'names'));
