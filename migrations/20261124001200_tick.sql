-- The parts of a tick: what it samples, and what follows from its verdicts.
--
-- Why: ops.step decides, these write down: samples and system_health, then for
-- each fingerprint its state, its alert, incident and messages.
-- Read by: public.ops_commit_tick.
-- Undo: drop the functions of this file.

set local search_path = '';

-- Samples --------------------------------------------------------------------

create function ops.check_tick(p_tick jsonb)
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
        raise exception 'a tick needs checks, channels (slack, email), everySeconds and environment (development, preview or production)'
            using errcode = 'invalid_parameter_value';
    end if;
    if exists (
        select
        from jsonb_to_recordset(p_tick -> 'checks') as reported (name text, kind text, service text, status text)
        where coalesce(name, '') = ''
            or coalesce(service, '') = ''
            or coalesce(kind, '') not in ('app', 'dependency', 'certificate')
            or coalesce(status, '') not in ('up', 'degraded', 'down', 'unknown', 'unconfigured')
    ) then
        raise exception 'a check needs name, kind (app, dependency or certificate), service and status (up, degraded, down, unknown or unconfigured)'
            using errcode = 'invalid_parameter_value';
    end if;
end
$$;

comment on function ops.check_tick(jsonb) is 'Refuses what is not a tick with SQLSTATE 22023.';

create function ops.sampled_checks(
    p_tick jsonb,
    out name text,
    out kind text,
    out service text,
    out critical boolean,
    out status text,
    out latency_ms numeric,
    out reason text,
    out detail jsonb
)
returns setof record
language sql
immutable
set search_path = ''
as $$
    with checks as (
        select * from ops.read_checks(p_tick)
    ),
    -- What is not known of one page is not claimed for the whole.
    worst as (
        select status, reason
        from checks
        where kind = 'app'
        order by array_position('{down,unknown,degraded,up}'::text[], status), name
        limit 1
    )
    select * from checks
    union all
    select 'app', 'aggregate', 'app', true, worst.status, slowest.latency_ms, worst.reason, '{}'::jsonb
    from worst
    cross join (select max(latency_ms) as latency_ms from checks where kind = 'app') as slowest
$$;

comment on function ops.sampled_checks(jsonb) is
    'What a tick has samples of: its checks, and app, which is as bad as the worst checked URL and as slow as the slowest.';

create function ops.record_samples(p_run uuid, p_tick jsonb, p_now timestamptz)
returns bigint
language plpgsql
set search_path = ''
as $$
declare
    v_every_seconds integer := (p_tick ->> 'everySeconds')::integer;
    v_samples bigint;
begin
    insert into ops.checks (name, kind, service, every_seconds, critical, environment, created_at, last_seen_at)
    select name, kind, service, v_every_seconds, critical, p_tick ->> 'environment', p_now, p_now
    from ops.sampled_checks(p_tick)
    order by name
    on conflict (name) do update
    set
        kind = excluded.kind,
        service = excluded.service,
        every_seconds = excluded.every_seconds,
        critical = excluded.critical,
        environment = excluded.environment,
        last_seen_at = excluded.last_seen_at;

    insert into ops.samples (
        check_name, at, status, valid_seconds, latency_ms, reason, run, environment,
        deployment_id, commit_sha, region, detail
    )
    select
        name, p_now, status, 2 * v_every_seconds, latency_ms, reason, p_run, p_tick ->> 'environment',
        p_tick #>> '{deployment,id}', p_tick #>> '{deployment,commit}', p_tick #>> '{deployment,region}', detail
    from ops.sampled_checks(p_tick);
    get diagnostics v_samples = row_count;
    return v_samples;
end
$$;

comment on function ops.record_samples(uuid, jsonb, timestamptz) is
    'Registers the checks of a tick and stores one sample each; returns how many.';

create function ops.record_system_health(p_tick jsonb, p_settings jsonb, p_now timestamptz)
returns void
language sql
set search_path = ''
as $$
    with services as (
        select
            service,
            max(array_position('{up,degraded,unknown,down}'::text[], status)) as worst,
            max(latency_ms) as latency_ms,
            min(name) as first_name,
            jsonb_agg(
                jsonb_build_object('name', name, 'status', status, 'reason', reason, 'latencyMs', latency_ms)
                order by name
            ) as checks
        from ops.read_checks(p_tick)
        where kind <> 'certificate'
        group by service
    )
    insert into public.system_health (
        service_name, status, response_time, error_rate, uptime_percentage, metadata, "timestamp", environment
    )
    select
        service,
        -- The old readers know three words; what is not known is not healthy.
        ('{healthy,degraded,degraded,unhealthy}'::text[])[worst],
        -- The application's column ends there; `least` alone would fill in a null.
        case when latency_ms is not null then least(latency_ms, 9999999) end,
        case service
            when 'app' then (
                select percent
                from ops.error_rate(p_now - ops.minutes(p_settings, 'window.error_rate_minutes'), p_now)
            )
        end,
        (
            select round(100 * day.up / nullif(day.up + day.down, 0), 2)
            from ops.uptime(
                case service when 'app' then 'app' else first_name end,
                p_now - interval '24 hours',
                p_now
            ) as day
        ),
        jsonb_build_object('checks', checks),
        p_now,
        p_tick ->> 'environment'
    from services
    order by service
