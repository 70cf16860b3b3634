-- What people ask to be handed out is made without an operator and fetched once, and how far
-- addresses of networks in the application's tables are shortened.

alter table ops.privacy_requests
    add column tries integer not null default 0,
    add column trouble text;

comment on column ops.privacy_requests.tries is 'How often it was tried to do it without an operator.';
comment on column ops.privacy_requests.trouble is 'Why that did not work last; null where it was not tried.';

create table ops.exports (
    id uuid primary key,
    person text check (length(person) between 1 and 200),
    token_hash text not null unique check (token_hash ~ '^[0-9a-f]{64}$'),
    begun_at timestamptz not null,
    ready_at timestamptz,
    expires_at timestamptz not null,
    bytes bigint,
    fetched_at timestamptz,
    removed_at timestamptz,
    check ((ready_at is null) = (bytes is null))
);

comment on table ops.exports is 'What was made for somebody who asked what is held of them. The file lies in Storage, in a bucket that nobody reads without a signed URL, under the id.';
comment on column ops.exports.person is 'The number of the account; null once they were erased, whose file goes at once.';
comment on column ops.exports.token_hash is 'SHA-256 of what the link holds, in hexadecimal.';
comment on column ops.exports.begun_at is 'When it was begun; whoever makes it may be killed before the file is there.';
comment on column ops.exports.fetched_at is 'When the link was used, which works once.';
comment on column ops.exports.removed_at is 'When the file was deleted.';

create index exports_person_idx on ops.exports (person, begun_at desc);
create index exports_kept_idx on ops.exports (expires_at) where removed_at is null;

alter table ops.exports enable row level security;

alter table ops.kept_tables add column shortened_to timestamptz;

comment on column ops.kept_tables.shortened_to is 'Up to which time the addresses of networks in its rows are shortened; null before the first time.';
