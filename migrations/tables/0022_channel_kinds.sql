-- A channel is a row, so that another one needs no other function; and contacts have an
-- address on any channel that wants one.

create table ops.channel_kinds (
    channel text primary key check (channel ~ '^[a-z]{2,20}$'),
    place integer not null,
    reach text not null check (reach in ('room', 'mail', 'pager', 'phone', 'call', 'machine')),
    follows boolean not null,
    address text,
    address_pattern text,
    check ((address is null) = (address_pattern is null))
);

comment on table ops.channel_kinds is 'The channels that this release knows, a row each.';
comment on column ops.channel_kinds.place is 'The channel of the lowest place is preferred.';
comment on column ops.channel_kinds.reach is 'Who reads it. room: whoever is there, and a message scrolls away; mail: its usual readers and whom it is addressed to; pager: whoever the provider wakes; phone: whom it is addressed to alone, who is woken; call: the same, by a voice, and nobody is called to hear that something is over; machine: nobody knows.';
comment on column ops.channel_kinds.follows is 'Whether the first message about an alert is kept as the alert stands, where the provider named it.';
comment on column ops.channel_kinds.address is 'What the address of a person on this channel is, in words; null if it has none.';
comment on column ops.channel_kinds.address_pattern is 'The regular expression that such an address matches.';

alter table ops.channel_kinds enable row level security;

-- The functions of the release before write to these before the others are there.
insert into ops.channel_kinds (channel, place, reach, follows)
values
    ('slack', 1, 'room', true),
    ('email', 2, 'mail', false),
    ('discord', 3, 'room', false),
    ('webhook', 4, 'machine', false);

-- Rows of the past hold one of these.
alter table ops.outbox add constraint outbox_channel_fkey
    foreign key (channel) references ops.channel_kinds (channel) not valid;

-- The functions of the release before read the channels out of this domain, so it goes on
-- listing those that they know.
-- squawk-ignore ban-drop-constraint
alter domain ops.channel drop constraint channel_check;
-- squawk-ignore ban-alter-domain-with-add-constraint
alter domain ops.channel add constraint channel_check
    check (value in ('slack', 'email', 'discord', 'webhook') or length(value) between 2 and 20) not valid;

comment on domain ops.channel is 'Where messages go: a channel of ops.channel_kinds.';

alter table ops.contacts add column addresses jsonb not null default '{}';
alter table ops.contacts add column addresses_proven jsonb not null default '{}';

comment on column ops.contacts.addresses is 'The addresses on channels other than email and Slack, by channel.';
comment on column ops.contacts.addresses_proven is 'When a message to each of these addresses was last accepted, by channel; without the channel where that is not so since the address changed.';
