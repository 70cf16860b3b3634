-- Heartbeats and business rules: checks that the database itself can read.
--
-- Why: a job that has to report is known by its silence, and so is an event of
-- the application that stops happening. A heartbeat is reported with a token of
-- its own that nobody can guess; only the token's hash is stored.
-- Read by: /api/heartbeat, the tick, `pourtrait checks`.
-- Undo: drop the functions, then ops.heartbeats; drop ops.checks.first_up_at.

set local search_path = '';

create table ops.heartbeats (
    name text primary key references ops.check_definitions (name) on delete cascade,
    token_hash text not null unique check (token_hash ~ '^[0-9a-f]{64}$'),
    first_at timestamptz,
    started_at timestamptz,
    succeeded_at timestamptz,
    failed_at timestamptz
);

comment on table ops.heartbeats is 'What each heartbeat reported last, and the hash of the token that reports it.';
comment on column ops.heartbeats.token_hash is 'SHA-256 of the token, in hexadecimal; the token itself is shown once, when it is issued.';
comment on column ops.heartbeats.first_at is 'The first report ever; before it the job is not set up and cannot be late.';

alter table ops.heartbeats enable row level security;

alter table ops.checks add column first_up_at timestamptz;

comment on column ops.checks.first_up_at is 'When it was first seen up; null if it never was.';

-- Reports --------------------------------------------------------------------

create function public.ops_issue_heartbeat_token(p_name text, p_by text)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_token text := replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', '');
begin
    perform ops.name_changing_person(p_by);
    if not exists (select from ops.check_definitions where name = p_name and kind = 'heartbeat') then
        raise exception 'no heartbeat is called %', coalesce(p_name, 'null')
            using errcode = 'invalid_parameter_value',
                  hint = 'Add it with `pourtrait checks add`.';
    end if;

    insert into ops.heartbeats (name, token_hash)
    values (p_name, encode(sha256(v_token::bytea), 'hex'))
    on conflict (name) do update set token_hash = excluded.token_hash;
    return jsonb_build_object('name', p_name, 'token', v_token);
end
$$;

comment on function public.ops_issue_heartbeat_token(text, text) is
    'Makes a token for a heartbeat, in place of any former one, and shows it this once.';

create function public.ops_beat(p_token_hash text, p_event text, p_now timestamptz default null)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_name text;
begin
    if coalesce(p_event, '') not in ('start', 'success', 'failure') then
        raise exception 'a heartbeat reports start, success or failure'
            using errcode = 'invalid_parameter_value';
    end if;

    -- A report that arrives late never undoes a newer one.
    update ops.heartbeats
    set
        first_at = coalesce(first_at, v_now),
        started_at = case p_event when 'start' then greatest(started_at, v_now) else started_at end,
        succeeded_at = case p_event when 'success' then greatest(succeeded_at, v_now) else succeeded_at end,
        failed_at = case p_event when 'failure' then greatest(failed_at, v_now) else failed_at end
    where token_hash = p_token_hash
    returning name into v_name;

    return jsonb_build_object('heartbeat', v_name, 'event', p_event, 'at', v_now);
end
$$;

comment on function public.ops_beat(text, text, timestamptz) is
    'Notes a report of the heartbeat whose token has that hash; heartbeat is null if there is none. A report that is repeated changes nothing but its time.';

-- What the database can read -------------------------------------------------

create function ops.heartbeat_status(
    p_heartbeat ops.heartbeats,
    p_spec jsonb,
    p_now timestamptz,
    out status text,
    out reason text
)
language sql
immutable
parallel safe
set search_path = ''
as $$
    with seen as (
        select
            make_interval(secs => (p_spec ->> 'periodSeconds')::float8) as period,
            make_interval(secs => (p_spec ->> 'graceSeconds')::float8) as grace,
            coalesce(p_heartbeat.succeeded_at, p_heartbeat.first_at) as last_good,
            greatest(p_heartbeat.succeeded_at, p_heartbeat.failed_at) as last_end
    ),
    found as (
        select case
            when p_heartbeat.first_at is null then 'not_set_up'
            when p_heartbeat.failed_at > coalesce(p_heartbeat.succeeded_at, '-infinity') then 'failed'
            when p_now > last_good + period + grace then 'late'
            when p_heartbeat.started_at > coalesce(last_end, '-infinity')
                and p_now > p_heartbeat.started_at + grace
            then 'stuck'
        end as reason
        from seen
    )
    select case found.reason when 'not_set_up' then 'unknown' else case when found.reason is null then 'up' else 'down' end end,
        found.reason
    from found
$$;

comment on function ops.heartbeat_status(ops.heartbeats, jsonb, timestamptz) is
    'A heartbeat is down if its last report was a failure, if no success came within period and grace, or if what started has not ended within the grace; unknown before its first report.';

create function ops.event_status(
    p_events bigint,
    p_spec jsonb,
    p_was_up boolean,
    out status text,
    out reason text
)
language sql
immutable
parallel safe
set search_path = ''
as $$
    select
        case when enough then 'up' when p_was_up then 'down' else 'unknown' end,
        case when enough then null when p_was_up then 'too_few' else 'not_set_up' end
    from (select p_events >= (p_spec ->> 'minimum')::bigint as enough) as judged
$$;

comment on function ops.event_status(bigint, jsonb, boolean) is
    'An event that happens often enough is up; one that no longer does is down; one that never did is unknown, for there is nothing yet that could stop.';

create function ops.derived_checks(
    p_tick jsonb,
    p_now timestamptz,
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
stable
set search_path = ''
as $$
    select
        definition.check_name, definition.kind, 'app', false, seen.status, null::numeric, seen.reason,
        jsonb_build_object('lastSuccess', heartbeat.succeeded_at, 'lastFailure', heartbeat.failed_at)
    from ops.check_definitions as definition
    left join ops.heartbeats as heartbeat on heartbeat.name = definition.name
    cross join lateral ops.heartbeat_status(heartbeat, definition.spec, p_now) as seen
    where definition.kind = 'heartbeat' and definition.enabled

    union all
    select
        definition.check_name, definition.kind, 'app', false, seen.status, null, seen.reason,
        jsonb_build_object('events', counted.events) || definition.spec
    from ops.check_definitions as definition
    left join ops.checks as known on known.name = definition.check_name
    cross join lateral (
        select count(*) as events
        from public.analytics_events as event
        where event.event_name = definition.spec ->> 'event'
            and coalesce(event.environment, 'production') = p_tick ->> 'environment'
            and event."timestamp" > p_now - make_interval(mins => (definition.spec ->> 'windowMinutes')::integer)
            and event."timestamp" <= p_now
    ) as counted
    cross join lateral ops.event_status(counted.events, definition.spec, known.first_up_at is not null) as seen
    where definition.kind = 'rule' and definition.enabled
$$;

comment on function ops.derived_checks(jsonb, timestamptz) is
    'The heartbeats and business rules as they stand, in the form of checks that a tick reports.';

revoke all on all functions in schema ops from public, anon, authenticated;
grant execute on all functions in schema ops to service_role;
revoke all on function public.ops_issue_heartbeat_token(text, text) from public, anon, authenticated;
grant execute on function public.ops_issue_heartbeat_token(text, text) to service_role;
revoke all on function public.ops_beat(text, text, timestamptz) from public, anon, authenticated;
grant execute on function public.ops_beat(text, text, timestamptz) to service_role;
