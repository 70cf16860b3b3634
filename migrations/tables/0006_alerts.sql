-- This file makes the tables of rules, of the alerts and incidents that they open, and of what
-- the state machine remembers.

create table ops.rules (
    rule text primary key,
    severity ops.severity,
    signal text not null,
    subject_kind text not null,
    bad_after integer check (bad_after > 0),
    good_after integer check (good_after > 0),
    affects text[] not null default '{}'
);

comment on table ops.rules is 'Every rule that may raise an alert or a notice; the runbook has an entry for each.';
comment on column ops.rules.severity is 'Null where each observation has its own.';
comment on column ops.rules.signal is 'What the rule observes. check: a probe; traffic: figures over a window; database: the database''s own figures; job: the runs of jobs; delivery: the deliveries of messages; security: who gets in and who may do what; event: a row of the application; notice: nothing, it is a message without an alert; external: what a caller raises; emergency: what a function hands over that could not reach the database.';
comment on column ops.rules.subject_kind is 'What a subject of this rule is.';
comment on column ops.rules.bad_after is 'Bad observations in a row that open an alert; null means the setting.';
comment on column ops.rules.good_after is 'Good observations in a row that resolve it; null means the setting.';
comment on column ops.rules.affects is 'Services that suffer; empty where the observation names its own.';

alter table ops.rules enable row level security;

create table ops.dependencies (
    id bigint generated always as identity primary key,
    rule text not null references ops.rules (rule),
    subject text,
    needs_rule text not null references ops.rules (rule),
    needs_subject text,
    same_subject boolean not null default false,
    enabled boolean not null default true,
    check (needs_subject is null or not same_subject),
    unique nulls not distinct (rule, subject, needs_rule, needs_subject)
);

comment on table ops.dependencies is 'Which alerts are consequences: an alert of rule (and subject) is held while needs_rule (and needs_subject) is bad.';
comment on column ops.dependencies.subject is 'Null means every subject of the rule, as needs_subject does.';
comment on column ops.dependencies.enabled is 'Set it to false to switch a default off; a row that is deleted comes back with the next release.';
comment on column ops.dependencies.same_subject is 'Whether only the same subject is needed: a page that is slow needs that this page is not down.';

create index dependencies_rule_idx on ops.dependencies (rule);
create index dependencies_needs_rule_idx on ops.dependencies (needs_rule);

alter table ops.dependencies enable row level security;

create table ops.incidents (
    id uuid primary key default gen_random_uuid(),
    number bigint generated always as identity unique,
    severity ops.severity not null,
    status ops.incident_state not null default 'investigating',
    started_at timestamptz not null,
    resolved_at timestamptz,
    rule text references ops.rules (rule),
    subject text,
    deployment_id text,
    commit_sha text,
    affects text[] not null default '{}',
    title text check (length(title) >= 1 and length(title) <= 500),
    opened_by text,
    resolved_by text,
    cause ops.incident_cause,
    services jsonb not null default '[]',
    began_after jsonb,
    updated_at timestamptz not null,
    updated_by text,
    check ((status = 'resolved') = (resolved_at is not null)),
    constraint incidents_resolved_by_check check (resolved_by is null or status = 'resolved'),
    -- An incident without a title is named after its first alert.
    constraint incidents_name_check check (title is not null or rule is not null)
);

comment on table ops.incidents is 'What people work on: critical and high alerts that were open at the same time, and what people reported.';
comment on column ops.incidents.number is 'The number by which people refer to it.';
comment on column ops.incidents.rule is 'Rule of the first alert; subject, deployment_id and commit_sha are that alert''s too.';
comment on column ops.incidents.title is 'The title that a person or a user''s report gave it; null for one that another alert opened.';
comment on column ops.incidents.opened_by is 'Who opened it; null if an alert did. Only people resolve an incident that people opened.';
comment on column ops.incidents.resolved_by is 'Who resolved it; null if its last alert did.';
comment on column ops.incidents.cause is 'Whose side it was on, as somebody set it; null leaves it to ops.probable_cause.';
comment on column ops.incidents.services is 'The worst that was known of each service as it began.';
comment on column ops.incidents.began_after is 'The deployment that was newest as it began; null if no change of deployment was seen.';
comment on column ops.incidents.updated_at is 'When it was changed last; every change sets it, and the timeline takes its time from it.';
comment on column ops.incidents.updated_by is 'Who changed it last; null for what happened by itself.';

create index incidents_open_idx on ops.incidents (started_at desc) where status <> 'resolved';
create index incidents_started_idx on ops.incidents (started_at desc);
create index incidents_rule_idx on ops.incidents (rule);
create index incidents_resolved_idx on ops.incidents (resolved_at) where status = 'resolved';

alter table ops.incidents enable row level security;

create table ops.alerts (
    id uuid primary key default gen_random_uuid(),
    fingerprint text not null check (length(fingerprint) between 1 and 1200),
    rule text not null references ops.rules (rule),
    subject text not null,
    severity ops.severity not null,
    status text not null default 'firing' check (status in ('firing', 'acknowledged', 'resolved')),
    source text not null check (source in ('monitor', 'app', 'external', 'emergency')),
    first_bad_at timestamptz not null,
    opened_at timestamptz not null,
    acknowledged_at timestamptz,
    acknowledged_by text,
    acknowledged_until timestamptz,
    resolved_at timestamptz,
    incident uuid references ops.incidents (id),
    facts jsonb not null,
    last_facts jsonb not null,
    occurrences bigint not null default 1,
    held_by jsonb,
    held_since timestamptz,
    held_until timestamptz,
    check ((status = 'resolved') = (resolved_at is not null)),
    constraint alerts_held_check check (num_nonnulls(held_by, held_since, held_until) in (0, 3))
);

