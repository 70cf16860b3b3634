-- People answer an incident from the dashboard: one call, whatever they do about it. It does
-- what the operator's command does, by the same functions.

create or replace function ops.answer_alerts_of(
    p_request uuid,
    p_number bigint,
    p_action text,
    p_until timestamptz,
    p_note text,
    p_actor text,
    p_now timestamptz
)
returns text
language sql
set search_path = ''
as $$
    select case when jsonb_array_length(acted.document -> 'acted') > 0 then 'done' else 'unchanged' end
    from (
        select ops.act_on_selected(
            p_request, jsonb_build_object('incident', p_number), p_action, null, p_until, p_note, p_actor, p_now
        ) as document
    ) as acted
$$;

comment on function ops.answer_alerts_of(uuid, bigint, text, timestamptz, text, text, timestamptz) is
    'Acknowledges or snoozes every open alert of an incident; returns unchanged where none is open.';

create or replace function ops.resolve_incident(
    p_request uuid,
    p_incident ops.incidents,
    p_note text,
    p_actor text,
    p_now timestamptz
)
returns text
language plpgsql
set search_path = ''
as $$
begin
    if p_incident.status = 'resolved' then
        return 'unchanged';
    end if;
    if p_note is not null then
        perform public.ops_note_incident(p_request, p_incident.number, 'note', p_note, p_actor, p_now => p_now);
    end if;
    perform public.ops_update_incident(
        p_request, p_incident.number, 'resolved', null, null, null, p_actor, p_now
    );
    return 'done';
end
$$;

comment on function ops.resolve_incident(uuid, ops.incidents, text, text, timestamptz) is
    'Resolves an incident for a person, with a note if there is one; returns unchanged where it is resolved.';

create or replace function ops.apply_to_incident(
    p_request uuid,
    p_incident ops.incidents,
    p_action text,
    p_until timestamptz,
    p_note text,
    p_actor text,
    p_now timestamptz
)
returns text
language plpgsql
set search_path = ''
as $$
begin
    if p_action = 'resolve' then
        return ops.resolve_incident(p_request, p_incident, p_note, p_actor, p_now);
    elsif p_action = 'note' then
        perform public.ops_note_incident(
            p_request, p_incident.number, 'note', p_note, p_actor, p_now => p_now
        );
        return 'done';
    end if;
    return ops.answer_alerts_of(p_request, p_incident.number, p_action, p_until, p_note, p_actor, p_now);
end
$$;

comment on function ops.apply_to_incident(uuid, ops.incidents, text, timestamptz, text, text, timestamptz) is
    'Does one thing about an incident and returns done, or unchanged where there is nothing to do.';

create or replace function public.ops_act_on_incident(
    p_request uuid,
    p_incident uuid,
    p_action text,
    p_until timestamptz,
    p_note text,
    p_actor text,
    p_role text default null,
    p_now timestamptz default null
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_note text := nullif(btrim(p_note), '');
    v_incident ops.incidents;
    v_answer jsonb;
    v_outcome text;
begin
    perform ops.hold_functions();
    perform ops.check_request(p_request);
    perform ops.check_permission(p_role, 'alerts.answer');
    perform ops.check_word('action', p_action, '{acknowledge,snooze,resolve,note}');
    perform ops.check_length('actor', btrim(p_actor), 200);
    if length(v_note) > 1000 then
        perform ops.refuse('note', 'a text of at most 1000 characters', length(v_note) || ' characters');
    end if;

    perform ops.lock_alerts();
    v_answer := ops.former_answer(p_request, 'ops_act_on_incident');
    if v_answer is not null then
        return v_answer;
    end if;
    select * into v_incident from ops.incidents where id = p_incident for update;
    if not found then
        return jsonb_build_object('outcome', 'unknown', 'incident', null);
    end if;
    v_outcome := ops.apply_to_incident(
        p_request, v_incident, p_action, p_until, v_note, btrim(p_actor), v_now
    );
    select * into v_incident from ops.incidents where id = p_incident;
    return ops.keep_answer(
        p_request, 'ops_act_on_incident',
        jsonb_build_object('outcome', v_outcome, 'incident', ops.incident_document(v_incident, v_now)), v_now
    );
end
$$;

comment on function public.ops_act_on_incident(uuid, uuid, text, timestamptz, text, text, text, timestamptz) is
    'Does one thing about an incident for a person: acknowledges or snoozes its open alerts, resolves it, or adds a note. The outcome is done, unchanged or unknown. A call that is repeated with the same request returns its first result.';
