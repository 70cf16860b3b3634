-- A report of a user opens an incident, so that it is open until a person resolves it. The
-- same report again is counted in that incident.

create or replace function ops.complete_report(p_raised jsonb)
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
    'Returns a raised alert as it is, but gives a user''s report without a severity the severity medium.';

create or replace function ops.log_report(p_alert ops.alerts, p_raised jsonb, p_now timestamptz)
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
    'Writes into the incident of a firing report what the user reported, and who, if data.reporter names somebody. It does nothing for other alerts.';
