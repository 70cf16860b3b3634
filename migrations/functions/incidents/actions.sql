-- People open, update and annotate incidents. Nothing of an incident becomes public but the
-- text that somebody gave for everybody, with the state of that moment.

create or replace function ops.answer_incident(
    p_request uuid,
    p_function text,
    p_incident uuid,
    p_now timestamptz
)
returns jsonb
language sql
set search_path = ''
as $$
    select ops.keep_answer(p_request, p_function, ops.incident_document(incident, p_now), p_now)
    from ops.incidents as incident
    where incident.id = p_incident
$$;

comment on function ops.answer_incident(uuid, text, uuid, timestamptz) is
    'Returns the document of a changed incident, and keeps it as the answer of the call that changed it.';

create or replace function ops.lock_incident(p_number bigint)
returns ops.incidents
language plpgsql
set search_path = ''
as $$
declare
    v_incident ops.incidents;
begin
    select * into v_incident from ops.incidents where number = p_number for update;
    if not found then
        raise exception 'there is no incident %', p_number using errcode = 'invalid_parameter_value';
    end if;
    return v_incident;
end
$$;

comment on function ops.lock_incident(bigint) is
    'Returns the incident of a number and locks it until the transaction ends. Refuses a number that no incident has with SQLSTATE 22023.';

