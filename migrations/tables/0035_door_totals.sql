-- What the door let in and turned away on days whose counters are deleted, so that its totals
-- never decline.

create table ops.door_totals (
    outcome text not null check (outcome in ('taken', 'dropped')),
    name text not null,
    items bigint not null,
    primary key (outcome, name)
);

comment on table ops.door_totals is 'How many items there were in the days of ops.door_counts and the hours of ops.door_drops that are deleted.';
comment on column ops.door_totals.name is 'Of items that were taken, the number of their key; of those that were dropped, their source.';

alter table ops.door_totals enable row level security;
