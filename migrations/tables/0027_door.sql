-- The door for what apps and platforms send: its keys, what it let in, and what it counted.
-- Nothing that an app sends here reaches a table of the app.

create table ops.door_keys (
    id integer primary key check (id > 0),
    name text not null,
    origins text[] not null default '{}',
    items_a_minute integer not null check (items_a_minute between 1 and 1000000),
    items_a_day bigint not null check (items_a_day between 1 and 1000000000),
    created_at timestamptz not null,
    created_by text not null,
    revoked_at timestamptz
);

comment on table ops.door_keys is 'The project keys of the door. A key proves itself: it is signed, and only its number is kept here.';
comment on column ops.door_keys.origins is 'The pages that may send with it, such as https://wine.example; empty means any.';
comment on column ops.door_keys.items_a_minute is 'How many items it may bring in a minute; check-ins are spared.';

alter table ops.door_keys enable row level security;

create table ops.door_counts (
    key integer not null references ops.door_keys (id),
    span text not null check (span in ('minute', 'day')),
    begins_at timestamptz not null,
    taken bigint not null,
    refused bigint not null,
    primary key (key, span, begins_at)
);

comment on table ops.door_counts is 'How many items each key brought in each minute and day, and how many were too many.';

create index door_counts_time_idx on ops.door_counts (begins_at);

alter table ops.door_counts enable row level security;

create table ops.door_drops (
    at timestamptz not null,
    key integer not null,
    source text not null,
    reason text not null,
    items bigint not null,
    primary key (at, key, source, reason)
);

comment on table ops.door_drops is 'What was not taken, by hour and reason: what clients say that they dropped, kinds that are not kept, items that could not be read.';

alter table ops.door_drops enable row level security;

create domain ops.item_kind as text
    check (value in (
        'error', 'request', 'span', 'page_view', 'event', 'web_vital', 'session', 'metric', 'feedback', 'report'
    ));

comment on domain ops.item_kind is 'What came in by the door. request: one that the app answered; span: one that it made; metric: a number that it counts itself; report: what a browser reports by itself.';

create table ops.items (
    day date not null,
    id uuid not null,
    kind ops.item_kind not null,
    at timestamptz not null,
    received_at timestamptz not null,
    source text not null,
    key integer not null,
    environment text not null check (environment in ('development', 'preview', 'production')),
    release text,
    name text not null,
    method text,
    status integer,
    value float8 check (value > '-Infinity' and value < 'Infinity'),
    person text,
    session text,
    detail jsonb not null,
    primary key (day, id)
) partition by range (day);

comment on table ops.items is 'What came in by the door, a row each, a partition a day.';
comment on column ops.items.day is 'The day of at, in UTC.';
comment on column ops.items.at is 'When it happened, by the client''s clock as corrected and within 7 days before it was received.';
comment on column ops.items.name is 'What it is of: an endpoint without its query, a page''s path, an event, a metric, a Web Vital, the type of an error or report.';
comment on column ops.items.value is 'Milliseconds of a request or span; the number of a Web Vital or metric; seconds of a session.';
comment on column ops.items.person is 'The user''s id as the app sent it, or else the keyed hash of a visitor of one day.';
comment on column ops.items.detail is 'The rest, bounded and without what may be secret or personal.';

create index items_kind_idx on ops.items (kind, at);

alter table ops.items enable row level security;

create table ops.visitor_keys (
    day date primary key,
    key text not null
);

comment on table ops.visitor_keys is 'What turns the address and browser of a visitor into a hash, a random text for each day. It is deleted after its day, and then nobody can tell who it was.';

alter table ops.visitor_keys enable row level security;
