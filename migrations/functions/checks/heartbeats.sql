-- Heartbeats and business rules: checks that the database makes itself. A heartbeat notices
-- that a job has stopped reporting, and a business rule that an event of the application has
-- stopped happening. A job reports with a token of its own that nobody can guess; only the
-- hash of the token is stored.

create or replace function public.ops_issue_heartbeat_token(p_name text, p_by text)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_token text := replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', '');
begin
    perform ops.hold_functions();
    perform ops.name_changing_person(p_by);
    if not exists (select from ops.custom_checks where name = p_name and kind = 'heartbeat') then
        perform ops.refuse(
            'name', 'the name of a heartbeat', p_name, 'Add a heartbeat with `pourtrait checks add`.'
        );
    end if;

    insert into ops.heartbeats (name, token_hash)
    values (p_name, encode(sha256(v_token::bytea), 'hex'))
    on conflict (name) do update set token_hash = excluded.token_hash;
    return jsonb_build_object('name', p_name, 'token', v_token);
end
$$;

comment on function public.ops_issue_heartbeat_token(text, text) is
    'Makes a token for a heartbeat, which replaces the former one, and returns it this once.';

create or replace function public.ops_beat(p_token_hash text, p_event text, p_now timestamptz default null)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_name text;
begin
    perform ops.hold_functions();
    perform ops.check_word('event', p_event, '{start,success,failure}');

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
    'Notes a report of the heartbeat whose token has that hash; in the answer, heartbeat is null if there is none. Repeating a report changes nothing but its time.';

create or replace function ops.heartbeat_status(
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
    select
        case when found.reason is null then 'up' when found.reason = 'not_set_up' then 'unknown' else 'down' end,
        found.reason
    from found
$$;

comment on function ops.heartbeat_status(ops.heartbeats, jsonb, timestamptz) is
    'The status of a heartbeat. It is down if its last report was a failure, if no success came within period and grace, or if a job that started has not ended within the grace. It is unknown before its first report.';

create or replace function ops.event_status(
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
    'The status of a business rule: up if its event happens often enough, down if it no longer does. It is unknown if the event never happened often enough, because nothing has stopped then.';

create or replace function ops.derived_checks(
    p_tick jsonb,
    p_now timestamptz,
    out name text,
    out kind ops.check_kind,
    out service text,
    out critical boolean,
    out status text,
    out latency_ms numeric,
    out reason text,
    out detail jsonb
)
returns setof record
language plpgsql
stable
set search_path = ''
as $$
begin
    return query
    select
        custom.check_name, custom.kind, 'app', false, seen.status, null::numeric, seen.reason,
        jsonb_build_object('lastSuccess', heartbeat.succeeded_at, 'lastFailure', heartbeat.failed_at)
    from ops.custom_checks as custom
    left join ops.heartbeats as heartbeat on heartbeat.name = custom.name
    cross join lateral ops.heartbeat_status(
        heartbeat, custom.spec,
        p_now - ops.blind_time(coalesce(heartbeat.succeeded_at, heartbeat.first_at, p_now), p_now)
    ) as seen
    where custom.kind = 'heartbeat' and custom.enabled

    union all
    select
        custom.check_name, custom.kind, 'app', false, seen.status, null, seen.reason,
        jsonb_build_object('events', counted.events) || custom.spec
    from ops.custom_checks as custom
    left join ops.checks as known on known.name = custom.check_name
    cross join lateral (
        select count(*) as events
        from public.analytics_events as event
        where event.event_name = custom.spec ->> 'event'
            and coalesce(event.environment, 'production') = p_tick ->> 'environment'
            and event."timestamp" > ops.seen_from(
                p_now, make_interval(mins => (custom.spec ->> 'windowMinutes')::integer)
            )
            and event."timestamp" <= p_now
    ) as counted
    cross join lateral ops.event_status(counted.events, custom.spec, known.first_up_at is not null) as seen
    where custom.kind = 'rule' and custom.enabled;
end
$$;

comment on function ops.derived_checks(jsonb, timestamptz) is
    'The heartbeats and business rules with their present status, in the form in which a tick reports checks.';
