-- This file makes the tables of the on-call calendar: who has a role of the escalation matrix
-- at which time. A rotation says so by rule, a calendar from outside by its entries, and an
-- override by somebody's word; whoever is away has nothing.

create table ops.rotations (
    id uuid primary key,
    name text not null,
    role text not null references ops.contact_roles (role),
    updated_at timestamptz not null,
    updated_by text not null
);

comment on table ops.rotations is 'A role that is handed over from person to person. Several rotations may staff one role; whoever has one of them is asked.';

create unique index rotations_name_key on ops.rotations (lower(name));
create index rotations_role_idx on ops.rotations (role);

alter table ops.rotations enable row level security;

create table ops.rotation_layers (
    rotation uuid not null references ops.rotations (id) on delete cascade,
    layer integer not null check (layer between 1 and 20),
    unit text not null check (unit in ('day', 'week')),
    every integer not null check (every between 1 and 366),
    first_on date not null,
    hand_over time not null,
    zone text not null,
    hours_from time,
    hours_until time,
    primary key (rotation, layer),
    check (num_nulls(hours_from, hours_until) in (0, 2)),
    check (hours_from <> hours_until)
);

comment on table ops.rotation_layers is 'The parts of a rotation, each with people who take turns. The first layer whose hours hold a time has it, so that layers of several zones follow the sun.';
comment on column ops.rotation_layers.every is 'How many days or weeks a turn lasts.';
comment on column ops.rotation_layers.first_on is 'A day on which the turn passes to the first member. Turns are counted from it both ways, so that a rotation has neither a beginning nor an end.';
comment on column ops.rotation_layers.hand_over is 'When the turn passes on, by the clock of the zone. Where that time does not come, the turn passes when the clocks have moved; where it comes twice, the first time.';
comment on column ops.rotation_layers.zone is 'IANA name of the zone in which the days, the hand-over and the hours are meant.';
comment on column ops.rotation_layers.hours_from is 'When the layer begins each day; null if it has the whole day.';
comment on column ops.rotation_layers.hours_until is 'The end of its hours, excluded; if it is before hours_from it lies on the following day.';

alter table ops.rotation_layers enable row level security;

create table ops.rotation_members (
    rotation uuid not null,
    layer integer not null,
    place integer not null check (place > 0),
    contact uuid references ops.contacts (id) on delete set null,
    primary key (rotation, layer, place),
    foreign key (rotation, layer) references ops.rotation_layers (rotation, layer) on delete cascade
);

comment on table ops.rotation_members is 'Who takes turns in a layer, in this order.';
comment on column ops.rotation_members.contact is 'Null once the contact was removed: its turns go to the next one, and those of the others stay.';

create index rotation_members_contact_idx on ops.rotation_members (contact);

alter table ops.rotation_members enable row level security;

create table ops.oncall_overrides (
    id uuid primary key,
    rotation uuid not null references ops.rotations (id) on delete cascade,
    contact uuid not null references ops.contacts (id) on delete cascade,
    starts_at timestamptz not null,
    ends_at timestamptz not null check (ends_at > starts_at),
    swap uuid,
    reason text,
    created_at timestamptz not null,
    created_by text not null
);

comment on table ops.oncall_overrides is 'Somebody takes a rotation for a time, whatever it and its calendar say. Of several at a time the one that was made last counts.';
comment on column ops.oncall_overrides.swap is 'What both halves of a swap have in common.';

create index oncall_overrides_rotation_idx on ops.oncall_overrides (rotation, ends_at);
create index oncall_overrides_contact_idx on ops.oncall_overrides (contact);

alter table ops.oncall_overrides enable row level security;

create table ops.absences (
    id uuid primary key,
    contact uuid not null references ops.contacts (id) on delete cascade,
    starts_at timestamptz not null,
    ends_at timestamptz not null check (ends_at > starts_at),
    reason text,
    created_at timestamptz not null,
    created_by text not null
);

comment on table ops.absences is 'When a contact is away: its turns go to the next one in order, and its own hours do not count.';

create index absences_contact_idx on ops.absences (contact, ends_at);

alter table ops.absences enable row level security;

create table ops.calendars (
    rotation uuid primary key references ops.rotations (id) on delete cascade,
    url text not null,
    zone text not null,
    added_at timestamptz not null,
    added_by text not null,
    asked_at timestamptz,
    read_at timestamptz,
    failing_since timestamptz,
    error text,
    left_out jsonb not null default '[]'
);

comment on table ops.calendars is 'The iCalendar address of a rotation, and how reading it went. Its entries stay in force until it is read again.';
comment on column ops.calendars.url is 'The address, which may hold a secret and is told to nobody but the function that reads it.';
comment on column ops.calendars.zone is 'IANA name of the zone of whole days, and of times that name none.';
comment on column ops.calendars.asked_at is 'When a function last set out to read it.';
comment on column ops.calendars.read_at is 'When it was last read.';
comment on column ops.calendars.failing_since is 'Since when it cannot be read; null if the last reading was good.';
comment on column ops.calendars.left_out is 'Which of its events count for nothing, and why.';

alter table ops.calendars enable row level security;

create table ops.calendar_entries (
    rotation uuid not null references ops.calendars (rotation) on delete cascade,
    starts_at timestamptz not null,
    ends_at timestamptz not null check (ends_at > starts_at),
    contact uuid not null references ops.contacts (id) on delete cascade,
    primary key (rotation, starts_at, ends_at, contact)
);

comment on table ops.calendar_entries is 'Who has a rotation when, as its calendar said when it was last read. Of several at a time the one that begins last counts.';

create index calendar_entries_contact_idx on ops.calendar_entries (contact);

alter table ops.calendar_entries enable row level security;

comment on column ops.rules.signal is 'What the rule observes. check: a probe; traffic: figures over a window; database: the database''s own figures; job: the runs of jobs; delivery: the deliveries of messages; duty: the on-call calendar; security: who gets in and who may do what; event: a row of the application; notice: nothing, it is a message without an alert; external: what a caller raises; emergency: what a function hands over that could not reach the database.';
