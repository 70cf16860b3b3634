-- Checks, what was observed of them, and the facts that a tick notes of the database.

create table ops.checks (
    name text primary key check (length(name) between 1 and 1100),
    kind ops.check_kind not null,
    service text not null check (length(service) between 1 and 50),
    every_seconds integer not null check (every_seconds between 1 and 31622400),
    critical boolean not null,
    environment text not null,
    created_at timestamptz not null,
    last_seen_at timestamptz not null,
    first_up_at timestamptz
);

comment on table ops.checks is 'Everything that is checked. The ticks that report a check register it.';
comment on column ops.checks.kind is 'An aggregate is derived from other checks in SQL: app, for example, is the worst of all checked URLs.';
comment on column ops.checks.last_seen_at is 'When the newest tick that reported the check was made.';
comment on column ops.checks.first_up_at is 'When the check was first up; null if it never was.';

alter table ops.checks enable row level security;

create table ops.samples (
    id bigint generated always as identity primary key,
    check_name text not null,
    at timestamptz not null,
    status ops.check_status not null,
    valid_seconds integer not null check (valid_seconds > 0),
    latency_ms numeric,
    reason text,
    run uuid not null,
    environment text not null,
    deployment_id text,
    commit_sha text,
    region text,
    detail jsonb not null default '{}'
);

comment on table ops.samples is 'Every observation of every check. There are no foreign keys, because one row for each check and minute has to be cheap.';
comment on column ops.samples.valid_seconds is 'How long the sample says something about the check: twice the interval at which it was taken.';
comment on column ops.samples.reason is 'Why the check was not up, as one of a few words: timeout, dns, connect, tls, http_status, text, auth, quota, config and the like.';

create index samples_check_idx
    on ops.samples (check_name, at desc, id desc) include (status, valid_seconds);

alter table ops.samples enable row level security;

create table ops.custom_checks (
    name text primary key check (name ~ '^[a-z0-9][a-z0-9-]{0,49}$'),
    check_name text not null generated always as ('check:' || name) stored unique,
    kind ops.check_kind not null check (kind not in ('app', 'dependency', 'certificate', 'aggregate')),
    spec jsonb not null,
    every_seconds integer not null default 60 check (every_seconds between 60 and 86400),
    timeout_ms integer not null default 10000 check (timeout_ms between 100 and 10000),
    severity ops.severity not null default 'high',
    enabled boolean not null default true,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    updated_by text not null default session_user
);

comment on table ops.custom_checks is 'Custom checks: what an operator has checked beside the URLs of the settings.';
comment on column ops.custom_checks.check_name is 'The name of the custom check among all checks; its samples are stored under it.';
comment on column ops.custom_checks.kind is 'The function probes checks of the kinds http, tls, dns and tcp; a tick reads heartbeat and rule from the database.';
comment on column ops.custom_checks.spec is 'What the check asks and expects. ops.find_spec_fault knows what each kind needs.';
comment on column ops.custom_checks.every_seconds is 'How often the check is probed, at most once a tick; every tick reads heartbeats and rules.';
comment on column ops.custom_checks.severity is 'The severity of the alert that opens when the check fails.';

alter table ops.custom_checks enable row level security;

create table ops.check_changes (
    id bigint generated always as identity primary key,
    name text not null,
    change text not null check (change in ('added', 'edited', 'removed')),
    old_value jsonb,
    new_value jsonb,
    changed_at timestamptz not null,
    changed_by text not null
);

comment on table ops.check_changes is 'Every change of a custom check: its old and new value, its author and its time. The rows outlive the check.';

create index check_changes_name_idx on ops.check_changes (name, changed_at desc);

alter table ops.check_changes enable row level security;

create table ops.heartbeats (
    name text primary key references ops.custom_checks (name) on delete cascade,
    token_hash text not null unique check (token_hash ~ '^[0-9a-f]{64}$'),
    first_at timestamptz,
    started_at timestamptz,
    succeeded_at timestamptz,
    failed_at timestamptz
);

comment on table ops.heartbeats is 'What each heartbeat reported last, and the hash of the token that its job reports with.';
comment on column ops.heartbeats.token_hash is 'The SHA-256 of the token in hexadecimal; the token itself is shown once, when it is issued.';
comment on column ops.heartbeats.first_at is 'When the first report ever came; before it the job is not set up and cannot be late.';

alter table ops.heartbeats enable row level security;

create table ops.facts (
    name text primary key check (length(name) between 1 and 50),
    value jsonb,
    previous jsonb,
    noted_at timestamptz not null,
    previous_at timestamptz,
    changed_at timestamptz not null
);

comment on table ops.facts is 'What a tick noted of the database, and what the tick before it had noted.';
comment on column ops.facts.value is 'Null where the source of the fact is absent or may not be read.';
comment on column ops.facts.changed_at is 'Since when the value has been as it is.';

alter table ops.facts enable row level security;
