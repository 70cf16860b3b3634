-- Exercises of the people on call, so that it shows when nobody has practised for long.

create domain ops.exercise as text check (value in ('alert', 'restore', 'incident'));

comment on domain ops.exercise is 'What people practise. alert: to read the dashboard and answer an alert; restore: to bring rows back; incident: all of one, from detection to postmortem.';

create table ops.exercises (
    id uuid primary key,
    exercise ops.exercise not null,
    done_by text not null,
    started_at timestamptz not null,
    finished_at timestamptz not null check (finished_at >= started_at),
    steps jsonb not null check (jsonb_typeof(steps) = 'array'),
    received_at timestamptz not null
);

comment on table ops.exercises is 'The receipts of exercises that were finished, elsewhere as a rule: on a local stack.';
comment on column ops.exercises.steps is 'What was done and when: a list of objects with step and at.';

create index exercises_newest_idx on ops.exercises (exercise, finished_at desc);

alter table ops.exercises enable row level security;
