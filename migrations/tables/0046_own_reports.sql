-- What browsers report of the pages of this bundle comes without a key, so that its clients
-- are counted.

create table ops.own_reports (
    client text not null check (length(client) between 1 and 64),
    hour timestamptz not null,
    requests integer not null,
    primary key (client, hour)
);

comment on table ops.own_reports is 'How often a client brought reports of the pages of this bundle in an hour, by a keyed hash of the client.';

create index own_reports_hour_idx on ops.own_reports (hour);

alter table ops.own_reports enable row level security;
