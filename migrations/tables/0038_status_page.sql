-- The public status page: what it is about, what people said of it, and who wants to hear.

create domain ops.component_state as text
    check (value in ('operational', 'maintenance', 'degraded', 'partial_outage', 'major_outage', 'unknown'));

comment on domain ops.component_state is 'How a component of the status page is, from best to worst; unknown: nothing says.';

create domain ops.subscriber_kind as text
    check (value in ('email', 'push'));

comment on domain ops.subscriber_kind is 'How a subscriber of the status page is reached.';

create table ops.components (
    slug text primary key check (slug ~ '^[a-z0-9][a-z0-9-]{0,49}$'),
    name text not null check (length(name) between 1 and 100),
    description text check (length(description) between 1 and 500),
    position integer not null check (position between 0 and 10000),
    in_group text check (length(in_group) between 1 and 100),
    services text[] not null default '{}',
    checks text[] not null default '{}',
    state ops.component_state check (state <> 'unknown'),
    note text check (length(note) between 1 and 500),
    said_at timestamptz,
    said_by text,
    said_until timestamptz,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    updated_by text not null,
    check (num_nulls(state, said_at, said_by, said_until) in (0, 4)),
    check (note is null or state is not null)
);

comment on table ops.components is 'What the status page shows, each named after what people do. Without any row the page shows the services that are watched.';
comment on column ops.components.slug is 'The public name in addresses. It never changes.';
comment on column ops.components.services is 'The services that it needs.';
comment on column ops.components.checks is 'The custom checks, by name, that measure it.';
comment on column ops.components.state is 'What somebody said that it is; null leaves it to what is measured.';
comment on column ops.components.note is 'What the page says about that. Without a note, a state that is better than what is measured does not count.';
comment on column ops.components.said_until is 'When what somebody said no longer counts.';

alter table ops.components enable row level security;

create table ops.component_changes (
    id bigint generated always as identity primary key,
    at timestamptz not null,
    slug text not null,
    name text not null,
    old_state ops.component_state,
    state ops.component_state not null
);

comment on table ops.component_changes is 'How components changed, as deliveries saw it. A time at which nothing was known is no change.';
comment on column ops.component_changes.old_state is 'Null where the component was seen for the first time.';

create index component_changes_slug_idx on ops.component_changes (slug, id desc);
create index component_changes_at_idx on ops.component_changes (at);

alter table ops.component_changes enable row level security;

alter table ops.incidents add column public_title text
    check (length(public_title) between 1 and 200);

comment on column ops.incidents.public_title is 'What everybody may read as its title; null leaves it to the components that suffer.';

create index incident_events_public_idx on ops.incident_events (at) where kind = 'public_update';

alter table ops.maintenance_windows add column public_title text
    check (length(public_title) between 1 and 200);
alter table ops.maintenance_windows add column public_words text
    check (length(public_words) between 1 and 2000);
alter table ops.maintenance_windows add column published_at timestamptz;
alter table ops.maintenance_windows add column public_changes integer not null default 0;
alter table ops.maintenance_windows add constraint maintenance_windows_public_check
    check (num_nulls(public_words, published_at) in (0, 2) and (public_title is null or public_words is not null))
    not valid;

comment on column ops.maintenance_windows.public_words is 'What the status page says of it; null keeps it to ourselves.';
comment on column ops.maintenance_windows.published_at is 'When these words became public.';
comment on column ops.maintenance_windows.public_changes is 'How often what is public of it was changed.';

create table ops.subscribers (
    id uuid primary key,
    kind ops.subscriber_kind not null,
    address_hash text not null check (address_hash ~ '^[0-9a-f]{64}$'),
    address text check (length(address) between 1 and 4000),
    components text[] not null default '{}',
    confirm_hash text unique check (confirm_hash ~ '^[0-9a-f]{64}$'),
    confirm_until timestamptz,
    asked_at timestamptz not null,
    confirmed_at timestamptz,
    ended_at timestamptz,
    ended_because text check (ended_because in ('unsubscribed', 'refused', 'unconfirmed')),
    refusals integer not null default 0,
    unique (kind, address_hash),
    check ((ended_at is null) = (ended_because is null)),
    check ((ended_at is null) = (address is not null)),
    check ((confirm_hash is null) = (confirm_until is null))
);

comment on table ops.subscribers is 'Who hears of changes of the status page. Whoever ended it leaves a hash and no address.';
comment on column ops.subscribers.address_hash is 'A keyed hash: it finds the address again and does not tell it.';
comment on column ops.subscribers.address is 'The address, or a browser''s subscription, encrypted under a key that the database does not have.';
comment on column ops.subscribers.components is 'The slugs of the components of which it hears; none means all.';
comment on column ops.subscribers.confirm_hash is 'The SHA-256 of the token that confirms it, which acts once.';
comment on column ops.subscribers.asked_at is 'When somebody asked for it last.';
comment on column ops.subscribers.refusals is 'Messages in a row that its address refused.';

create index subscribers_heard_idx on ops.subscribers (confirmed_at) where ended_at is null;

alter table ops.subscribers enable row level security;

create table ops.subscriber_messages (
    id uuid primary key,
    subscriber uuid not null references ops.subscribers (id) on delete cascade,
    about text not null check (length(about) between 1 and 200),
    facts jsonb not null,
    created_at timestamptz not null,
    next_attempt_at timestamptz not null,
    attempts integer not null default 0,
    lease uuid,
    leased_until timestamptz,
    status text not null default 'pending' check (status in ('pending', 'sent', 'dead')),
    settled_at timestamptz,
    unique (subscriber, about),
    check ((lease is null) = (leased_until is null)),
    check ((status = 'pending') = (settled_at is null))
);

comment on table ops.subscriber_messages is 'What subscribers are sent: a row for each and each piece of news, as facts.';
comment on column ops.subscriber_messages.about is 'What it tells, so that nobody is told twice.';

create index subscriber_messages_due_idx on ops.subscriber_messages (next_attempt_at) where status = 'pending';
create index subscriber_messages_about_idx on ops.subscriber_messages (about);
create index subscriber_messages_time_idx on ops.subscriber_messages (created_at);

alter table ops.subscriber_messages enable row level security;

create table ops.subscription_requests (
    client text not null check (length(client) between 1 and 64),
    hour timestamptz not null,
    requests integer not null,
    primary key (client, hour)
);

comment on table ops.subscription_requests is 'How often somebody asked for a subscription in an hour, by a keyed hash of the client, and all together as all.';

create index subscription_requests_hour_idx on ops.subscription_requests (hour);

alter table ops.subscription_requests enable row level security;

create table ops.status_copies (
    place text primary key check (length(place) between 1 and 64),
    fingerprint text,
    written_at timestamptz,
    leased_until timestamptz,
    failing_since timestamptz
);

comment on table ops.status_copies is 'The copy of the status page that lies outside: what it shows and when it was written.';
comment on column ops.status_copies.failing_since is 'Since when it cannot be written; null if it can.';

alter table ops.status_copies enable row level security;
