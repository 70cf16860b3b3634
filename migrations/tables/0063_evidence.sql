-- Evidence: which receipts of what was done with backups lie in the store, what was found when
-- they were read, and who signed off a period.

alter table ops.backups
add column record_sha256 text check (record_sha256 ~ '^[0-9a-f]{64}$'),
add column not_covered jsonb not null default '[]' check (jsonb_typeof(not_covered) = 'array');

comment on column ops.backups.record_sha256 is 'SHA-256 of the commit record as it lies in the store; null for backups of builds that did not note it.';
comment on column ops.backups.not_covered is 'What the sealed backup leaves out because it comes from elsewhere, a list of {what, why}.';

-- Not concurrently, because a file is applied in one transaction; the table has a row a run.
-- squawk-ignore require-concurrent-index-creation
create index backups_snapshot_idx on ops.backups (snapshot) where snapshot is not null;

create domain ops.receipt_kind as text check (value in (
    'backup', 'failure', 'verification', 'drill', 'recovery', 'collection', 'replication', 'pin', 'restore', 'review'
));

comment on domain ops.receipt_kind is 'What a receipt tells of. failure: a run that sealed no backup; collection: what was decided of each backup; pin: a backup was pinned, unpinned or put back; review: somebody signed off a period.';

create table ops.receipts (
    path text primary key check (length(path) between 1 and 300),
    sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
    kind ops.receipt_kind not null,
    fact text not null check (length(fact) between 1 and 200),
    at timestamptz not null,
    previous text[] not null,
    noted_at timestamptz not null,
    unique (kind, fact)
);

comment on table ops.receipts is 'The receipts in the store, as whoever wrote or found one noted it.';
comment on column ops.receipts.path is 'Where it lies in the store.';
comment on column ops.receipts.sha256 is 'SHA-256 of it as it lies there.';
comment on column ops.receipts.fact is 'What tells the fact from all others of its kind.';
comment on column ops.receipts.at is 'The time of the fact.';
comment on column ops.receipts.previous is 'The hashes of the receipts that it follows.';

create index receipts_at_idx on ops.receipts (at desc);
create index receipts_previous_idx on ops.receipts using gin (previous);

alter table ops.receipts enable row level security;

create table ops.receipt_checks (
    id uuid primary key,
    whole boolean not null,
    receipts bigint not null check (receipts >= 0),
    heads text[] not null,
    faults jsonb not null check (jsonb_typeof(faults) = 'array'),
    checked_at timestamptz not null
);

comment on table ops.receipt_checks is 'What was found when the chain of receipts was read.';
comment on column ops.receipt_checks.whole is 'Whether nothing was wrong.';
comment on column ops.receipt_checks.heads is 'The hashes that no receipt followed.';
comment on column ops.receipt_checks.faults is 'The first of what was wrong, a list of {what, why}.';

create index receipt_checks_checked_idx on ops.receipt_checks (checked_at desc);

alter table ops.receipt_checks enable row level security;

create table ops.evidence_reviews (
    id uuid primary key,
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    reviewer text not null check (length(reviewer) between 1 and 200),
    note text check (length(note) <= 1000),
    receipts bigint not null check (receipts >= 0),
    first_sha256 text check (first_sha256 ~ '^[0-9a-f]{64}$'),
    last_sha256 text check (last_sha256 ~ '^[0-9a-f]{64}$'),
    root text not null check (root ~ '^[0-9a-f]{64}$'),
    reviewed_at timestamptz not null,
    check (ends_at > starts_at)
);

comment on table ops.evidence_reviews is 'Who signed off the receipts of a period.';
comment on column ops.evidence_reviews.reviewer is 'Who did. The receipt in the store tells it too, and for good.';
comment on column ops.evidence_reviews.first_sha256 is 'The hash of the first receipt of the period.';
comment on column ops.evidence_reviews.last_sha256 is 'The hash of the last one.';
comment on column ops.evidence_reviews.root is 'SHA-256 over the hashes of all of them, a line each, in the order of their paths.';

create index evidence_reviews_reviewed_idx on ops.evidence_reviews (reviewed_at desc);

alter table ops.evidence_reviews enable row level security;

-- It is replaced by one that allows more, so no row has to be read.
-- squawk-ignore ban-drop-constraint
alter domain ops.audit_action drop constraint audit_action_check;
-- squawk-ignore ban-alter-domain-with-add-constraint
alter domain ops.audit_action add constraint audit_action_check
    check (value in (
        'setting.changed', 'check.changed', 'alert.answered', 'incident.changed', 'status.written', 'role.granted', 'role.revoked',
        'role.found', 'key.added', 'key.rotated', 'key.revoked', 'access.refused', 'data.exported', 'data.erased',
        'data.shown', 'data.fetched', 'details.erased', 'database.restored', 'rows.restored', 'contact.changed',
        'consent.changed', 'request.refused', 'log.cut', 'backup.pinned', 'backup.unpinned', 'backup.put_back',
        'backup.pruned', 'evidence.reviewed'
    )) not valid;
