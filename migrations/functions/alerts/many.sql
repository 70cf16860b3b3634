-- One thing is done about many alerts at once: those of an incident, those that match, or
-- those that somebody has selected.

create or replace function ops.check_selection(p_select jsonb)
returns void
language plpgsql
stable
set search_path = ''
as $$
declare
    v_kinds constant text[] := array['alerts', 'incident', 'match'];
begin
    if jsonb_typeof(p_select) is distinct from 'object'
        or (select count(*) from jsonb_object_keys(p_select)) <> 1
        or p_select - v_kinds <> '{}'
    then
        perform ops.refuse('select', 'an object with one of ' || ops.join_words(v_kinds), p_select::text);
    end if;
    if p_select ? 'match' then
        perform ops.check_match(p_select -> 'match');
    elsif p_select ? 'incident' then
        if p_select ->> 'incident' !~ '^[0-9]{1,15}$' then
            perform ops.refuse('incident', 'the number of an incident', p_select ->> 'incident');
        end if;
    else
        perform ops.check_list('alerts', p_select -> 'alerts', 500);
        if exists (
            select
            from jsonb_array_elements_text(p_select -> 'alerts') as id
            where coalesce(id, '') !~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
        ) then
            perform ops.refuse('alerts', 'a list of the ids of alerts', p_select ->> 'alerts');
        end if;
    end if;
end
$$;

comment on function ops.check_selection(jsonb) is
    'Refuses with SQLSTATE 22023 what selects no alerts: {alerts: [id, …]}, {incident: number} or {match: {…}}.';

create or replace function ops.list_selected(p_select jsonb)
returns setof ops.alerts
language sql
stable
set search_path = ''
as $$
    select alert.*
    from ops.alerts as alert
    where alert.status <> 'resolved'
        and case
            when p_select ? 'match' then ops.matches_alert(alert, jsonb_strip_nulls(p_select -> 'match'))
            when p_select ? 'incident' then alert.incident = (
                select id from ops.incidents where number = (p_select ->> 'incident')::bigint
            )
            else p_select -> 'alerts' ? alert.id::text
        end
    order by alert.id
$$;

comment on function ops.list_selected(jsonb) is 'Returns the open alerts that are selected.';

create or replace function ops.act_on_selected(
    p_request uuid,
    p_select jsonb,
    p_action text,
    p_from timestamptz,
    p_until timestamptz,
    p_note text,
    p_actor text,
    p_now timestamptz
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_match jsonb := case
        when p_select ? 'match' then p_select -> 'match'
        else jsonb_build_object('fingerprint', (
            select jsonb_agg(selected.fingerprint) from ops.list_selected(p_select) as selected
        ))
    end;
    v_acted uuid[];
begin
    if p_action = 'silence' then
        -- One silence, which also holds for what opens meanwhile.
        if v_match -> 'fingerprint' = 'null' then
            return jsonb_build_object('acted', '[]'::jsonb, 'silence', null);
        end if;
        perform ops.check_silence(p_request, v_match, p_note, p_actor);
        perform ops.check_until(p_until, interval '90 days', p_now);
        return jsonb_build_object(
            'acted', (select coalesce(jsonb_agg(id), '[]') from ops.list_selected(p_select)),
            'silence', ops.add_silence(p_request, v_match, p_from, p_until, p_note, p_actor, p_now)
        );
    end if;
    select coalesce(array_agg(selected.id), '{}')
    into v_acted
    from ops.list_selected(p_select) as selected
    where ops.apply_action(selected, p_request, p_action, p_until, p_note, p_actor, null, p_now) = 'done';
    return jsonb_build_object('acted', to_jsonb(v_acted), 'silence', null);
end
$$;

comment on function ops.act_on_selected(uuid, jsonb, text, timestamptz, timestamptz, text, text, timestamptz) is
    'Does one thing about every open alert that is selected and returns which; a silence is one for all of them. The caller holds the lock of the alerts.';

create or replace function public.ops_act_on_alerts(
    p_request uuid,
    p_select jsonb,
    p_action text,
    p_from timestamptz,
    p_until timestamptz,
    p_note text,
    p_actor text,
    p_now timestamptz default null,
    p_role text default null
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_answer jsonb;
begin
    perform ops.hold_functions();
    perform ops.check_request(p_request);
    perform ops.check_permission(p_role, 'alerts.answer');
    perform ops.check_word('action', p_action, ops.words('ops.alert_action'));
    perform ops.check_selection(p_select);
    perform ops.check_length('actor', btrim(p_actor), 200);
    if length(p_note) > 1000 then
        perform ops.refuse('note', 'a text of at most 1000 characters', length(p_note) || ' characters');
    end if;
    if p_from is not null and (p_action <> 'silence' or p_from >= p_until) then
        perform ops.refuse('from', 'the beginning of a silence, before until', p_from::text);
    end if;

    perform ops.lock_alerts();
    v_answer := ops.former_answer(p_request, 'ops_act_on_alerts');
    if v_answer is not null then
        return v_answer;
    end if;
    return ops.keep_answer(
        p_request, 'ops_act_on_alerts',
        ops.act_on_selected(
            p_request, p_select, p_action, p_from, p_until, nullif(btrim(p_note), ''), btrim(p_actor), v_now
        ),
        v_now
    );
end
$$;

comment on function public.ops_act_on_alerts(uuid, jsonb, text, timestamptz, timestamptz, text, text, timestamptz, text) is
    'Does one thing about many open alerts: those of an incident, those that match, or those that are named. Returns which, and the silence if it was one. A call that is repeated with the same request returns its first result.';
