-- How the copy of the backups in another place stands, each time that something was copied.

create table ops.backup_replications (
    id uuid primary key,
    at timestamptz not null,
    place text not null check (length(place) between 1 and 300),
    newest_here timestamptz,
    newest_there timestamptz,
    copied bigint not null check (copied >= 0),
    objects bigint not null check (objects >= 0),
    bytes bigint not null check (bytes >= 0),
    backups_left bigint not null check (backups_left >= 0),
    trouble text,
    received_at timestamptz not null
);

comment on table ops.backup_replications is 'What was copied of the backups to another place, a row each time.';
comment on column ops.backup_replications.id is 'Made by whoever copied, so that a report that is sent again counts once.';
comment on column ops.backup_replications.place is 'What people call the other place: its bucket and prefix, or its folder.';
comment on column ops.backup_replications.newest_here is 'When the newest backup was taken.';
comment on column ops.backup_replications.newest_there is 'When the newest backup was taken that is in the copy; null where none is.';
comment on column ops.backup_replications.copied is 'How many backups are in the copy since.';
comment on column ops.backup_replications.backups_left is 'How many are not, because time was too short or they cannot be copied.';
comment on column ops.backup_replications.trouble is 'Why something could not be copied; null where nothing kept it.';

create index backup_replications_received_idx on ops.backup_replications (received_at desc);

alter table ops.backup_replications enable row level security;
