-- Reports: which were queued, how large the database was, what is outdated, and settings that
-- are lists of channels.

create domain ops.report_kind as text
    check (value in ('daily', 'weekly', 'monthly'));

comment on domain ops.report_kind is 'Of what a report is: a day, a week from Monday on, a month, all in UTC.';

create table ops.reports (
    kind ops.report_kind not null,
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    queued_at timestamptz not null,
    channels text[] not null,
    primary key (kind, starts_at),
    check (ends_at > starts_at)
);

comment on table ops.reports is 'The reports that were queued by themselves, each once.';
comment on column ops.reports.starts_at is 'When the period begins that it is about.';

alter table ops.reports enable row level security;

create table ops.database_sizes (
    day timestamptz primary key,
    bytes bigint not null check (bytes >= 0)
);

comment on table ops.database_sizes is 'How large the database was, as it was read last on each day in UTC.';

alter table ops.database_sizes enable row level security;

create domain ops.package_tool as text
    check (value in ('cargo', 'npm'));

comment on domain ops.package_tool is 'Whose list of outdated dependencies it is.';

create table ops.outdated_lists (
    request uuid primary key,
    tool ops.package_tool not null,
    packages jsonb not null check (jsonb_typeof(packages) = 'array'),
    received_at timestamptz not null,
    received_by text not null
);

comment on table ops.outdated_lists is 'The lists of outdated dependencies that were handed in.';
comment on column ops.outdated_lists.packages is 'A list of {name, version, latest}; an empty one means that nothing is outdated.';

create index outdated_lists_received_idx on ops.outdated_lists (tool, received_at desc);

alter table ops.outdated_lists enable row level security;

-- It is replaced by one that allows more, on a table of some ninety rows.
-- squawk-ignore ban-drop-constraint
alter table ops.settings drop constraint settings_kind_check;
-- squawk-ignore constraint-missing-not-valid
alter table ops.settings add constraint settings_kind_check
    check (kind in (
        'number', 'integer', 'boolean', 'text', 'checked_urls', 'names', 'channels'
    ));
