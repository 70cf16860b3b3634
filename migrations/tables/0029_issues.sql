-- Errors as issues: what came in by the door as an error, together with all that are the same.

create table ops.releases (
    environment text not null,
    release text not null,
    first_seen timestamptz not null,
    primary key (environment, release)
);

comment on table ops.releases is 'Which versions of the app have sent something, and when each did first.';

alter table ops.releases enable row level security;

create table ops.issues (
    id uuid primary key,
    environment text not null,
    key text not null,
    title text not null,
    culprit text not null,
    category text not null,
    severity ops.severity not null,
    status text not null check (status in ('open', 'resolved', 'ignored')),
    events bigint not null,
    people bigint not null,
    first_seen timestamptz not null,
    last_seen timestamptz not null,
    first_release text,
    last_release text,
    changed_at timestamptz not null,
    changed_by text,
    ignored_until timestamptz,
    regressed_at timestamptz,
    unique (environment, key)
);

comment on table ops.issues is 'Errors that are the same, as one. They are the same where their key is, which the door makes.';
comment on column ops.issues.title is 'The newest one''s.';
comment on column ops.issues.severity is 'The worst one''s.';
comment on column ops.issues.people is 'How many people it met, up to 10,000.';
comment on column ops.issues.changed_at is 'Since when it has its status.';
comment on column ops.issues.changed_by is 'Who gave it its status; null where it was opened or came back by itself.';
comment on column ops.issues.ignored_until is 'When an ignored issue that happens again is open again; null for never.';
comment on column ops.issues.regressed_at is 'When it last came back after it was resolved.';

create index issues_seen_idx on ops.issues (environment, status, last_seen desc);

alter table ops.issues enable row level security;

create table ops.issue_hours (
    issue uuid not null references ops.issues (id) on delete cascade,
    hour timestamptz not null,
    events bigint not null,
    primary key (issue, hour)
);

comment on table ops.issue_hours is 'How often each issue happened in each hour.';

create index issue_hours_hour_idx on ops.issue_hours (hour);

alter table ops.issue_hours enable row level security;

create table ops.issue_people (
    issue uuid not null references ops.issues (id) on delete cascade,
    person text not null,
    primary key (issue, person)
);

comment on table ops.issue_people is 'Whom each issue met.';

alter table ops.issue_people enable row level security;

create index items_issue_idx on ops.items ((detail #>> '{issue,key}'), at) where kind = 'error';
