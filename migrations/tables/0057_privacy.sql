-- What people may ask of whoever keeps their data: who was erased, and what each agrees to.

create domain ops.consent_purpose as text
    check (value ~ '^[a-z][a-z0-9_]{0,39}$');

comment on domain ops.consent_purpose is 'What somebody agrees to or not. analytics is what the door obeys; others are the application''s.';

create table ops.erasures (
    id uuid primary key,
    subject text not null check (subject ~ '^[0-9a-f]{64}$'),
    decided_at timestamptz not null,
    erased_at timestamptz not null,
    proof text,
    signature text,
    check ((proof is null) = (signature is null))
);

comment on table ops.erasures is 'Who was erased, as a keyed hash of the number of the account, and the proof of it.';
comment on column ops.erasures.id is 'Names the object beside the backups, too.';
comment on column ops.erasures.subject is 'Finds somebody again who asks once more, and does not tell who it was.';
comment on column ops.erasures.proof is 'What was done, as it was signed; null where whoever erased was killed before.';
comment on column ops.erasures.signature is 'The Ed25519 signature of the proof, in base64.';

create index erasures_subject_idx on ops.erasures (subject, erased_at desc);

alter table ops.erasures enable row level security;

create table ops.consents (
    person text not null check (length(person) between 1 and 200),
    purpose ops.consent_purpose not null,
    at timestamptz not null,
    granted boolean not null,
    said_by text not null check (said_by in ('user', 'operator')),
    primary key (person, purpose, at)
);

comment on table ops.consents is 'What people agreed to and what they refused, each time that they said so; the newest counts.';
comment on column ops.consents.person is 'The number of the account.';
comment on column ops.consents.said_by is 'user: they themselves; operator: by the command, for them.';

alter table ops.consents enable row level security;

create table ops.privacy_requests (
    id uuid primary key,
    person text not null check (length(person) between 1 and 200),
    kind text not null check (kind in ('export', 'erasure')),
    asked_at timestamptz not null,
    closed_at timestamptz,
    outcome text check (outcome in ('done', 'refused')),
    check ((closed_at is null) = (outcome is null))
);

comment on table ops.privacy_requests is 'What people asked for of what is held of them, and what became of it. Whoever is erased leaves none.';
comment on column ops.privacy_requests.person is 'The number of the account.';

create unique index privacy_requests_open_idx on ops.privacy_requests (person, kind) where closed_at is null;

alter table ops.privacy_requests enable row level security;
