-- Jobs that report by the door: which heartbeat each of them feeds. Whoever holds a key can
-- feed what came with that key, and no heartbeat that an operator made.

create table ops.monitors (
    key integer not null references ops.door_keys (id),
    slug text not null check (length(slug) between 1 and 100),
    heartbeat text not null unique references ops.heartbeats (name) on delete cascade,
    config jsonb,
    primary key (key, slug)
);

comment on table ops.monitors is 'The heartbeats that check-ins at the door made, by the key and by what the client calls the job.';
comment on column ops.monitors.config is 'What the client said last about the job''s times; null if it never said anything. What an operator changed stays until it says something else.';

alter table ops.monitors enable row level security;
