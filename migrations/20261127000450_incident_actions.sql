-- What people do about incidents: open, update, note.
--
-- Why: people know of incidents before any probe does, and know better what
-- caused one and how bad it is. Nothing becomes public but the text that
-- somebody gave for everybody, with the state of that moment. Every call carries
-- a uuid, so that a lost answer can be asked for again.
-- Read by: `pourtrait incidents`.
-- Undo: drop the functions of this file.

set local search_path = '';

-- Answers --------------------------------------------------------------------

create function ops.answer_incident(p_request uuid, p_incident uuid, p_now timestamptz)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_result jsonb;
begin
    select ops.incident_document(incident, p_now) into v_result
    from ops.incidents as incident
    where incident.id = p_incident;
    insert into ops.incident_requests (request, result, at) values (p_request, v_result, p_now);
    return v_result;
end
$$;

comment on function ops.answer_incident(uuid, uuid, timestamptz) is
    'The document of a changed incident, kept to be answered again.';

create function ops.lock_incident(p_number bigint)
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
    'The incident of that number, locked to be changed; refuses what is none with SQLSTATE 22023.';

create function ops.check_incident_text(p_what text, p_text text, p_limit integer)
returns text
language plpgsql
immutable
set search_path = ''
as $$
begin
    if coalesce(length(btrim(p_text)), 0) not between 1 and p_limit then
        raise exception '% has 1 to % characters', p_what, p_limit using errcode = 'invalid_parameter_value';
    end if;
    if ops.looks_like_secret(p_text) then
        raise exception '% must not hold a secret', p_what using errcode = 'invalid_parameter_value';
    end if;
    return btrim(p_text);
end
$$;

comment on function ops.check_incident_text(text, text, integer) is
    'A text without the blanks around it; refuses an empty or a long one and one that holds a secret with SQLSTATE 22023.';

-- Open -----------------------------------------------------------------------

