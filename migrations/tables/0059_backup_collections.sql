-- Collections of backups: what is kept and why, what went, and who wanted that.

create domain ops.collection_outcome as text check (value in ('done', 'partial', 'frozen', 'refused', 'failed'));

comment on domain ops.collection_outcome is 'How a collection ended. partial: its time ended, and the next one goes on; frozen: nothing may go for now; refused: the store keeps what was to go; failed: something could not be read, so nothing that rests on it may go.';

create table ops.backup_collections (
    run uuid primary key references ops.runs (id),
    outcome ops.collection_outcome not null,
    started_at timestamptz not null,
    finished_at timestamptz not null,
    reason text,
    asked_by text,
    figures jsonb not null check (jsonb_typeof(figures) = 'object'),
    decisions jsonb not null check (jsonb_typeof(decisions) = 'array')
);

comment on table ops.backup_collections is 'How each collection of backups ended, with what it decided of each of them.';
comment on column ops.backup_collections.reason is 'Why it did not come to its end; null if it did.';
comment on column ops.backup_collections.asked_by is 'Who asked for it; null for the schedule.';
comment on column ops.backup_collections.figures is 'How many backups are kept, by which rung, what went, and how much lies in the store.';
comment on column ops.backup_collections.decisions is 'What becomes of each backup and why, a list of {snapshot, takenAt, fate}.';

create index backup_collections_finished_idx on ops.backup_collections (finished_at desc);

alter table ops.backup_collections enable row level security;

-- It is replaced by one that allows more, so no row has to be read.
-- squawk-ignore ban-drop-constraint
alter domain ops.audit_action drop constraint audit_action_check;
-- squawk-ignore ban-alter-domain-with-add-constraint
alter domain ops.audit_action add constraint audit_action_check
    check (value in (
        'setting.changed', 'check.changed', 'alert.answered', 'incident.changed', 'status.written', 'role.granted', 'role.revoked',
        'role.found', 'key.added', 'key.rotated', 'key.revoked', 'access.refused', 'data.exported', 'data.erased',
        'details.erased', 'database.restored', 'backup.pinned', 'backup.unpinned', 'backup.put_back', 'backup.pruned'
    )) not valid;
