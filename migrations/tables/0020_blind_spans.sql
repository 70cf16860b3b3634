-- The times in which monitoring saw nothing. Nobody is late for what happened then.

create table ops.blind_spans (
    began_at timestamptz primary key,
    ended_at timestamptz not null,
    check (ended_at > began_at)
);

comment on table ops.blind_spans is 'When no tick was committed for longer than three intervals.';
comment on column ops.blind_spans.began_at is 'The last tick before.';
comment on column ops.blind_spans.ended_at is 'The first tick after.';

alter table ops.blind_spans enable row level security;
