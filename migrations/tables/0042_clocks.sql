-- Several clocks may call the same jobs. Each slot is done once, whoever calls first, so it
-- takes a table of its own to see that one of the clocks has stopped.

create table ops.clocks (
    job text not null references ops.jobs (job),
    clock text not null check (clock ~ '^[a-z][a-z0-9_-]{0,29}$'),
    first_at timestamptz not null,
    last_at timestamptz not null,
    late_seconds numeric,
    recent timestamptz[] not null check (cardinality(recent) between 1 and 9),
    primary key (job, clock)
);

comment on table ops.clocks is 'Which clock called which job, and when last.';
comment on column ops.clocks.late_seconds is 'How long after the time that it was scheduled for the newest call came; null where the clock does not say.';
comment on column ops.clocks.recent is 'The newest slots that the clock called, newest first; the gaps between them show how often it calls.';

alter table ops.clocks enable row level security;

create table ops.scheduler_calls (
    request bigint primary key,
    path text not null,
    called_at timestamptz not null
);

comment on table ops.scheduler_calls is 'The calls that the scheduler in the database handed to pg_net within the last six hours, for as long as pg_net keeps answers.';
comment on column ops.scheduler_calls.request is 'The number that pg_net gave the request.';

create index scheduler_calls_called_at_idx on ops.scheduler_calls (called_at);

alter table ops.scheduler_calls enable row level security;
