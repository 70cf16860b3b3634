-- Runs of the deployment check that the platform asks for before it gives a release the
-- domains: each is verified once, and answered until the answer arrives.

create domain ops.check_run_conclusion as text check (value in ('succeeded', 'failed', 'canceled'));

comment on domain ops.check_run_conclusion is 'What a run of a deployment check came to. canceled: the platform no longer wants to know.';

create table ops.check_runs (
    run text primary key,
    deployment text not null,
    key integer not null,
    received_at timestamptz not null,
    cancelled_at timestamptz,
    claim uuid,
    leased_until timestamptz,
    attempts integer not null default 0,
    conclusion ops.check_run_conclusion,
    conclusion_text text,
    concluded_at timestamptz,
    answered_at timestamptz,
    refusal text,
    check (answered_at is null or conclusion is not null)
);

comment on table ops.check_runs is 'Runs of the deployment check, as the platform''s webhooks asked for them, and what became of each.';
comment on column ops.check_runs.run is 'The platform''s id of the run.';
comment on column ops.check_runs.deployment is 'The platform''s id of the deployment.';
comment on column ops.check_runs.key is 'The number of the project key that brought it.';
comment on column ops.check_runs.claim is 'Who is at it, until the lease ends.';
comment on column ops.check_runs.answered_at is 'When the platform took the conclusion, or refused it for good.';
comment on column ops.check_runs.refusal is 'Why the platform did not take it.';

create index check_runs_open_idx on ops.check_runs (received_at) where answered_at is null;

alter table ops.check_runs enable row level security;
