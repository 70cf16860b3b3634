-- This file makes the tables of messages, of their deliveries, and of the channels that they
-- go to.

create table ops.outbox (
    id uuid primary key default gen_random_uuid(),
    kind ops.message_kind not null,
    channel ops.channel,
    severity ops.severity not null,
    alert uuid references ops.alerts (id),
    digest boolean not null default false,
    after uuid references ops.outbox (id),
    facts jsonb not null,
    status text not null default 'pending'
        check (status in ('pending', 'sent', 'dead', 'superseded')),
    attempts integer not null default 0,
    next_attempt_at timestamptz not null,
    lease uuid,
    leased_until timestamptz,
    created_at timestamptz not null,
    sent_at timestamptz,
    last_error text,
    provider_id text,
    bundle uuid,
    bundled_at timestamptz,
    stands_in_for uuid references ops.outbox (id),
    check ((kind = 'notice') = (alert is null)),
    check ((status = 'sent') = (sent_at is not null)),
    constraint outbox_bundle_check check ((bundle is null) = (bundled_at is null))
);

comment on table ops.outbox is 'Every message that was ever queued, one row for each channel.';
comment on column ops.outbox.channel is 'Null if no channel was configured; such a row is dead from the start.';
comment on column ops.outbox.digest is 'Whether it is sent together with others, at the hour of the digest.';
comment on column ops.outbox.after is 'The message that this resolution answers: it is due once a message to the same audience was sent, and superseded once all of them are dead.';
comment on column ops.outbox.facts is 'What the message is to say, as it was when it was queued; recipients says to whom, where that is not simply the usual readers of the channel.';
comment on column ops.outbox.status is 'superseded: it is not sent any more, because its alert was acknowledged or resolved before the first attempt, no message that it answers was sent, another message took its place, or the database was restored while it waited.';
comment on column ops.outbox.lease is 'The claim that holds the row until leased_until.';
comment on column ops.outbox.kind is
    'change: no message of its own, but how the first message on Slack reads from now on.';
comment on column ops.outbox.bundle is 'The group that it is sent with; null if it goes alone or with a digest.';
comment on column ops.outbox.stands_in_for is 'The message that its own channel did not take, and of which this one is a copy on another channel.';

create index outbox_due_idx on ops.outbox (next_attempt_at) where status = 'pending';
create index outbox_lease_idx on ops.outbox (lease) where lease is not null;
create index outbox_alert_idx on ops.outbox (alert, kind);
create index outbox_after_idx on ops.outbox (after) where after is not null;
create index outbox_dead_idx on ops.outbox (created_at desc) where status = 'dead';
create index outbox_sent_idx on ops.outbox (sent_at) where status = 'sent';
create unique index outbox_reminder_key on ops.outbox (alert, channel)
    where kind = 'reminder' and status = 'pending';
create index outbox_bundle_idx on ops.outbox (bundle) where bundle is not null;
create index outbox_bundled_idx on ops.outbox (channel, bundled_at) where bundle is not null;

-- Each message has at most one copy; a copy that fails too is copied once itself.
create unique index outbox_stands_in_key on ops.outbox (stands_in_for) where stands_in_for is not null;
create index outbox_channel_sent_idx on ops.outbox (channel, sent_at) where status = 'sent';
create index outbox_created_idx on ops.outbox (created_at desc);

alter table ops.outbox enable row level security;

create table ops.deliveries (
    id bigint generated always as identity primary key,
    message uuid not null references ops.outbox (id),
    lease uuid not null,
    attempt integer not null,
    started_at timestamptz not null,
    settled_at timestamptz,
    outcome ops.delivery_outcome,
    status_code integer,
    provider_id text,
    error text
);

comment on table ops.deliveries is 'Every attempt to send a message; one that was never settled was cut off.';

create unique index deliveries_lease_key on ops.deliveries (lease, message);
create index deliveries_message_idx on ops.deliveries (message, attempt);
create index deliveries_started_idx on ops.deliveries (started_at);

alter table ops.deliveries enable row level security;

create table ops.channels (
    channel ops.channel primary key,
    known_since timestamptz not null
);

comment on table ops.channels is 'The channels that were ever configured.';
comment on column ops.channels.known_since is 'Since when it has been configured; a monthly test that was due before is not queued.';

alter table ops.channels enable row level security;

create table ops.channel_proofs (
    message uuid primary key references ops.outbox (id),
    channel ops.channel not null references ops.channels (channel),
    month date,
    request uuid,
    queued_at timestamptz not null,
    check (num_nonnulls(month, request) = 1),
    unique (channel, month),
    unique (request, channel)
);

comment on table ops.channel_proofs is 'Every test of a channel.';
comment on column ops.channel_proofs.month is 'The month whose test this is; null for one that somebody asked for.';
comment on column ops.channel_proofs.request is 'The uuid that the caller made, so that a call whose answer was lost can be repeated; null for a monthly test.';

alter table ops.channel_proofs enable row level security;
