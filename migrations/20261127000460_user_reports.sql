-- What users report opens incidents.
--
-- Why: users notice what no probe looks at. A report raises an ordinary alert,
-- so that people hear of it, and opens an incident, so that it is not over before
-- somebody says so; the same report again is counted there.
-- Read by: POST /api/alerts/dispatch.
-- Undo: drop the functions, once nothing that raises alerts calls them.

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

revoke all on all functions in schema ops from public, anon, authenticated;
grant execute on all functions in schema ops to service_role;
