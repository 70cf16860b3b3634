-- This file makes the tables of figures: what the application writes, counted once and for
-- good, so that no reader reads its rows.
--
-- Triggers on the application's tables write into pending_figures, in the writer's own
-- transaction, so that a figure becomes visible exactly when its row does. The roll-up takes
-- rows away there and adds them to figures, in one transaction, so that each is counted once
-- whatever happens and whenever. Rows of before the triggers are counted from counted_tables.
-- ops.request_hours is read once more, for hours whose rows the application has deleted, and
-- goes with a later release.

set local search_path = '';
-- The notice "already exists, skipping" is expected here.
set local client_min_messages = warning;

create domain ops.figure_kind as text
    check (value in (
        'request', 'requests', 'event', 'error', 'errors', 'metric', 'page', 'business', 'feature', 'session',
        'people', 'visit', 'active'
    ));

comment on domain ops.figure_kind is 'What a figure is of. request: an endpoint, requests: all together; error: a kind of message, errors: a category; metric: a measurement, page: a Web Vital of a page; session: a row of user_sessions; people: who caused the others; visit: session ids of events, each where it begins; active: how many people there were on a day.';

create table ops.pending_figures (
    id bigint generated always as identity primary key,
    kind ops.figure_kind not null,
    environment text not null,
    name text not null,
    part text not null,
    category text not null default '',
    at timestamptz not null,
    n bigint not null,
    tallies bigint[] not null,
    fast bigint not null,
    left_out bigint not null,
    measured bigint not null,
    total numeric not null,
    low numeric,
    high numeric,
    latest numeric,
    first_at timestamptz,
    last_at timestamptz,
    -- A bucket is a number from -2000 to 1400, and there are very many of them.
    -- squawk-ignore prefer-bigint-over-smallint
    buckets smallint[] not null,
    counts bigint[] not null,
    sample text,
    people bigint[] not null,
    sessions bigint[] not null
);

comment on table ops.pending_figures is 'Figures that are not rolled up yet: one row for each minute and key of a statement of the application. A reader adds them to ops.figures.';
comment on column ops.pending_figures.category is 'The category of an error; the word apart for an endpoint whose requests are counted among all requests by a row of their own; else empty.';
comment on column ops.pending_figures.at is 'When the minute begins. A row of the application belongs to the minute after whose beginning, and up to whose end, its time is; infinity if it lies after the year 2199.';
comment on column ops.pending_figures.sample is 'The newest message of a kind of error.';
comment on column ops.pending_figures.people is 'Hashes of the users of kind people, each once.';
comment on column ops.pending_figures.sessions is 'Hashes of the session ids of kind people, each once.';

create index pending_figures_time_idx on ops.pending_figures (kind, environment, at);

alter table ops.pending_figures enable row level security;

create table ops.figures (
    kind ops.figure_kind not null,
    environment text not null,
    grain integer not null check (grain in (60, 3600, 86400, 604800)),
    at timestamptz not null,
    name text not null,
    part text not null,
    n bigint not null,
    tallies bigint[] not null,
    fast bigint not null,
    left_out bigint not null,
    measured bigint not null,
    total numeric not null,
    low numeric,
    high numeric,
    latest numeric,
    first_at timestamptz,
    last_at timestamptz,
    -- A bucket is a number from -2000 to 1400, and there are very many of them.
    -- squawk-ignore prefer-bigint-over-smallint
    buckets smallint[] not null,
    counts bigint[] not null,
    primary key (kind, environment, grain, at, name, part)
);

comment on table ops.figures is 'What the application wrote, by minute, hour, day and week in UTC. A figure is added to, and never computed anew.';
comment on column ops.figures.environment is 'Empty where the table knows no environment; such rows count for every one.';
comment on column ops.figures.grain is 'How many seconds the row spans.';
comment on column ops.figures.at is 'When its time begins; a row of the application is after that, and up to the end.';
comment on column ops.figures.name is 'What was counted, as its kind has it; the word other stands for all names above the day''s limit.';
comment on column ops.figures.part is 'Tells apart what has one name: what of a feature or a session was measured, and negative for metrics below 0.';
comment on column ops.figures.tallies is 'Of n, how many had which word. Requests: 1xx to 5xx, then 401 and 403, which are none of 4xx here, then no status of HTTP. Errors: low, medium, high, critical. Others: none.';
comment on column ops.figures.fast is 'How many requests were answered in less than objective.latency_ms, as it was when they were counted.';
comment on column ops.figures.left_out is 'How many rows hold a number that cannot be real.';
comment on column ops.figures.measured is 'Of how many real numbers total is the sum.';
comment on column ops.figures.latest is 'The number of the row at last_at.';
comment on column ops.figures.buckets is 'The buckets of the numbers, ascending: number n holds what is above 1.0202 ^ (n - 1), up to 1.0202 ^ n; -2000 holds 0.';
comment on column ops.figures.counts is 'How many numbers are in each bucket.';

