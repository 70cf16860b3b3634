-- Callers who name a channel that is not known are told which are.
--
-- Why: the list is in ops.known_channels; a copy of it in a message would be wrong
-- with the next channel.
-- Read by: whoever calls with channels.
-- Undo: put the functions back as they were.

set local search_path = '';

create or replace function ops.check_tick(p_tick jsonb)
returns void
language plpgsql
immutable
set search_path = ''
as $$
begin
    if jsonb_typeof(p_tick -> 'checks') is distinct from 'array'
        or jsonb_typeof(p_tick -> 'channels') is distinct from 'array'
        or not p_tick -> 'channels' <@ to_jsonb(ops.known_channels())
        or jsonb_typeof(p_tick -> 'everySeconds') is distinct from 'number'
        or coalesce(p_tick ->> 'environment', '') not in ('development', 'preview', 'production')
    then
        raise exception 'a tick needs checks, channels (%), everySeconds and environment (development, preview or production)',
            array_to_string(ops.known_channels(), ', ')
            using errcode = 'invalid_parameter_value';
    end if;
    if exists (
        select
        from jsonb_to_recordset(p_tick -> 'checks') as reported (name text, kind text, service text, status text)
        where coalesce(name, '') = ''
            or coalesce(service, '') = ''
            or coalesce(kind, '') not in ('app', 'dependency', 'certificate', 'http', 'tls', 'dns', 'tcp')
            or coalesce(status, '') not in ('up', 'degraded', 'down', 'unknown', 'unconfigured')
    ) then
        raise exception 'a check needs name, kind (app, dependency, certificate, http, tls, dns or tcp), service and status (up, degraded, down, unknown or unconfigured)'
            using errcode = 'invalid_parameter_value';
    end if;
end
$$;

create or replace function ops.hand_over_emergency(
    p_emergency jsonb,
    p_gap jsonb,
    p_context ops.context,
    p_now timestamptz
)
returns boolean
language plpgsql
set search_path = ''
as $$
declare
    v_since timestamptz := (p_emergency ->> 'since')::timestamptz;
    v_sent_at timestamptz := coalesce((p_emergency ->> 'sentAt')::timestamptz, v_since);
    v_alert ops.alerts;
    v_observation ops.observation := row(
        'monitoring_blind:database', 'monitoring_blind', 'database', null, 'bad', null, null, null, null, 1,
        jsonb_build_object(
            'service', 'database',
            'reason', p_emergency ->> 'reason',
            'detail', jsonb_strip_nulls(jsonb_build_object('gap', p_gap))
        ),
        null
    )::ops.observation;
begin
    if v_since is null
        or jsonb_typeof(p_emergency -> 'channels') is distinct from 'array'
        or not p_emergency -> 'channels' <@ to_jsonb(ops.known_channels())
    then
        raise exception 'an emergency needs since and channels (%)',
            array_to_string(ops.known_channels(), ', ')
            using errcode = 'invalid_parameter_value';
    end if;

    -- Another instance has handed over the same silence, and it is over.
    if exists (
        select
        from ops.alerts
        where fingerprint = v_observation.fingerprint
            and status = 'resolved'
            and v_since between first_bad_at and resolved_at
    ) then
        return false;
    end if;

    v_alert := ops.open_alert(v_observation, 'emergency', v_since, 1, p_context, v_sent_at);
    if v_alert.id is null then
        update ops.alerts
        set first_bad_at = least(first_bad_at, v_since)
        where fingerprint = v_observation.fingerprint and status <> 'resolved'
        returning * into v_alert;
        perform ops.note_alert(v_alert.id, v_observation, 1, p_context, p_now);
    end if;

    insert into ops.alert_states as state
        (fingerprint, rule, subject, phase, bad_count, first_bad_at, last_bad_at, last_observed_at, alert)
    values (
        v_alert.fingerprint, v_alert.rule, v_alert.subject, 'firing', 1, v_since, v_sent_at, v_sent_at, v_alert.id
    )
    on conflict (fingerprint) do update
    set
        bad_count = state.bad_count + 1,
        -- A silence that began after the last one was told starts anew.
        good_count = case when v_since > state.last_bad_at then 0 else state.good_count end,
        last_bad_at = greatest(state.last_bad_at, v_sent_at);

    -- These have been told already; they will hear of the end.
    insert into ops.outbox
        (kind, channel, severity, alert, facts, status, attempts, created_at, next_attempt_at, sent_at)
    select
        'firing', told.channel, v_alert.severity, v_alert.id,
        ops.message_facts(v_alert, 'firing', v_alert.facts), 'sent', 1, v_sent_at, v_sent_at, v_sent_at
    from (select distinct jsonb_array_elements_text(p_emergency -> 'channels')) as told (channel)
    where not exists (
        select
        from ops.outbox as message
        where message.alert = v_alert.id and message.kind = 'firing' and message.channel = told.channel
    );

    if not exists (select from ops.outbox where alert = v_alert.id) then
        -- The emergency reached nobody: say it the ordinary way, late.
        perform ops.queue_firing(v_alert, p_context, p_now);
    end if;
    return true;
end
$$;

create or replace function public.ops_advance_ladder(p_channels text[], p_now timestamptz default null)
returns jsonb
language plpgsql
set search_path = ''
as $$
begin
    if p_channels is null or not p_channels <@ ops.known_channels() then
        raise exception 'advancing needs the channels that are configured (%)',
            array_to_string(ops.known_channels(), ', ')
            using errcode = 'invalid_parameter_value';
    end if;
    perform ops.lock_alerts();
    return jsonb_build_object(
        'told', ops.advance_ladder(
            row(null, null, null, p_channels, ops.read_settings())::ops.context, coalesce(p_now, now())
        )
    );
end
$$;

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
        raise exception 'raising needs a request, the channels (%) and an array of at most 1000 alerts',
            array_to_string(ops.known_channels(), ', ')
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
    perform ops.advance_ladder(row(null, null, null, p_channels, v_settings)::ops.context, v_now);

    insert into ops.raises (request, result, at)
    values (p_request, jsonb_build_object('results', v_results), v_now);
    return jsonb_build_object('results', v_results);
end
$$;

revoke all on all functions in schema ops from public, anon, authenticated;
grant execute on all functions in schema ops to service_role;
revoke all on function public.ops_advance_ladder(text[], timestamptz) from public, anon, authenticated;
grant execute on function public.ops_advance_ladder(text[], timestamptz) to service_role;
revoke all on function public.ops_raise_alerts(uuid, jsonb, text[], timestamptz) from public, anon, authenticated;
grant execute on function public.ops_raise_alerts(uuid, jsonb, text[], timestamptz) to service_role;