comment on table ops.alerts is 'Every alert ever opened.';
comment on column ops.alerts.fingerprint is 'Identity: rule and subject, or source and type; never message text.';
comment on column ops.alerts.first_bad_at is 'Since when it has been bad; not later than opened_at.';
comment on column ops.alerts.facts is 'What was observed when it opened.';
comment on column ops.alerts.last_facts is 'What was observed last while it was bad.';
comment on column ops.alerts.occurrences is 'Bad observations, or events, since first_bad_at.';
comment on column ops.alerts.acknowledged_until is
    'When an acknowledgement ends by itself and the alert fires again.';
comment on column ops.alerts.held_by is 'Rule and subject of the cause, while the alert is held.';
comment on column ops.alerts.held_until is 'Until when it is held, unless a tick renews that.';

create unique index alerts_open_key on ops.alerts (fingerprint) where status <> 'resolved';
create index alerts_opened_idx on ops.alerts (opened_at desc);
create index alerts_incident_idx on ops.alerts (incident);
create index alerts_rule_idx on ops.alerts (rule, opened_at desc);
create index alerts_fingerprint_idx on ops.alerts (fingerprint, opened_at desc);
create index alerts_acknowledged_idx on ops.alerts (acknowledged_until) where status = 'acknowledged';
create index alerts_held_idx on ops.alerts (held_until) where held_until is not null;
create index alerts_resolved_idx on ops.alerts (resolved_at) where status = 'resolved';

alter table ops.alerts enable row level security;

create table ops.alert_states (
    fingerprint text primary key,
    rule text not null references ops.rules (rule),
    subject text not null,
    phase text not null default 'quiet' check (phase in ('quiet', 'firing')),
    bad_count integer not null default 0,
    good_count integer not null default 0,
    first_bad_at timestamptz,
    last_bad_at timestamptz,
    last_observed_at timestamptz,
    last_fence bigint,
    alert uuid references ops.alerts (id)
);

comment on table ops.alert_states is 'What the state machine remembers: one row for each fingerprint that fires or has bad observations.';
comment on column ops.alert_states.bad_count is 'Bad observations in a row.';
comment on column ops.alert_states.good_count is 'Good observations in a row while firing.';
comment on column ops.alert_states.last_fence is 'Fence of the run that observed last; an observation whose fence is not newer is ignored.';

create index alert_states_rule_idx on ops.alert_states (rule);
create index alert_states_alert_idx on ops.alert_states (alert);

alter table ops.alert_states enable row level security;

create table ops.alert_events (
    id bigint generated always as identity primary key,
    alert uuid not null references ops.alerts (id),
    at timestamptz not null,
    kind text not null check (kind in (
        'opened', 'resolved', 'escalated', 'acknowledged', 'acknowledgement_ended',
        'unacknowledged', 'snoozed', 'silenced', 'closed'
    )),
    actor text,
    note text,
    detail jsonb not null default '{}'
);

comment on table ops.alert_events is 'The timeline of each alert.';
comment on column ops.alert_events.kind is 'closed: a person resolved it, and resolved follows; acknowledgement_ended: the alert was not resolved in time.';
comment on column ops.alert_events.actor is 'Who did it; null for what happened by itself.';
comment on column ops.alert_events.detail is 'What else is known, such as until when, which level, or whom.';

create index alert_events_alert_idx on ops.alert_events (alert, at, id);

alter table ops.alert_events enable row level security;

create table ops.silences (
    id uuid primary key,
    rule text,
    subject text,
    fingerprint text,
    reason text not null check (length(btrim(reason)) between 1 and 1000),
    author text not null check (length(btrim(author)) between 1 and 200),
    created_at timestamptz not null,
    ends_at timestamptz not null,
    ended_by text,
    check (num_nonnulls(rule, subject, fingerprint) > 0),
    check (ends_at >= created_at)
);

comment on table ops.silences is 'Which alerts are silenced, until when, why, and by whom.';
comment on column ops.silences.rule is 'An alert must match the rule, the subject and the fingerprint, as far as they are given.';
comment on column ops.silences.ends_at is 'When it ends; moved to the time at which somebody ended it.';

create index silences_ends_idx on ops.silences (ends_at);

alter table ops.silences enable row level security;

create table ops.noticed_events (
    source ops.event_source not null,
    id uuid not null,
    at timestamptz not null,
    fresh boolean not null,
    primary key (source, id)
);

comment on table ops.noticed_events is 'Rows of the application that were noticed of late.';
comment on column ops.noticed_events.source is 'The table of the application; id is that of its row.';
comment on column ops.noticed_events.at is 'When it happened, as the row says.';
comment on column ops.noticed_events.fresh is 'Whether the newest tick noticed it and counts it; false once it was counted.';

create index noticed_events_at_idx on ops.noticed_events (at);
create index noticed_events_fresh_idx on ops.noticed_events (source) where fresh;

alter table ops.noticed_events enable row level security;
