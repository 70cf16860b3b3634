-- The tick over checks as data: which are due, what is sampled of them, and
-- what their verdicts are.
--
-- Why: each check has an interval of its own, and what is not due is neither
-- probed nor forgotten; a thousand of them have to fit into one tick.
-- Read by: claims of the monitor, the tick.
-- Undo: put back the former functions of these names; drop the others.

set local search_path = '';

insert into ops.rules (rule, severity, signal, subject_kind, bad_after, good_after, affects)
values
    ('check_failing', null, 'check', 'check', null, null, '{app}'),
    ('check_slow', 'medium', 'check', 'check', null, null, '{app}');

insert into ops.settings (key, kind, value, default_value, description)
values
    ('checks.private_addresses', 'boolean', 'false', 'false', 'Whether kept checks may reach private, loopback and link-local addresses; loopback is always allowed where the database is on the same machine.');

alter table ops.checks
    drop constraint checks_kind_check,
    add constraint checks_kind_check check (
        kind in ('app', 'dependency', 'certificate', 'aggregate', 'http', 'tls', 'dns', 'tcp', 'heartbeat', 'rule')
    );

-- Due ------------------------------------------------------------------------

create function ops.due_checks(p_now timestamptz, p_all boolean)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select coalesce(jsonb_agg(ops.definition_document(definition) order by definition.name), '[]')
    from ops.check_definitions as definition
    left join ops.checks as known on known.name = definition.check_name
    where definition.enabled
        and definition.kind in ('http', 'tls', 'dns', 'tcp')
        and (
            p_all
            or known.last_seen_at is null
            or known.last_seen_at < definition.updated_at
            -- Ticks are a minute apart, some seconds more or less.
            or known.last_seen_at <= p_now - make_interval(secs => definition.every_seconds - 30)
        )
$$;

comment on function ops.due_checks(timestamptz, boolean) is
    'The definitions that a tick at that time has to probe: those whose interval is over, those that were changed since, or all.';

create or replace function ops.claimed_document(p_run ops.runs)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_build_object(
        'outcome', 'claimed',
        'reason', null,
        'job', p_run.job,
        'run', p_run.id,
        'slot', p_run.slot,
        'fence', p_run.fence,
        'now', p_run.started_at,
        'missed', p_run.missed,
        'settings', ops.read_settings(),
        -- Whoever asks by hand wants to see everything now.
        'checks', case
            when p_run.job = 'monitor' then ops.due_checks(p_run.started_at, p_run.slot is null)
        end
    )
$$;

-- Samples --------------------------------------------------------------------

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
        raise exception 'a tick needs checks, channels (slack, email), everySeconds and environment (development, preview or production)'
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

create or replace function ops.record_samples(p_run uuid, p_tick jsonb, p_now timestamptz)
returns bigint
language plpgsql
set search_path = ''
as $$
declare
    v_every_seconds integer := (p_tick ->> 'everySeconds')::integer;
    v_samples bigint;
begin
    with seen as materialized (
        select
            sampled.*,
            -- A definition may have an interval of its own, never less than a tick's.
            greatest(coalesce(definition.every_seconds, 0), v_every_seconds) as every_seconds
        from (
            select * from ops.sampled_checks(p_tick)
            union all
            select * from ops.derived_checks(p_tick, p_now)
        ) as sampled
        left join ops.check_definitions as definition on definition.check_name = sampled.name
    ),
    registered as (
        insert into ops.checks as known (
            name, kind, service, every_seconds, critical, environment, created_at, last_seen_at, first_up_at
        )
        select
            name, kind, service, every_seconds, critical, p_tick ->> 'environment', p_now, p_now,
            case when status in ('up', 'degraded') then p_now end
        from seen
        order by name
        on conflict (name) do update
        set
            kind = excluded.kind,
            service = excluded.service,
            every_seconds = excluded.every_seconds,
            critical = excluded.critical,
            environment = excluded.environment,
            last_seen_at = excluded.last_seen_at,
            first_up_at = coalesce(known.first_up_at, excluded.first_up_at)
    )
    insert into ops.samples (
        check_name, at, status, valid_seconds, latency_ms, reason, run, environment,
        deployment_id, commit_sha, region, detail
    )
    select
        name, p_now, status, 2 * every_seconds, latency_ms, reason, p_run, p_tick ->> 'environment',
        p_tick #>> '{deployment,id}', p_tick #>> '{deployment,commit}', p_tick #>> '{deployment,region}', detail
    from seen;
    get diagnostics v_samples = row_count;
    perform ops.note_facts(p_now);
    return v_samples;
