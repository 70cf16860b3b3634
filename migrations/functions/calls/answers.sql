-- A call that changes something carries a request, which is a uuid that its caller made. A
-- call that is repeated with the same request changes nothing more and returns the first
-- answer, so that a caller whose answer was lost can ask again.

create or replace function ops.former_answer(p_request uuid, p_function text)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select result from ops.answered_calls where request = p_request and function = p_function
$$;

comment on function ops.former_answer(uuid, text) is
    'Returns the first answer to a request that called that function; null if the request is new.';

create or replace function ops.keep_answer(
    p_request uuid,
    p_function text,
    p_result jsonb,
    p_now timestamptz,
    p_uses text default null
)
returns jsonb
language sql
set search_path = ''
as $$
    insert into ops.answered_calls (request, function, result, uses, at)
    values (p_request, p_function, p_result, p_uses, p_now)
    returning result
$$;

comment on function ops.keep_answer(uuid, text, jsonb, timestamptz, text) is
    'Keeps the answer to a request, with the link that the call used up, if there is one, and returns the answer.';
