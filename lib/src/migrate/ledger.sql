-- What was applied. The migrator makes these tables itself, under row level
-- security like all: the first table file is recorded here already.
create schema if not exists ops;

create table if not exists ops.migrations (
    version text primary key,
    name text not null,
    sha256 text not null,
    needs text,
    applied_at timestamptz not null default now()
);

comment on table ops.migrations is
    'Which table files of Pourtrait Ops were applied, their text''s hash, and the oldest release that bears them.';

alter table ops.migrations enable row level security;
revoke all on ops.migrations from public, anon, authenticated;
-- A change of access that comes with a migration is meant: the security rules ask.
grant select (version) on ops.migrations to service_role;

create table if not exists ops.function_sets (
    id bigint generated always as identity primary key,
    release text not null,
    sha256 text not null,
    types text[] not null,
    functions jsonb not null,
    sources jsonb not null,
    applied_at timestamptz not null default now()
);

comment on table ops.function_sets is
    'Which sets of functions were put in place; the last is in force. functions: each signature with a digest of what the database has, to tell a change by hand; sources: each name with a digest of the text it came from.';

alter table ops.function_sets enable row level security;
revoke all on ops.function_sets from public, anon, authenticated;
-- Every call that writes compares its set with the one in force.
grant select on ops.function_sets to service_role;
