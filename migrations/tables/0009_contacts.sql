-- This file makes the tables of contacts, whom alerts may ask for, and of the ladder of each
-- alert.

create table ops.contact_roles (
    role text primary key,
    level integer not null check (level between 1 and 4),
    after_minutes integer not null check (after_minutes >= 0)
);

comment on table ops.contact_roles is 'The escalation matrix: which role is asked at which level, after how many minutes of a critical alert that nobody acknowledges.';
comment on column ops.contact_roles.after_minutes is 'Minutes from the opening of the alert; a level begins with the smallest of its roles.';

alter table ops.contact_roles enable row level security;

create table ops.contacts (
    id uuid primary key,
    name text not null,
    role text not null references ops.contact_roles (role),
    email text,
    slack_id text,
    days integer[],
    hours_from time,
    hours_until time,
    zone text not null default 'UTC',
    email_proven_at timestamptz,
    slack_proven_at timestamptz,
    updated_at timestamptz not null,
    updated_by text not null
);

comment on table ops.contacts is 'The people whom an alert may ask for.';
comment on column ops.contacts.slack_id is 'Member (U…, W…) or user group (S…) that a Slack message mentions.';
comment on column ops.contacts.days is 'Days on which the hours begin, 1 for Monday to 7 for Sunday; null means always on duty.';
comment on column ops.contacts.hours_until is 'The end of the hours, excluded; if it is before hours_from it lies on the following day.';
comment on column ops.contacts.zone is 'IANA name of the zone in which the hours are meant.';
comment on column ops.contacts.email_proven_at is 'When a message to this address was last accepted; null after the address changed.';

create unique index contacts_name_key on ops.contacts (lower(name));
create index contacts_role_idx on ops.contacts (role);

alter table ops.contacts enable row level security;

create table ops.escalations (
    id bigint generated always as identity primary key,
    alert uuid not null references ops.alerts (id),
    severity ops.severity not null check (severity in ('critical', 'high')),
    level integer check (level between 1 and 4),
    due_at timestamptz not null,
    person jsonb,
    passed integer[] not null default '{}',
    status text not null default 'waiting' check (status in ('waiting', 'told', 'stopped')),
    told_at timestamptz,
    check ((level is null) = (person is null)),
    check ((status = 'told') = (told_at is not null))
);

comment on table ops.escalations is 'The ladder of each alert: one row for each person, made when the ladder was planned.';
comment on column ops.escalations.severity is 'Severity of the alert when this was planned; an alert that becomes worse gets another plan.';
comment on column ops.escalations.level is 'The level that is asked; null for the email that a high alert adds.';
comment on column ops.escalations.person is 'The contact as it was when the ladder was planned.';
comment on column ops.escalations.passed is 'Levels that had nobody, whose place this one takes.';
comment on column ops.escalations.status is 'told: a message to the person was queued; stopped: the alert resolved or got another plan before the step was due.';

create index escalations_alert_idx on ops.escalations (alert, due_at);
create index escalations_waiting_idx on ops.escalations (due_at) where status = 'waiting';

alter table ops.escalations enable row level security;
