-- A tick reports its checks, and these functions keep them: as samples, and in system_health
-- for the readers of the old dashboard.

create or replace function ops.check_reported(p_checks jsonb)
returns void
language plpgsql
stable
set search_path = ''
as $$
declare
    -- The database itself derives aggregates, and reads heartbeats and rules.
    v_kinds text[] := array(
        select kind
        from unnest(ops.words('ops.check_kind')) with ordinality as known (kind, nth)
        where kind <> all ('{aggregate,heartbeat,rule}')
        order by nth
    );
    v_statuses text[] := ops.words('ops.check_status') || '{unconfigured}'::text[];
begin
    perform ops.check_list('checks', p_checks);
    perform
        ops.check_given('name of each check', nullif(name, ''), 'a text'),
        ops.check_word(format('kind of check %s', name), kind, v_kinds),
        ops.check_given(format('service of check %s', name), nullif(service, ''), 'a text'),
        ops.check_word(format('status of check %s', name), status, v_statuses)
    from jsonb_to_recordset(p_checks) as reported (name text, kind text, service text, status text);
end
$$;

comment on function ops.check_reported(jsonb) is
    'Refuses checks of a tick that lack a name, a kind that is probed, a service or a status, with SQLSTATE 22023.';

create or replace function ops.check_tick(p_tick jsonb)
returns void
language plpgsql
stable
set search_path = ''
as $$
begin
    perform ops.check_list('channels', p_tick -> 'channels');
    perform ops.check_channels(array(select jsonb_array_elements_text(p_tick -> 'channels')));
    if jsonb_typeof(p_tick -> 'everySeconds') is distinct from 'number' then
        perform ops.refuse('everySeconds', 'a number', p_tick ->> 'everySeconds');
    end if;
    perform ops.check_word('environment', p_tick ->> 'environment', ops.words('ops.environment'));
    perform ops.check_reported(p_tick -> 'checks');
end
$$;

comment on function ops.check_tick(jsonb) is 'Refuses a document that is not a tick with SQLSTATE 22023.';

create or replace function ops.status_of_service(p_status text, p_reason text)
returns text
language sql
immutable
parallel safe
set search_path = ''
as $$
    -- A check whose definition cannot be used is bad under its own name, but nobody looked at
    -- what it is about.
    select case p_reason when 'definition' then 'unknown' else p_status end
$$;

comment on function ops.status_of_service(text, text) is
    'What a sample of that status and reason says about the service that it is part of.';

create or replace function ops.sampled_checks(
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
    pages as (
        select
            name,
            ops.status_of_service(status, reason) as status,
            reason,
            latency_ms
        from checks
        where kind = 'app'
    ),
    -- An unknown page is worse than a degraded one: the whole is not up while one page is
    -- unknown.
    worst as (
        select name, status, reason
        from pages
        order by array_position('{down,unknown,degraded,up}'::text[], status), name
        limit 1
    )
    select * from checks
    union all
    select
        'app', 'aggregate', 'app', true, worst.status, slowest.latency_ms, worst.reason,
        case worst.status when 'up' then '{}' else jsonb_build_object('check', worst.name) end
    from worst
    cross join (select max(latency_ms) as latency_ms from pages) as slowest
$$;

comment on function ops.sampled_checks(jsonb) is
    'Returns the checks of a tick, and the aggregate app, which is as bad as the worst checked URL, names it if it is not up, and is as slow as the slowest.';

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
            -- A custom check may have an interval of its own, but never a shorter one than
            -- the tick.
            greatest(coalesce(custom.every_seconds, 0), v_every_seconds) as every_seconds
        from (
            select * from ops.sampled_checks(p_tick)
            union all
            select * from ops.derived_checks(p_tick, p_now)
        ) as sampled
        left join ops.custom_checks as custom on custom.check_name = sampled.name
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
    'Registers the checks of a tick and those that the database reads itself, stores one sample of each, records the facts of the tick, and returns how many samples it stored.';

create or replace function ops.record_system_health(p_tick jsonb, p_settings jsonb, p_now timestamptz)
returns void
language plpgsql
set search_path = ''
as $$
begin
    with services as (
        select
            service,
            max(array_position(
                '{up,degraded,unknown,down}'::text[], ops.status_of_service(status, reason)
            )) as worst,
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
        -- The old dashboard knows three words, and shows an unknown service as degraded.
        ('{healthy,degraded,degraded,unhealthy}'::text[])[worst],
        -- The application's column holds no greater number. `least` alone would turn a null
        -- into that number.
        case when latency_ms is not null then least(latency_ms, 9999999) end,
        case service
            when 'app' then (
                select percent
                from ops.error_rate(
                    p_now - ops.minutes(p_settings, 'window.error_rate_minutes'), p_now, p_tick ->> 'environment'
                )
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
    order by service;
end
$$;

comment on function ops.record_system_health(jsonb, jsonb, timestamptz) is
    'Writes one row for each service for the readers of the old dashboard. We never read the table.';
