-- Alerts from outside: whoever holds the key may raise and resolve.
--
-- Why: deployments, other jobs and other systems know things that no probe
-- sees. They bring their own identity and severity, and stay open until the
-- caller resolves them.
-- Read by: POST /api/alerts/dispatch.
-- Undo: drop the functions, then ops.raises.

set local search_path = '';

create table ops.raises (
    request uuid primary key,
    result jsonb not null,
    at timestamptz not null
);

comment on table ops.raises is 'What each call that raised alerts was answered, to answer it again.';

alter table ops.raises enable row level security;

create function ops.observe_raised(p_raised jsonb)
returns ops.observation
language plpgsql
immutable
set search_path = ''
as $$
declare
    v_source text := p_raised ->> 'source';
    v_type text := p_raised ->> 'type';
    v_subject text := p_raised ->> 'subject';
    v_title text := p_raised ->> 'title';
    v_severity text := ops.severity_of(p_raised ->> 'severity');
    v_resolved boolean := p_raised ->> 'status' = 'resolved';
begin
    if jsonb_typeof(p_raised) <> 'object'
        or coalesce(p_raised ->> 'status', '') not in ('firing', 'resolved')
        or coalesce(length(v_source), 0) not between 1 and 100
        or coalesce(length(v_type), 0) not between 1 and 100
        or length(v_subject) not between 1 and 500
        or length(p_raised ->> 'fingerprint') not between 1 and 500
    then
        raise exception 'an alert needs status (firing or resolved), source and type; subject and fingerprint have 1 to 500 characters'
            using errcode = 'invalid_parameter_value';
    end if;
    if not v_resolved and (v_severity is null or coalesce(length(v_title), 0) = 0) then
        raise exception 'a firing alert needs a severity (critical, high, medium or low) and a title'
            using errcode = 'invalid_parameter_value';
    end if;
    if coalesce(p_raised ->> 'fingerprint', v_subject, v_title) is null then
        raise exception 'a resolved alert needs the fingerprint, subject or title that it was raised with'
            using errcode = 'invalid_parameter_value';
    end if;

    return row(
        'external:' || v_source || ':'
            || coalesce(p_raised ->> 'fingerprint', v_type || ':' || coalesce(v_subject, ops.message_key(v_title))),
        'external',
        coalesce(v_subject, v_type),
        v_severity,
        case when v_resolved then 'good' else 'bad' end,
        null, null, null, null, 1,
        jsonb_build_object(
            'title', left(v_title, 500),
            'message', left(p_raised ->> 'message', 5000),
            'detail', jsonb_build_object(
                'source', v_source,
                'type', v_type,
                'data', coalesce(nullif(p_raised -> 'data', 'null'), '{}')
            )
        ),
        null
    )::ops.observation;
end
$$;

comment on function ops.observe_raised(jsonb) is
    'One raised alert as an observation; refuses what is incomplete with SQLSTATE 22023.';

create function ops.apply_raised(p_raised jsonb, p_context ops.context, p_now timestamptz)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_observation ops.observation := ops.observe_raised(p_raised);
    v_alert ops.alerts;
    v_outcome text;
begin
    select * into v_alert
    from ops.alerts
    where fingerprint = v_observation.fingerprint and status <> 'resolved';

    if found and v_observation.verdict = 'good' then
        v_outcome := 'resolved';
        perform ops.resolve_alert(v_alert.id, v_observation.facts - 'detail', p_context, p_now);
    elsif found then
        v_outcome := 'updated';
        perform ops.note_alert(v_alert.id, v_observation, 1, p_context, p_now);
    elsif v_observation.verdict = 'good' then
        v_outcome := 'ignored';
    else
        v_outcome := 'opened';
        v_alert := ops.open_alert(v_observation, 'external', p_now, 1, p_context, p_now);
        perform ops.queue_firing(v_alert, p_context, p_now);
    end if;

    return jsonb_build_object(
        'fingerprint', v_observation.fingerprint,
        'alert', v_alert.id,
        'outcome', v_outcome
    );
end
$$;

comment on function ops.apply_raised(jsonb, ops.context, timestamptz) is
    'Opens, notes or resolves what one raised alert says, and returns which.';

create function public.ops_raise_alerts(
    p_request uuid,
    p_alerts jsonb,
    p_channels text[],
    p_now timestamptz default null
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_settings jsonb := ops.read_settings();
    v_results jsonb := '[]';
    v_raised jsonb;
begin
    if p_request is null
        or p_channels is null
        or not p_channels <@ ops.known_channels()
        or jsonb_typeof(p_alerts) is distinct from 'array'
        or jsonb_array_length(p_alerts) > 1000
    then
        raise exception 'raising needs a request, the channels (slack, email) and an array of at most 1000 alerts'
            using errcode = 'invalid_parameter_value';
    end if;

    perform ops.lock_alerts();
    if exists (select from ops.raises where request = p_request) then
        return (select result from ops.raises where request = p_request);
    end if;

    for v_raised in
        select value from jsonb_array_elements(p_alerts) with ordinality as raised (value, nth) order by nth
    loop
        v_results := v_results || ops.apply_raised(
            v_raised,
            row(v_raised ->> 'environment', null, null, p_channels, v_settings)::ops.context,
            v_now
        );
    end loop;

    insert into ops.raises (request, result, at)
    values (p_request, jsonb_build_object('results', v_results), v_now);
    return jsonb_build_object('results', v_results);
end
$$;

comment on function public.ops_raise_alerts(uuid, jsonb, text[], timestamptz) is
    'Raises or resolves alerts from outside, all or none: opened, updated, resolved or ignored, in the order given. Repeated with the same request it returns its first result.';

revoke all on all functions in schema ops from public, anon, authenticated;
grant execute on all functions in schema ops to service_role;
revoke all on function public.ops_raise_alerts(uuid, jsonb, text[], timestamptz) from public, anon, authenticated;
grant execute on function public.ops_raise_alerts(uuid, jsonb, text[], timestamptz) to service_role;
