-- What became of the calls that the scheduler in the database makes. pg_net sends them later
-- and keeps the answers for some hours in a table that a crash empties; it is read only where
-- it exists and may be read.

create or replace function ops.can_read_answers()
returns boolean
language plpgsql
stable
set search_path = ''
as $$
declare
    v_answers regclass;
begin
    if not exists (
        select from pg_catalog.pg_namespace where nspname = 'net' and pg_catalog.has_schema_privilege(oid, 'usage')
    ) then
        return false;
    end if;
    v_answers := pg_catalog.to_regclass('net._http_response');
    return v_answers is not null and pg_catalog.has_table_privilege(v_answers, 'select');
end
$$;

comment on function ops.can_read_answers() is 'Whether pg_net''s answers are there, and may be read by the caller.';

create or replace function ops.newest_answer(p_now timestamptz)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
    v_answer jsonb;
begin
    if not ops.can_read_answers() then
        return null;
    end if;
    execute '
        select jsonb_build_object(
            ''answeredAt'', answer.created,
            ''status'', answer.status_code,
            ''timedOut'', coalesce(answer.timed_out, false),
            ''error'', left(ops.without_secrets(answer.error_msg), 200)
        )
        from ops.scheduler_calls as call
        join net._http_response as answer on answer.id = call.request
        where call.called_at <= $1
        order by call.called_at desc
        limit 1'
    into v_answer
    using p_now;
    return coalesce(v_answer, '{}');
end
$$;

comment on function ops.newest_answer(timestamptz) is
    'The answer to the newest call of the scheduler in the database that pg_net has one of: when it came, its status, and why there is none. An empty document means that it has none, null that nobody can know.';

create or replace function ops.why_scheduler_silent(p_since timestamptz, p_now timestamptz)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
    v_called_at timestamptz := (select max(called_at) from ops.scheduler_calls where called_at <= p_now);
    v_answer jsonb;
begin
    if coalesce(v_called_at <= p_since, true) then
        return jsonb_build_object('reason', 'no_calls');
    end if;
    v_answer := ops.newest_answer(p_now);
    if v_answer is null then
        return jsonb_build_object('reason', 'unreadable_answers');
    end if;
    if coalesce((v_answer ->> 'answeredAt')::timestamptz <= p_since, true) then
        return jsonb_build_object('reason', 'no_answers');
    end if;
    return jsonb_build_object(
        'reason', case
            when v_answer ->> 'status' in ('401', '403') then 'auth'
            when (v_answer ->> 'timedOut')::boolean then 'timeout'
            when v_answer ->> 'status' is not null then 'http_status'
            else 'connect'
        end,
        'statusCode', v_answer -> 'status'
    );
end
$$;

comment on function ops.why_scheduler_silent(timestamptz, timestamptz) is
    'Why calls of the scheduler in the database have not come through since then: pg_cron makes none, pg_net gives no answer or keeps it where it cannot be read, or what the answer was.';