$$;

comment on function ops.record_system_health(jsonb, jsonb, timestamptz) is
    'Writes one row per service for the readers of the old dashboard; we never read it.';

-- Verdicts and transitions ---------------------------------------------------

create function ops.transition_document(p_alert ops.alerts, p_kind text)
returns jsonb
language sql
immutable
set search_path = ''
as $$
    select jsonb_build_object(
        'alert', p_alert.id,
        'fingerprint', p_alert.fingerprint,
        'rule', p_alert.rule,
        'subject', p_alert.subject,
        'severity', p_alert.severity,
        'kind', p_kind
    )
$$;

comment on function ops.transition_document(ops.alerts, text) is 'A transition as the commit reports it.';

create function ops.apply_step(
    p_state ops.alert_states,
    p_transition text,
    p_observation ops.observation,
    p_context ops.context,
    p_now timestamptz
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_alert ops.alerts;
    v_state ops.alert_states := p_state;
    -- A rule counts its bad observations, an event the rows that are new.
    v_event boolean := exists (
        select from ops.rules where rule = p_observation.rule and signal = 'event'
    );
    v_document jsonb;
begin
    if p_transition = 'open' then
        v_alert := ops.open_alert(
            p_observation,
            case p_observation.rule when 'app_alert' then 'app' else 'monitor' end,
            coalesce((p_observation.facts ->> 'since')::timestamptz, p_state.first_bad_at),
            case when v_event then greatest(p_observation.occurrences, 1) else p_state.bad_count end,
            p_context,
            p_now
        );
        if v_alert.id is not null then
            perform ops.queue_firing(v_alert, p_context, p_now);
            v_state.alert := v_alert.id;
            v_document := ops.transition_document(v_alert, 'opened');
        end if;
    elsif p_transition = 'resolve' then
        v_alert := ops.resolve_alert(
            p_state.alert,
            jsonb_build_object(
                'value', p_observation.value,
                'threshold', p_observation.threshold,
                'samples', p_observation.samples,
                'reason', p_observation.facts ->> 'reason'
            ),
            p_context,
            p_now
        );
        if v_alert.id is not null then
            v_document := ops.transition_document(v_alert, 'resolved');
        end if;
    elsif p_state.phase = 'firing' and p_observation.verdict = 'bad' then
        perform ops.note_alert(
            p_state.alert, p_observation, p_observation.occurrences, p_context, p_now
        );
    end if;

    if v_state.phase = 'quiet' and v_state.bad_count = 0 then
        -- Simply quiet is the same as never seen.
        delete from ops.alert_states where fingerprint = v_state.fingerprint;
    else
        update ops.alert_states
        set
            phase = v_state.phase,
            bad_count = v_state.bad_count,
            good_count = v_state.good_count,
            first_bad_at = v_state.first_bad_at,
            last_bad_at = v_state.last_bad_at,
            last_observed_at = v_state.last_observed_at,
            last_fence = v_state.last_fence,
            alert = v_state.alert
        where fingerprint = v_state.fingerprint;
    end if;
    return v_document;
end
$$;

comment on function ops.apply_step(ops.alert_states, text, ops.observation, ops.context, timestamptz) is
    'Writes what ops.step decided about one fingerprint, and returns the transition, if there was one.';

create function ops.apply_observations(
    p_observations ops.observation[],
    p_fence bigint,
    p_context ops.context,
    p_now timestamptz
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_next record;
    v_transition jsonb;
    v_transitions jsonb := '[]';
begin
    insert into ops.alert_states (fingerprint, rule, subject)
    select distinct on (seen.fingerprint) seen.fingerprint, seen.rule, seen.subject
    from unnest(p_observations) as seen
    where seen.verdict = 'bad'
    order by seen.fingerprint
    on conflict (fingerprint) do nothing;

    perform
    from ops.alert_states
    where fingerprint in (select seen.fingerprint from unnest(p_observations) as seen)
    order by fingerprint
    for update;

    for v_next in
        select stepped.state, stepped.transition, seen as observation
        from unnest(p_observations) as seen
        join ops.alert_states as remembered on remembered.fingerprint = seen.fingerprint
        join ops.effective_rules(p_context.settings) as in_force on in_force.rule = seen.rule
        cross join lateral ops.step(
            remembered,
            row(
                seen.fingerprint, seen.rule, seen.subject, seen.severity, seen.verdict, seen.value,
                seen.threshold, seen.unit, seen.samples, seen.occurrences, seen.facts, p_fence
            )::ops.observation,
            in_force,
            p_now
        ) as stepped
        -- The worst first, so that an incident is named after it.
        order by ops.severity_rank(coalesce(in_force.severity, seen.severity)) desc, seen.fingerprint
    loop
        v_transition := ops.apply_step(v_next.state, v_next.transition, v_next.observation, p_context, p_now);
        if v_transition is not null then
            v_transitions := v_transitions || v_transition;
        end if;
    end loop;
    return v_transitions;
end
$$;

comment on function ops.apply_observations(ops.observation[], bigint, ops.context, timestamptz) is
    'Folds ops.step over what was observed, in fingerprint order under lock, and returns the transitions, the worst first.';

revoke all on all functions in schema ops from public, anon, authenticated;
grant execute on all functions in schema ops to service_role;
