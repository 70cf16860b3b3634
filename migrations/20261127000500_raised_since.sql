-- Since when what somebody else raises has been bad.
--
-- Why: another monitor saw the beginning before it told us, and uptime and
-- incidents are counted from the beginning. A clock that is wrong must not make
-- an alert that began tomorrow or before the project did.
-- Read by: POST /api/alerts/dispatch.
-- Undo: put the former ops.apply_raised back; drop ops.raised_since.

set local search_path = '';

create function ops.raised_since(p_raised jsonb, p_now timestamptz)
returns timestamptz
language sql
stable
set search_path = ''
as $$
    select case
        when since > p_now - interval '30 days' and since < p_now then since
        else p_now
    end
    from (select (p_raised ->> 'since')::timestamptz as since) as said
$$;

comment on function ops.raised_since(jsonb, timestamptz) is
    'Since when a raised alert has been bad: as it says if that lies in the last 30 days, else now.';

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
    'Opens, notes or resolves what one raised alert says, and returns which, with the number of its incident.';

revoke all on all functions in schema ops from public, anon, authenticated;
grant execute on all functions in schema ops to service_role;
