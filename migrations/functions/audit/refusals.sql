-- Refused access is in the audit log, and nobody can fill the log by being refused: of one
-- subject once an hour, and a hundred times an hour in all.

create or replace function ops.audit_refusal(p_actor text, p_subject text, p_details jsonb)
returns boolean
language plpgsql
set search_path = ''
as $$
begin
    if exists (
        select
        from ops.audit
        where action = 'access.refused' and subject = p_subject and at > now() - interval '1 hour'
    ) then
        return false;
    end if;
    if (
        select count(*) >= 100
        from ops.audit
        where action = 'access.refused' and at > now() - interval '1 hour'
    ) then
        return false;
    end if;
    perform ops.write_audit('access.refused', p_actor, p_subject, p_details);
    return true;
end
$$;

comment on function ops.audit_refusal(text, text, jsonb) is
    'Writes into the audit log that somebody was refused, unless that was written of the same subject within the hour, or of a hundred; returns whether it was.';

create or replace function public.ops_note_refusal(p_actor text, p_user text, p_method text, p_path text)
returns jsonb
language plpgsql
set search_path = ''
as $$
begin
    perform ops.hold_functions();
    perform ops.check_length('user', p_user, 100);
    return jsonb_build_object('written', ops.audit_refusal(
        left(p_actor, 200), format('user %s', p_user),
        jsonb_build_object('method', left(p_method, 20), 'path', left(p_path, 200))
    ));
end
$$;

comment on function public.ops_note_refusal(text, text, text, text) is
    'Writes into the audit log that somebody who was proven was not allowed to do what they asked for; the same person once an hour.';
