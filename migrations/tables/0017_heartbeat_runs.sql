-- This file tells the runs of a job apart, so that one that hangs is noticed while others of
-- the same job succeed.

create table ops.heartbeat_runs (
    heartbeat text not null references ops.heartbeats (name) on delete cascade,
    run text not null check (length(run) <= 200),
    started_at timestamptz,
    ended_at timestamptz,
    failed boolean not null default false,
    primary key (heartbeat, run),
    check (num_nonnulls(started_at, ended_at) > 0)
);

comment on table ops.heartbeat_runs is 'The newest runs of jobs that report to a heartbeat, at most a hundred of each.';
comment on column ops.heartbeat_runs.run is 'What the job calls the run; empty where it gives its runs no name, and then one row stands for them all.';
comment on column ops.heartbeat_runs.started_at is 'Null if the run only reported its end.';
comment on column ops.heartbeat_runs.ended_at is 'Null while the run is under way, or after it was killed.';

alter table ops.heartbeat_runs enable row level security;

insert into ops.heartbeat_runs (heartbeat, run, started_at)
select name, '', started_at
from ops.heartbeats
where started_at > coalesce(greatest(succeeded_at, failed_at), '-infinity');
