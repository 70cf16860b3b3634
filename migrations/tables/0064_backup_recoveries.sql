-- Guided recoveries, in earnest and as drills: how long everything took that makes a database,
-- an application or both serve again.

create domain ops.recovery_kind as text check (value in ('database', 'application', 'region'));
comment on domain ops.recovery_kind is 'What a guided recovery brings back.';

create domain ops.recovery_outcome as text check (value in ('done', 'failed'));
comment on domain ops.recovery_outcome is 'Whether everything was done that can be done by a program, or a step of it failed.';

create table ops.backup_recoveries (
    id uuid primary key,
    kind ops.recovery_kind not null,
    is_drill boolean not null,
    snapshot text check (length(snapshot) <= 200),
    started_at timestamptz not null,
    finished_at timestamptz not null,
    steps jsonb not null check (jsonb_typeof(steps) = 'array'),
    outcome ops.recovery_outcome not null,
    received_at timestamptz not null,
    check (finished_at >= started_at),
    check (started_at >= '2000-01-01 00:00+00' and finished_at < '2200-01-01 00:00+00')
);

comment on table ops.backup_recoveries is 'The receipts of guided recoveries and of their drills.';
comment on column ops.backup_recoveries.id is 'Made when the recovery began; one that is gone on with replaces its receipt.';
comment on column ops.backup_recoveries.is_drill is 'Whether what was recovered was thrown away at the end.';
comment on column ops.backup_recoveries.snapshot is 'The backup that the database was made from; null where none was.';
comment on column ops.backup_recoveries.started_at is 'When it was first begun, however often it was gone on with.';
comment on column ops.backup_recoveries.steps is 'Its steps, a list of {step, state, seconds}: done, todo, or by hand.';
comment on column ops.backup_recoveries.received_at is 'When the receipt arrived, by the database''s clock.';

create index backup_recoveries_received_idx on ops.backup_recoveries (received_at desc);

alter table ops.backup_recoveries enable row level security;