create index figures_age_idx on ops.figures (grain, at);

alter table ops.figures enable row level security;

create table ops.people (
    environment text not null,
    person bigint not null,
    first_at timestamptz not null,
    last_at timestamptz not null,
    primary key (environment, person)
);

comment on table ops.people is 'Everybody who caused an event or a request, by a hash of the user''s id: the first and the last minute.';

create index people_first_idx on ops.people (environment, first_at);
create index people_last_idx on ops.people (environment, last_at);

alter table ops.people enable row level security;

create table ops.daily_people (
    environment text not null,
    day timestamptz not null,
    person bigint not null,
    primary key (environment, day, person)
);

comment on table ops.daily_people is 'Who was there on which day, kept for some months: what makes a day''s number of people exact.';

create index daily_people_day_idx on ops.daily_people (day);

alter table ops.daily_people enable row level security;

create table ops.visits (
    environment text not null,
    session bigint not null,
    first_at timestamptz not null,
    primary key (environment, session)
);

comment on table ops.visits is 'The session ids of events, hashed, with the minute in which each began, kept for some months.';

create index visits_first_idx on ops.visits (first_at);

alter table ops.visits enable row level security;

create table ops.error_groups (
    environment text not null,
    key text not null,
    message text not null,
    category text not null,
    severity ops.severity not null,
    first_seen timestamptz not null,
    last_seen timestamptz not null,
    primary key (environment, key)
);

comment on table ops.error_groups is 'The kinds of error: messages that differ only in numbers and names. How often each came is in ops.figures.';
comment on column ops.error_groups.message is 'The newest message of the kind.';
comment on column ops.error_groups.severity is 'The worst one.';

create index error_groups_last_idx on ops.error_groups (last_seen);

alter table ops.error_groups enable row level security;

create table ops.counted_tables (
    name text primary key,
    place integer not null unique,
    key text,
    at timestamptz not null default 'infinity',
    id uuid not null default 'ffffffff-ffff-ffff-ffff-ffffffffffff',
    finished boolean not null
);

comment on table ops.counted_tables is 'How far the rows of before the triggers are counted, the newest first. A trigger counts a row that lies at or after this place; the row before it is counted from here.';
comment on column ops.counted_tables.key is 'The name that was reached, where names come before times because the table''s index has them in this order; null before the first.';
comment on column ops.counted_tables.place is 'The number of the lock that keeps the triggers and the counting apart.';

alter table ops.counted_tables enable row level security;

create table ops.uncounted_rows (
    id bigint generated always as identity primary key,
    table_name text not null,
    at timestamptz not null,
    rows bigint not null,
    reason text not null
);

comment on table ops.uncounted_rows is 'Rows of the application that were kept and could not be counted, with the reason.';

create index uncounted_rows_time_idx on ops.uncounted_rows (at);

alter table ops.uncounted_rows enable row level security;

comment on table ops.request_hours is 'How many requests the API had in past hours, as releases before ops.figures counted them. Nothing is added any more.';

-- Tables that were there before get the columns that the triggers read.

alter table public.analytics_events add column if not exists session_id text;
alter table public.performance_metrics add column if not exists metadata jsonb default '{}';
alter table public.user_sessions
    add column if not exists session_start timestamptz default now(),
    add column if not exists duration_seconds integer,
    add column if not exists page_views integer default 0,
    add column if not exists events_count integer default 0,
    add column if not exists device_type text;
alter table public.feature_usage
    add column if not exists usage_count integer default 1,
    add column if not exists success_rate numeric(5, 2),
    add column if not exists average_duration numeric(10, 3),
    -- The default is no volatile one, so no row is written anew.
    -- squawk-ignore adding-field-with-default
    add column if not exists date date default current_date;
