-- Which deployments of the app served its users, from when on, and how each compares with the
-- day before it.

create table ops.served_deployments (
    id bigint generated always as identity primary key,
    deployment text not null,
    commit text,
    branch text,
    began_at timestamptz not null,
    told_by text not null check (told_by in ('webhook', 'reading'))
);

comment on table ops.served_deployments is 'Each time that a deployment of the app began to serve production. It ended when the next one began.';
comment on column ops.served_deployments.deployment is 'The platform''s id of it.';
comment on column ops.served_deployments.told_by is 'webhook: the platform told it; reading: the project was read, and another deployment served than was known.';

create index served_deployments_time_idx on ops.served_deployments (began_at);

alter table ops.served_deployments enable row level security;

create table ops.deployment_comparisons (
    served bigint not null references ops.served_deployments (id) on delete cascade,
    age_minutes integer not null check (age_minutes in (15, 60, 1440, 2880)),
    made_at timestamptz not null,
    from_at timestamptz not null,
    to_at timestamptz not null,
    before_from timestamptz not null,
    before_to timestamptz not null,
    verdict text not null check (verdict in ('fine', 'regressed', 'insufficient')),
    measures jsonb not null,
    primary key (served, age_minutes)
);

comment on table ops.deployment_comparisons is 'How a deployment compares with the day before it, at each age once.';
comment on column ops.deployment_comparisons.from_at is 'The time that is compared, with that from before_from to before_to.';
comment on column ops.deployment_comparisons.verdict is 'regressed: a measure is worse; fine: none is, and one could be judged; insufficient: none could be judged.';
comment on column ops.deployment_comparisons.measures is 'Each measure with its verdict and the numbers behind it.';

alter table ops.deployment_comparisons enable row level security;