create function public.ops_open_incident(
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
    v_title text := ops.check_incident_text('a title', p_title, 500);
    v_by text := ops.check_incident_text('who opens it', p_by, 200);
    v_known text[] := array(select distinct service from ops.checks order by 1);
    v_incident uuid;
begin
    if p_request is null or coalesce(p_severity, '') not in ('critical', 'high', 'medium', 'low') then
        raise exception 'an incident needs a request and a severity (critical, high, medium or low)'
            using errcode = 'invalid_parameter_value';
    end if;
    if not coalesce(p_affects, '{}') <@ v_known then
        raise exception 'what it affects is among %', array_to_string(v_known, ', ')
            using errcode = 'invalid_parameter_value';
    end if;
    if p_started_at > v_now or p_started_at < v_now - interval '30 days' then
        raise exception 'an incident began in the last 30 days' using errcode = 'invalid_parameter_value';
    end if;

    perform ops.lock_alerts();
    if exists (select from ops.incident_requests where request = p_request) then
        return (select result from ops.incident_requests where request = p_request);
    end if;
    insert into ops.incidents (title, severity, affects, started_at, opened_by, updated_at, updated_by)
    values (
        v_title, p_severity, array(select distinct unnest(p_affects) order by 1),
        coalesce(p_started_at, v_now), v_by, v_now, v_by
    )
    returning id into v_incident;
    return ops.answer_incident(p_request, v_incident, v_now);
end
$$;

comment on function public.ops_open_incident(uuid, text, text, text[], text, timestamptz, timestamptz) is
    'Opens an incident by hand, about those services or about no one in particular. Repeated with the same request it returns its first result.';

-- Update ---------------------------------------------------------------------

create function ops.close_reports(p_incident uuid, p_by text, p_now timestamptz)
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
    'Resolves what users reported of an incident that somebody has resolved: no probe ever would.';

create function public.ops_update_incident(
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
    v_by text := ops.check_incident_text('who updates it', p_by, 200);
    v_incident ops.incidents;
    v_state text;
begin
    if p_request is null
        or coalesce(p_state, p_severity, p_cause, p_public) is null
        or p_state not in ('investigating', 'identified', 'monitoring', 'resolved')
        or p_severity not in ('critical', 'high', 'medium', 'low')
        or p_cause not in ('ours', 'supabase', 'openai', 'google', 'resend', 'vercel', 'unknown')
    then
        raise exception 'an update needs a request and a state (investigating, identified, monitoring or resolved), a severity (critical, high, medium or low), a cause (ours, supabase, openai, google, resend, vercel or unknown) or a public text'
            using errcode = 'invalid_parameter_value';
    end if;

    perform ops.lock_alerts();
    if exists (select from ops.incident_requests where request = p_request) then
        return (select result from ops.incident_requests where request = p_request);
    end if;
    v_incident := ops.lock_incident(p_number);
    v_state := coalesce(p_state, v_incident.status);
    update ops.incidents
    set
        status = v_state,
        severity = coalesce(p_severity, severity),
        cause = coalesce(p_cause, cause),
        resolved_at = case when v_state = 'resolved' then coalesce(resolved_at, v_now) end,
        resolved_by = case
            when v_state = 'resolved' and status = 'resolved' then resolved_by
            when v_state = 'resolved' then v_by
        end,
        updated_at = v_now,
        updated_by = v_by
    where id = v_incident.id;
    if p_public is not null then
        perform ops.log_incident_event(
            v_incident.id, 'public_update', v_by, ops.check_incident_text('a public text', p_public, 2000),
            jsonb_build_object('state', v_state), v_now
        );
    end if;
    if v_state = 'resolved' then
        perform ops.close_reports(v_incident.id, v_by, v_now);
    end if;
    return ops.answer_incident(p_request, v_incident.id, v_now);
end
$$;

comment on function public.ops_update_incident(uuid, bigint, text, text, text, text, text, timestamptz) is
    'Changes an incident''s state, severity or cause, and tells everybody the public text, if there is one. What is null stays. Repeated with the same request it returns its first result.';

-- Note -----------------------------------------------------------------------

create function public.ops_note_incident(
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
    v_text text := ops.check_incident_text('a note', p_text, 5000);
    v_by text := ops.check_incident_text('who notes it', p_by, 200);
    v_owner text := case when p_owner is not null then ops.check_incident_text('an owner', p_owner, 100) end;
    v_incident ops.incidents;
begin
    if p_request is null
        or coalesce(p_kind, '') not in ('note', 'lesson', 'action')
        or (p_kind = 'action') <> (v_owner is not null)
        or (p_kind = 'action') <> (p_due is not null)
    then
        raise exception 'a note needs a request and a kind (note, lesson or action); an action, and only that, an owner and a day'
            using errcode = 'invalid_parameter_value';
    end if;

    perform ops.lock_alerts();
    if exists (select from ops.incident_requests where request = p_request) then
        return (select result from ops.incident_requests where request = p_request);
    end if;
    v_incident := ops.lock_incident(p_number);
    perform ops.log_incident_event(
        v_incident.id, p_kind, v_by, v_text,
        jsonb_strip_nulls(jsonb_build_object('owner', v_owner, 'due', p_due)), v_now
    );
    return ops.answer_incident(p_request, v_incident.id, v_now);
end
$$;

comment on function public.ops_note_incident(uuid, bigint, text, text, text, text, date, timestamptz) is
    'Adds a note, a lesson, or something to be done by somebody until a day. Repeated with the same request it returns its first result.';

revoke all on all functions in schema ops from public, anon, authenticated;
grant execute on all functions in schema ops to service_role;
revoke all on function public.ops_open_incident(uuid, text, text, text[], text, timestamptz, timestamptz) from public, anon, authenticated;
grant execute on function public.ops_open_incident(uuid, text, text, text[], text, timestamptz, timestamptz) to service_role;
revoke all on function public.ops_update_incident(uuid, bigint, text, text, text, text, text, timestamptz) from public, anon, authenticated;
grant execute on function public.ops_update_incident(uuid, bigint, text, text, text, text, text, timestamptz) to service_role;
revoke all on function public.ops_note_incident(uuid, bigint, text, text, text, text, date, timestamptz) from public, anon, authenticated;
grant execute on function public.ops_note_incident(uuid, bigint, text, text, text, text, date, timestamptz) to service_role;
