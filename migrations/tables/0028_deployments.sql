-- What platforms tell of deployments: the marks against which everything else is read.

create domain ops.deployment_event as text
    check (value in ('created', 'succeeded', 'ready', 'failed', 'canceled', 'promoted', 'rolled_back'));

comment on domain ops.deployment_event is 'What became of a deployment. ready: it has its domains; promoted: it was made production; rolled_back: somebody asked for an earlier one in its place, maybe before anybody was served by that.';

create table ops.deployments (
    id uuid primary key,
    at timestamptz not null,
    key integer not null,
    event ops.deployment_event not null,
    deployment text not null,
    environment text not null check (environment in ('preview', 'production')),
    commit text,
    branch text,
    by text
);

comment on table ops.deployments is 'What became of deployments, an event a row, as the platform''s webhooks told it.';
comment on column ops.deployments.id is 'The same for an event that is told twice.';
comment on column ops.deployments.at is 'When the platform says that it was, within 7 days before it told.';
comment on column ops.deployments.key is 'The number of the project key that brought it.';
comment on column ops.deployments.deployment is 'The platform''s id of the deployment.';
comment on column ops.deployments.by is 'The platform''s id of whoever did it.';

create index deployments_time_idx on ops.deployments (at);

alter table ops.deployments enable row level security;
