-- What comes in by the door is counted in figures, as what the application writes is.

-- The new list holds all of the old one, so that no row has to be looked at.
-- squawk-ignore ban-drop-constraint
alter domain ops.figure_kind drop constraint figure_kind_check;
-- squawk-ignore ban-alter-domain-with-add-constraint
alter domain ops.figure_kind add constraint figure_kind_check
    check (value in (
        'request', 'requests', 'event', 'error', 'errors', 'metric', 'page', 'business', 'feature', 'session',
        'people', 'visit', 'active', 'view', 'visitor', 'dependency', 'release', 'adoption', 'report'
    )) not valid;

comment on domain ops.figure_kind is 'What a figure is of. request: an endpoint, requests: all together; error: a kind of message, errors: a category; metric: a measurement, page: a Web Vital of a page; session: a visit with its length; people: who caused the others; visit: session ids of events, each where it begins; active: how many people there were on a day; view: a page that was looked at; visitor: somebody of whom nothing is known, on one day; dependency: a request that the application made; release: what happened in a version of it; adoption: an event in a version of it; report: what browsers report by themselves.';
comment on column ops.figures.part is 'Tells apart what has one name: what of a feature, a session or a release was counted, negative for metrics below 0, and soft for Web Vitals of pages that were changed without being loaded.';

create table ops.figure_sources (
    kind ops.item_kind not null,
    environment text not null,
    source text not null,
    written_at timestamptz not null,
    primary key (kind, environment, source)
);

comment on table ops.figure_sources is 'Which source of the door brings which kind of item, so that what several bring is counted once.';
comment on column ops.figure_sources.written_at is 'When it last did, to the hour.';

alter table ops.figure_sources enable row level security;

create table ops.daily_visitors (
    environment text not null,
    day timestamptz not null,
    visitor bigint not null,
    primary key (environment, day, visitor)
);

comment on table ops.daily_visitors is 'Visitors whom nobody knows, by the hash that is theirs for one day.';

create index daily_visitors_day_idx on ops.daily_visitors (day);

alter table ops.daily_visitors enable row level security;

create table ops.door_sessions (
    environment text not null,
    session bigint not null,
    first_at timestamptz not null,
    last_at timestamptz not null,
    views integer not null,
    events integer not null,
    device text not null,
    primary key (environment, session)
);

comment on table ops.door_sessions is 'Visits as their page views and events tell of them, by the hash of the session id.';

create index door_sessions_age_idx on ops.door_sessions (last_at);

alter table ops.door_sessions enable row level security;

-- The rules look for these every minute.
create index items_sign_in_idx on ops.items (at) where kind = 'event' and name = 'sign_in_failed';
