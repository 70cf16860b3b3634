-- What people wrote about the app: their words outlive the item that brought them, until
-- somebody has dealt with them.

create table ops.feedback (
    id uuid primary key,
    at timestamptz not null,
    key integer not null,
    source text not null,
    environment text not null,
    release text,
    person text,
    page text,
    message text not null check (length(message) between 1 and 8192),
    contact text check (length(contact) between 1 and 254),
    issue uuid references ops.issues (id) on delete set null,
    incident uuid references ops.incidents (id) on delete set null,
    status text not null check (status in ('open', 'closed')),
    answer text,
    answered_at timestamptz,
    answered_by text,
    mailed_at timestamptz,
    closed_at timestamptz,
    closed_by text,
    note text,
    check ((answer is null) = (answered_at is null)),
    check ((status = 'closed') = (closed_at is not null)),
    -- It is kept for answering alone.
    check (status = 'open' or contact is null)
);

comment on table ops.feedback is 'What people wrote, and what was done about it.';
comment on column ops.feedback.id is 'That of the item that brought it.';
comment on column ops.feedback.key is 'The number of the project key that brought it.';
comment on column ops.feedback.contact is 'Where the person wants to be answered, mostly an address of mail; erased when it is closed.';
comment on column ops.feedback.issue is 'The error that it is about, as far as its client says.';
comment on column ops.feedback.incident is 'The incident that was open when it was written.';
comment on column ops.feedback.mailed_at is 'When the answer was handed to the provider of mail; null where it was not.';

create index feedback_time_idx on ops.feedback (status, at desc);
create index feedback_key_idx on ops.feedback (key, at);
create index feedback_issue_idx on ops.feedback (issue) where issue is not null;
create index feedback_incident_idx on ops.feedback (incident) where incident is not null;

alter table ops.feedback enable row level security;
