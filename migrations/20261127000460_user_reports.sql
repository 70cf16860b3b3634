-- What users report opens incidents.
--
-- Why: users notice what no probe looks at. A report raises an ordinary alert,
-- so that people hear of it, and opens an incident, so that it is not over before
-- somebody says so; the same report again is counted there.
-- Read by: POST /api/alerts/dispatch.
-- Undo: put back ops.apply_raised and drop the other functions.

set local search_path = '';

create function ops.complete_report(p_raised jsonb)
returns jsonb
language sql
immutable
set search_path = ''
as $$
    select case
        when p_raised ->> 'source' = 'user-report' and p_raised ->> 'severity' is null
        then p_raised || '{"severity": "medium"}'
        else p_raised
    end
$$;

comment on function ops.complete_report(jsonb) is
    'A raised alert as it is; a user''s report is of medium severity unless it says otherwise.';

create function ops.log_report(p_alert ops.alerts, p_raised jsonb, p_now timestamptz)
returns void
language sql
set search_path = ''
as $$
    select ops.log_incident_event(
        p_alert.incident, 'reported', 'user-report', left(coalesce(p_raised ->> 'message', p_raised ->> 'title'), 5000),
        jsonb_strip_nulls(jsonb_build_object('alert', p_alert.id, 'reporter', left(p_raised #>> '{data,reporter}', 200))),
        p_now
    )
    where ops.is_report(p_alert) and p_alert.incident is not null and p_raised ->> 'status' = 'firing'
$$;

comment on function ops.log_report(ops.alerts, jsonb, timestamptz) is
    'Notes in the incident of a user''s report what was said, and by whom if data.reporter tells; nothing for other alerts.';

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
        v_alert := ops.open_alert(v_observation, 'external', p_now, 1, p_context, p_now);
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
    'Opens, notes or resolves what one raised alert says, and returns which, with the number of its incident.';

revoke all on all functions in schema ops from public, anon, authenticated;
grant execute on all functions in schema ops to service_role;