create or replace function public.ops_open_incident(
    p_request uuid,
    p_title text,
    p_severity text,
    p_affects text[],
    p_by text,
    p_started_at timestamptz default null,
    p_now timestamptz default null
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_answer jsonb;
    v_title text;
    v_by text;
    v_incident uuid;
begin
    perform ops.hold_functions();
    perform ops.check_request(p_request);
    v_title := ops.check_text('title', p_title, 500);
    perform ops.check_word('severity', p_severity, ops.words('ops.severity'));
    perform ops.check_words(
        'affects', coalesce(p_affects, '{}'), array(select distinct service from ops.checks order by 1)
    );
    v_by := ops.check_text('by', p_by, 200);
    if p_started_at > v_now or p_started_at < v_now - interval '30 days' then
        perform ops.refuse('started_at', 'within the last 30 days', p_started_at::text);
    end if;

    perform ops.lock_alerts();
    v_answer := ops.former_answer(p_request, 'ops_open_incident');
    if v_answer is not null then
        return v_answer;
    end if;
    insert into ops.incidents (title, severity, affects, started_at, opened_by, updated_at, updated_by)
    values (
        v_title, p_severity, array(select distinct unnest(p_affects) order by 1),
        coalesce(p_started_at, v_now), v_by, v_now, v_by
    )
    returning id into v_incident;
    perform ops.tell_incident(v_incident, 'opened', v_by, null, v_now);
    return ops.answer_incident(p_request, 'ops_open_incident', v_incident, v_now);
end
$$;

comment on function public.ops_open_incident(uuid, text, text, text[], text, timestamptz, timestamptz) is
    'Opens an incident for a person, about those services or about none in particular, and tells the channels and the stakeholders. A call that is repeated with the same request returns its first result.';

create or replace function ops.close_reports(p_incident uuid, p_by text, p_now timestamptz)
returns void
language plpgsql
set search_path = ''
as $$
declare
    v_alert ops.alerts;
begin
    for v_alert in
        select *
        from ops.alerts as alert
        where alert.incident = p_incident and alert.status <> 'resolved' and ops.is_report(alert)
        order by alert.id
        for update
    loop
        perform ops.close_alert(v_alert, null, p_by, ops.read_settings(), p_now);
    end loop;
end
$$;

comment on function ops.close_reports(uuid, text, timestamptz) is
    'Resolves the alerts of users'' reports that belong to an incident. A person who resolves the incident resolves them, because no probe ever would.';

create or replace function ops.check_update(p_state text, p_severity text, p_cause text, p_public text)
returns void
language plpgsql
stable
set search_path = ''
as $$
begin
    if p_state is not null then
        perform ops.check_word('state', p_state, ops.words('ops.incident_state'));
    end if;
    if p_severity is not null then
        perform ops.check_word('severity', p_severity, ops.words('ops.severity'));
    end if;
    if p_cause is not null then
        perform ops.check_word('cause', p_cause, ops.words('ops.incident_cause'));
    end if;
    perform ops.check_given(
        'state', coalesce(p_state, p_severity, p_cause, p_public), 'given, or else severity, cause or public'
    );
end
$$;

comment on function ops.check_update(text, text, text, text) is
    'Refuses an update of an incident that changes nothing, or to a word that is not known, with SQLSTATE 22023.';

create or replace function ops.change_incident(
    p_incident ops.incidents,
    p_state text,
    p_severity text,
    p_cause text,
    p_by text,
    p_now timestamptz
)
returns void
language sql
set search_path = ''
as $$
    update ops.incidents
    set
        status = p_state,
        severity = coalesce(p_severity, severity),
        cause = coalesce(p_cause, cause),
        resolved_at = case when p_state = 'resolved' then coalesce(resolved_at, p_now) end,
        resolved_by = case
            when p_state = 'resolved' and status = 'resolved' then resolved_by
            when p_state = 'resolved' then p_by
        end,
        updated_at = p_now,
        updated_by = p_by
    where id = p_incident.id
$$;

comment on function ops.change_incident(ops.incidents, text, text, text, text, timestamptz) is
    'Sets the state of an incident, and its severity and cause where they are given. An incident that was resolved before keeps when and by whom.';

create or replace function public.ops_update_incident(
    p_request uuid,
    p_number bigint,
    p_state text,
    p_severity text,
    p_cause text,
    p_public text,
    p_by text,
    p_now timestamptz default null
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_answer jsonb;
    v_by text;
    v_incident ops.incidents;
    v_state text;
begin
    perform ops.hold_functions();
    perform ops.check_request(p_request);
    perform ops.check_update(p_state, p_severity, p_cause, p_public);
    v_by := ops.check_text('by', p_by, 200);

    perform ops.lock_alerts();
    v_answer := ops.former_answer(p_request, 'ops_update_incident');
    if v_answer is not null then
        return v_answer;
    end if;
    v_incident := ops.lock_incident(p_number);
    v_state := coalesce(p_state, v_incident.status);
    perform ops.change_incident(v_incident, v_state, p_severity, p_cause, v_by, v_now);
    perform ops.write_audit(
        'incident.changed', v_by, v_incident.id::text,
        jsonb_strip_nulls(jsonb_build_object(
            'number', p_number, 'state', p_state, 'severity', p_severity, 'cause', p_cause
        ))
    );
    if p_public is not null then
        perform ops.write_audit(
            'status.written', v_by, v_incident.id::text, jsonb_build_object('number', p_number, 'words', p_public)
        );
        perform ops.log_incident_event(
            v_incident.id, 'public_update', v_by, ops.check_text('public', p_public, 2000),
            jsonb_build_object('state', v_state), v_now
        );
    end if;
    if v_state = 'resolved' then
        perform ops.close_reports(v_incident.id, v_by, v_now);
    end if;
    perform ops.tell_incident(
        v_incident.id,
        case
            when v_state = 'resolved' and v_incident.status <> 'resolved' then 'resolved'
            when v_state <> 'resolved' and v_incident.status = 'resolved' then 'reopened'
            else 'updated'
        end,
        v_by, p_public, v_now
    )
    -- Whose side it was on is for the postmortem.
    where coalesce(p_severity, p_public) is not null or v_state <> v_incident.status;
    return ops.answer_incident(p_request, 'ops_update_incident', v_incident.id, v_now);
end
$$;

comment on function public.ops_update_incident(uuid, bigint, text, text, text, text, text, timestamptz) is
    'Changes an incident''s state, severity or cause, publishes the public text, if there is one, and tells the channels and the stakeholders. What is null stays as it is. A call that is repeated with the same request returns its first result.';

create or replace function public.ops_note_incident(
    p_request uuid,
    p_number bigint,
    p_kind text,
    p_text text,
    p_by text,
    p_owner text default null,
    p_due date default null,
    p_now timestamptz default null
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_answer jsonb;
    v_text text;
    v_by text;
    v_owner text;
    v_incident ops.incidents;
begin
    perform ops.hold_functions();
    perform ops.check_request(p_request);
    perform ops.check_word('kind', p_kind, '{note,lesson,action}');
    v_text := ops.check_text('text', p_text, 5000);
    v_by := ops.check_text('by', p_by, 200);
    if p_kind = 'action' then
        v_owner := ops.check_text('owner', p_owner, 100);
        perform ops.check_given('due', p_due, 'the day by which the action is done');
    elsif p_owner is not null then
        perform ops.refuse('owner', format('left out of a %s', p_kind), p_owner);
    elsif p_due is not null then
        perform ops.refuse('due', format('left out of a %s', p_kind), p_due::text);
    end if;

    perform ops.lock_alerts();
    v_answer := ops.former_answer(p_request, 'ops_note_incident');
    if v_answer is not null then
        return v_answer;
    end if;
    v_incident := ops.lock_incident(p_number);
    perform ops.log_incident_event(
        v_incident.id, p_kind, v_by, v_text,
        jsonb_strip_nulls(jsonb_build_object('owner', v_owner, 'due', p_due)), v_now
    );
    return ops.answer_incident(p_request, 'ops_note_incident', v_incident.id, v_now);
end
$$;

comment on function public.ops_note_incident(uuid, bigint, text, text, text, text, date, timestamptz) is
    'Adds a note, a lesson, or an action with its owner and the day by which it is done. A call that is repeated with the same request returns its first result.';
