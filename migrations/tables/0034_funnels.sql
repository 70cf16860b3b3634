-- Funnels: ways through the app that somebody wants counted, and what was counted last.

create table ops.funnels (
    name text primary key,
    steps text[] not null,
    within_minutes integer not null,
    updated_at timestamptz not null,
    updated_by text not null
);

comment on table ops.funnels is 'Ways through the app that somebody wants counted. ops.find_funnel_fault knows what a funnel must be.';
comment on column ops.funnels.steps is 'What people do one after the other: the name of an event, page: with a path, or feature: with a name.';
comment on column ops.funnels.within_minutes is 'How long after the first step the others count.';

alter table ops.funnels enable row level security;

create table ops.funnel_changes (
    id bigint generated always as identity primary key,
    name text not null,
    change text not null check (change in ('added', 'edited', 'removed')),
    old_value jsonb,
    new_value jsonb,
    changed_at timestamptz not null,
    changed_by text not null
);

comment on table ops.funnel_changes is 'Every change of a funnel: its old and new value, its author and its time. The rows outlive the funnel.';

create index funnel_changes_name_idx on ops.funnel_changes (name, changed_at desc);

alter table ops.funnel_changes enable row level security;

create table ops.funnel_results (
    funnel text not null references ops.funnels (name) on delete cascade,
    environment text not null,
    days integer not null check (days in (1, 7, 30, 90)),
    tried_at timestamptz not null,
    as_of timestamptz,
    result jsonb,
    failure text,
    primary key (funnel, environment, days)
);

comment on table ops.funnel_results is 'What each funnel came to when it was counted last, over each of the ranges that the dashboard shows.';
comment on column ops.funnel_results.tried_at is 'When it was counted last, or could not be.';
comment on column ops.funnel_results.as_of is 'When the result was counted; null until there is one.';
comment on column ops.funnel_results.failure is 'Why it could not be counted at tried_at; null if it could.';

alter table ops.funnel_results enable row level security;

-- Tables that were there before get the columns that are read.

alter table public.analytics_events add column if not exists properties jsonb default '{}';
alter table public.feature_usage
    -- The column is new and holds nothing that would have to be looked up.
    -- squawk-ignore adding-foreign-key-constraint
    add column if not exists user_id uuid references auth.users (id) on delete set null,
    add column if not exists first_used timestamptz,
    add column if not exists last_used timestamptz;
