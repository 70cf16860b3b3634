-- Callers raise alerts here: deployments, other jobs and other systems know things that no
-- probe sees. They give each alert its identity and severity, and their alerts stay open
-- until they resolve them.

create or replace function ops.check_raised(p_raised jsonb)
returns void
language plpgsql
stable
set search_path = ''
as $$
begin
    if jsonb_typeof(p_raised) <> 'object' then
        perform ops.refuse('each of alerts', 'an object', jsonb_typeof(p_raised));
    end if;
    perform ops.check_word('status', p_raised ->> 'status', '{firing,resolved}');
    perform ops.check_length('source', p_raised ->> 'source', 100);
    perform ops.check_length('type', p_raised ->> 'type', 100);
    if p_raised ->> 'subject' is not null then
        perform ops.check_length('subject', p_raised ->> 'subject', 500);
    end if;
    if p_raised ->> 'fingerprint' is not null then
        perform ops.check_length('fingerprint', p_raised ->> 'fingerprint', 500);
    end if;

    if jsonb_path_exists(p_raised -> 'data', '$.**{17 to last}') then
        perform ops.refuse('data', 'a document of at most 16 levels', 'more');
    end if;

    if p_raised ->> 'status' = 'firing' then
        if ops.severity_of(p_raised ->> 'severity') is null then
            perform ops.refuse(
                'severity of a firing alert', ops.join_words(ops.words('ops.severity')), p_raised ->> 'severity'
            );
        end if;
        perform ops.check_given(
            'title of a firing alert', nullif(p_raised ->> 'title', ''), 'a text of at least one character'
        );
    elsif coalesce(p_raised ->> 'fingerprint', p_raised ->> 'subject', p_raised ->> 'title') is null then
        perform ops.refuse(
            'fingerprint of a resolved alert', 'given, or else the subject or title that it was raised with', null
        );
    end if;
end
$$;

comment on function ops.check_raised(jsonb) is
    'Refuses what is no alert that a caller may raise or resolve. Severities of the application are accepted as well.';

create or replace function ops.observe_raised(p_raised jsonb)
returns ops.observation
language plpgsql
stable
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
    perform ops.check_raised(p_raised);
    return ops.make_observation(
        'external',
        coalesce(v_subject, v_type),
        case when v_resolved then 'good' else 'bad' end,
        p_fingerprint => 'external:' || v_source || ':'
            || coalesce(p_raised ->> 'fingerprint', v_type || ':' || coalesce(v_subject, ops.message_key(v_title))),
        p_severity => v_severity,
        p_facts => jsonb_build_object(
            'title', left(v_title, 500),
            'message', left(p_raised ->> 'message', 5000),
            'detail', jsonb_build_object(
                'source', v_source,
                'type', v_type,
                'data', coalesce(nullif(p_raised -> 'data', 'null'), '{}')
            )
        )
    );
end
$$;

comment on function ops.observe_raised(jsonb) is
    'Returns a raised alert as an observation: bad if it fires, good if it is resolved. Refuses what is incomplete with SQLSTATE 22023.';

create or replace function ops.apply_raised(p_raised jsonb, p_context ops.context, p_now timestamptz)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_observation ops.observation := ops.observe_raised(ops.complete_report(p_raised));
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
        v_alert := ops.open_alert(
            v_observation, 'external', ops.raised_since(p_raised, p_now), 1, p_context, p_now
        );
        perform ops.hold_raised(v_alert.id, p_context.settings, p_now);
        perform ops.queue_firing(v_alert, p_context, p_now);
    end if;

    perform ops.log_report(v_alert, p_raised, p_now);

    return jsonb_build_object(
        'fingerprint', v_observation.fingerprint,
        'alert', v_alert.id,
        'outcome', v_outcome,
        'incident', (select number from ops.incidents where id = v_alert.incident)
    );
end
$$;

comment on function ops.apply_raised(jsonb, ops.context, timestamptz) is
    'Opens, updates or resolves the alert that a caller raised or resolved, and returns the outcome with the number of its incident.';

create or replace function public.ops_raise_alerts(
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
    v_settings jsonb;
    v_answer jsonb;
    v_results jsonb := '[]'::jsonb;
    v_raised jsonb;
begin
    perform ops.hold_functions();
    perform ops.check_request(p_request);
    perform ops.check_list('alerts', p_alerts, 1000);
    perform ops.check_channels(p_channels);
    v_settings := ops.read_settings();

    perform ops.lock_alerts();
    v_answer := ops.former_answer(p_request, 'ops_raise_alerts');
    if v_answer is not null then
        return v_answer;
    end if;

    for v_raised in
        select value from jsonb_array_elements(p_alerts) with ordinality as raised (value, nth) order by nth
    loop
        v_results := v_results || ops.apply_raised(
            v_raised,
            ops.make_context(p_channels, v_settings, v_raised ->> 'environment'),
            v_now
        );
    end loop;
    perform ops.advance_ladder(ops.make_context(p_channels, v_settings), v_now);

    return ops.keep_answer(p_request, 'ops_raise_alerts', jsonb_build_object('results', v_results), v_now);
end
$$;

comment on function public.ops_raise_alerts(uuid, jsonb, text[], timestamptz) is
    'Raises and resolves alerts for a caller, all of them or none, and returns an outcome for each in the order given: opened, updated, resolved or ignored. A call that is repeated with the same request returns its first result.';

create or replace function ops.raised_since(p_raised jsonb, p_now timestamptz)
returns timestamptz
language sql
stable
set search_path = ''
as $$
    select case
        when since > p_now - interval '30 days' and since < p_now then since
        else p_now
    end
    from (select (p_raised ->> 'since')::timestamptz as since) as given
$$;

comment on function ops.raised_since(jsonb, timestamptz) is
    'Returns since when a raised alert has been bad: the time that it gives, if that lies within the last 30 days, else now.';
