-- What takes long to find out of the database is read by the maintenance, so that the
-- dashboard does not wait for it.

create table ops.database_readings (
    only_one boolean primary key default true check (only_one),
    read_at timestamptz not null,
    document jsonb not null
);

comment on table ops.database_readings is 'The size, the slow statements and the largest tables as they were read last: one row.';

alter table ops.database_readings enable row level security;
