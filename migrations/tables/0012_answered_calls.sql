-- This file makes the table of answers, so that a repeated call gets its first answer again.

create table ops.answered_calls (
    request uuid not null,
    function text not null,
    result jsonb not null,
    uses text unique,
    at timestamptz not null,
    primary key (request, function)
);

comment on table ops.answered_calls is 'The answer to each call that changed something, one row for each call.';
comment on column ops.answered_calls.request is 'The uuid that the caller made, so that a call whose answer was lost can be repeated.';
comment on column ops.answered_calls.uses is 'What the call used up, if it can be used only once: the link of a message and its action.';

alter table ops.answered_calls enable row level security;
