-- This file makes the table of what happened to each incident.

create table ops.incident_events (
    id bigint generated always as identity primary key,
    incident uuid not null references ops.incidents (id),
    at timestamptz not null,
    kind text not null check (kind in (
        'opened', 'reopened', 'alert_joined', 'severity_changed', 'state_changed', 'cause_changed',
        'resolved', 'reported', 'note', 'lesson', 'action', 'public_update'
    )),
    actor text,
    note text,
    detail jsonb not null default '{}',
    check (kind <> 'public_update' or (note is not null and detail ? 'state'))
);

comment on table ops.incident_events is 'What happened to each incident itself.';
comment on column ops.incident_events.kind is 'public_update: the note and the state are public, and nothing else ever is; action: something to be done, with its owner and day in detail.';
comment on column ops.incident_events.actor is 'Who did it; null for what happened by itself.';

create index incident_events_incident_idx on ops.incident_events (incident, at, id);

alter table ops.incident_events enable row level security;