end
$$;

comment on function ops.record_samples(uuid, jsonb, timestamptz) is
    'Registers the checks of a tick and those that the database reads itself, stores one sample each, and notes the facts; returns how many samples.';

create or replace function ops.record_system_health(p_tick jsonb, p_settings jsonb, p_now timestamptz)
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
        where kind in ('app', 'dependency')
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

-- Verdicts -------------------------------------------------------------------

create function ops.definition_host(p_spec jsonb)
returns text
language sql
immutable
parallel safe
set search_path = ''
as $$
    select lower(coalesce(
        p_spec ->> 'host',
        substring(p_spec ->> 'url' from '^https://(\[[^\]]*\]|[^/?#:]+)')
    ))
$$;

comment on function ops.definition_host(jsonb) is
    'The host whose certificate a definition''s probe sees, as the certificate''s rules name it.';

create function ops.observe_definitions(p_tick jsonb, p_now timestamptz, p_settings jsonb)
returns setof ops.observation
language sql
stable
set search_path = ''
as $$
    with checks as (
        select
            definition.name as subject,
            definition.severity,
            reported.status,
            reported.latency_ms,
            (definition.spec ->> 'maxLatencyMs')::numeric as latency_limit,
            jsonb_build_object(
                'reason', reported.reason,
                'service', reported.service,
                'detail', reported.detail || jsonb_build_object('check', definition.kind)
            ) as facts
        from (
            select * from ops.read_checks(p_tick)
            union all
            select * from ops.derived_checks(p_tick, p_now)
        ) as reported
        join ops.check_definitions as definition on definition.check_name = reported.name
    )
    select
        'check_failing:' || subject, 'check_failing', subject, severity,
        case status when 'down' then 'bad' when 'unknown' then 'insufficient' else 'good' end,
        null::numeric, null::numeric, null, null::bigint, 1::bigint, facts, null::bigint
    from checks

    union all
    select
        'check_slow:' || subject, 'check_slow', subject, null,
        case
            -- A limit that was taken away leaves nothing to be above.
            when latency_limit is null then 'good'
            when status in ('up', 'degraded') then ops.judge(latency_ms, latency_limit, 1, 1)
            else 'insufficient'
        end,
        latency_ms, latency_limit, 'ms', null, 1, facts, null
    from checks
    where latency_limit is not null
        or exists (select from ops.alert_states where fingerprint = 'check_slow:' || subject)
$$;

comment on function ops.observe_definitions(jsonb, timestamptz, jsonb) is
    'The verdicts on kept checks: whether each does what it should, and quickly enough where it has a limit.';

create or replace function ops.observe_unwatched(p_observed text[])
returns setof ops.observation
language sql
stable
set search_path = ''
as $$
    select
        state.fingerprint, state.rule, state.subject, null, 'good', null::numeric, null::numeric, null,
        null::bigint, 1::bigint, jsonb_build_object('reason', 'removed'), null::bigint
    from ops.alert_states as state
    join ops.rules as rule on rule.rule = state.rule
    where rule.signal = 'check'
        and state.fingerprint <> all (p_observed)
        -- What is only not due yet is still watched.
        and not exists (
            select
            from ops.check_definitions as definition
            where definition.enabled
                and lower(state.subject) = case
                    when state.rule like 'certificate%' then ops.definition_host(definition.spec)
                    else definition.name
                end
                and state.rule in ('check_failing', 'check_slow', 'certificate_urgent', 'certificate_expiring')
        )
$$;

create or replace function ops.verdict_documents(p_observations ops.observation[])
returns jsonb
language sql
immutable
set search_path = ''
as $$
    select coalesce(
        jsonb_agg(
            jsonb_build_object(
                'rule', rule,
                'subject', subject,
                'verdict', verdict,
                'value', value,
                'threshold', threshold,
                'unit', unit,
                'samples', samples
            )
            order by rule, subject
        ),
        '[]'
    )
    from unnest(p_observations)
    -- There may be a thousand kept checks, and the record of a run is kept.
    where verdict <> 'good' or rule not in ('check_failing', 'check_slow')
$$;

revoke all on all functions in schema ops from public, anon, authenticated;
grant execute on all functions in schema ops to service_role;
