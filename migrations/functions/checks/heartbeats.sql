-- Heartbeats and business rules: checks that the database makes itself. A heartbeat notices
-- that a job has stopped reporting, and a business rule that an event of the application has
-- stopped happening. A job reports with a token of its own, which whoever issues it makes and
-- signs; only the hash of the token is stored.

create or replace function public.ops_issue_heartbeat_token(p_name text, p_by text, p_token_hash text)
returns jsonb
language plpgsql
set search_path = ''
as $$
begin
    perform ops.hold_functions();
    perform ops.name_changing_person(p_by);
    if not exists (select from ops.custom_checks where name = p_name and kind = 'heartbeat') then
        perform ops.refuse(
            'name', 'the name of a heartbeat', p_name, 'Add a heartbeat with `pourtrait checks add`.'
        );
    end if;
    if coalesce(p_token_hash !~ '^[0-9a-f]{64}$', true) then
        -- What was given instead may be the token itself.
        perform ops.refuse('token_hash', 'the SHA-256 of a token in hexadecimal', 'something else');
    end if;

    insert into ops.heartbeats (name, token_hash)
    values (p_name, p_token_hash)
    on conflict (name) do update set token_hash = excluded.token_hash;
    perform ops.write_audit('key.rotated', p_by, 'heartbeat ' || p_name, null);
    return jsonb_build_object('name', p_name);
end
$$;

comment on function public.ops_issue_heartbeat_token(text, text, text) is
    'Gives a heartbeat the token that has this hash, which replaces the former one.';

create or replace function ops.note_run(p_heartbeat text, p_event text, p_run text, p_now timestamptz)
returns ops.heartbeat_runs
language plpgsql
set search_path = ''
as $$
declare
    v_run ops.heartbeat_runs;
begin
    insert into ops.heartbeat_runs as known (heartbeat, run, started_at, ended_at, failed)
    values (
        p_heartbeat,
        p_run,
        case p_event when 'start' then p_now end,
        case p_event when 'start' then null else p_now end,
        p_event = 'failure'
    )
    on conflict (heartbeat, run) do update
    set
        started_at = case
            when p_event = 'start' and (p_run = '' or num_nulls(known.started_at, known.ended_at) = 0)
            then excluded.started_at
            -- A start that is reported twice counts once, and one that comes after its end not
            -- at all.
            else known.started_at
        end,
        ended_at = case
            when p_event <> 'start' then excluded.ended_at
            when p_run <> '' and known.started_at is null then known.ended_at
        end,
        failed = excluded.failed or p_event = 'start' and p_run <> '' and known.started_at is null and known.failed
    returning * into v_run;
    return v_run;
end
$$;

comment on function ops.note_run(text, text, text, timestamptz) is
    'Notes what a run of a job reported, and returns the run. Runs without a name are one row.';

create or replace function ops.forget_old_runs(p_run ops.heartbeat_runs, p_limit interval)
returns void
language plpgsql
set search_path = ''
as $$
begin
    -- A run that succeeds although it began after another should have ended shows that the
    -- job is well again: the other one was killed.
    delete from ops.heartbeat_runs
    where heartbeat = p_run.heartbeat
        and ended_at is null
        and p_run.ended_at is not null
        and not p_run.failed
        and started_at + p_limit < coalesce(p_run.started_at, p_run.ended_at);

    delete from ops.heartbeat_runs
    where heartbeat = p_run.heartbeat
        and run in (
            select run
            from ops.heartbeat_runs
            where heartbeat = p_run.heartbeat
            order by ended_at desc nulls first, started_at desc
            offset 100
        );
end
$$;

comment on function ops.forget_old_runs(ops.heartbeat_runs, interval) is
    'Forgets runs that a later one shows to have been killed, and all but a hundred of the others. p_limit is how long a run may take.';

create or replace function ops.longest_run(p_spec jsonb)
returns interval
language sql
immutable
parallel safe
set search_path = ''
as $$
    select make_interval(secs => coalesce(p_spec ->> 'maxRunSeconds', p_spec ->> 'graceSeconds')::float8)
$$;

comment on function ops.longest_run(jsonb) is
    'How long a run of a job may take: as long as its heartbeat says, else as long as its grace.';

create or replace function ops.note_beat(p_heartbeat text, p_event text, p_run text, p_now timestamptz)
returns ops.heartbeat_runs
language plpgsql
set search_path = ''
as $$
declare
    v_run ops.heartbeat_runs;
begin
    -- A report that arrives late never undoes a newer one.
    update ops.heartbeats
    set
        first_at = coalesce(first_at, p_now),
        started_at = case p_event when 'start' then greatest(started_at, p_now) else started_at end,
        succeeded_at = case p_event when 'success' then greatest(succeeded_at, p_now) else succeeded_at end,
        failed_at = case p_event when 'failure' then greatest(failed_at, p_now) else failed_at end
    where name = p_heartbeat;
    v_run := ops.note_run(p_heartbeat, p_event, p_run, p_now);
    perform ops.forget_old_runs(v_run, ops.longest_run(spec))
    from ops.custom_checks
    where name = p_heartbeat;
    return v_run;
end
$$;

comment on function ops.note_beat(text, text, text, timestamptz) is
    'Notes a report of a heartbeat about the run of that name, and returns the run. Repeating a report changes nothing but its time.';

create or replace function public.ops_beat(
    p_token_hash text,
    p_event text,
    p_now timestamptz default null,
    p_run text default null
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_name text;
    v_run ops.heartbeat_runs;
begin
    perform ops.hold_functions();
    perform ops.check_word('event', p_event, '{start,success,failure}');

    select name into v_name from ops.heartbeats where token_hash = p_token_hash for update;
    if v_name is not null then
        v_run := ops.note_beat(v_name, p_event, left(btrim(coalesce(p_run, '')), 200), v_now);
    end if;
    return jsonb_build_object(
        'heartbeat', v_name,
        'event', p_event,
        'at', v_now,
        'tookSeconds', extract(epoch from v_run.ended_at - v_run.started_at)
    );
end
$$;

comment on function public.ops_beat(text, text, timestamptz, text) is
    'Notes a report of the heartbeat whose token has that hash, about the run of that name if its job names its runs; in the answer, heartbeat is null if there is none, and tookSeconds is how long the run took, once both its ends are known. Repeating a report changes nothing but its time.';

create or replace function ops.heartbeat_status(
    p_heartbeat ops.heartbeats,
    p_spec jsonb,
    p_silent interval,
    p_running interval,
    out status text,
    out reason text
)
language sql
immutable
parallel safe
set search_path = ''
as $$
    with allowed as (
        select
            make_interval(secs => (p_spec ->> 'periodSeconds')::float8)
                + make_interval(secs => (p_spec ->> 'graceSeconds')::float8) as silence
    ),
    found as (
        select case
            when p_heartbeat.first_at is null then 'not_set_up'
            when p_heartbeat.failed_at > coalesce(p_heartbeat.succeeded_at, '-infinity') then 'failed'
            when p_running > ops.longest_run(p_spec) then 'stuck'
            -- A run that began in time has as long as a run may take.
            when p_silent > silence and coalesce(p_silent - p_running > silence, true) then 'late'
        end as reason
        from allowed
    )
    select
        case when found.reason is null then 'up' when found.reason = 'not_set_up' then 'unknown' else 'down' end,
        found.reason
    from found
$$;

comment on function ops.heartbeat_status(ops.heartbeats, jsonb, interval, interval) is
    'The status of a heartbeat. It is down if its last end was a failure, if the run that began first has not ended within the longest time that one may take, or if neither a success came nor a run began within period and grace. p_silent is how long monitoring has seen since the last success, or else the first report, and p_running since that run began; null without one. It is unknown before its first report.';

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
        jsonb_build_object(
            'lastSuccess', heartbeat.succeeded_at,
            'lastFailure', heartbeat.failed_at,
            'runningSince', running.since[1],
            'lastRunSeconds', ended.seconds
        )
    from ops.custom_checks as custom
    left join ops.heartbeats as heartbeat on heartbeat.name = custom.name
    cross join lateral (
        select array(
            select run.started_at
            from ops.heartbeat_runs as run
            where run.heartbeat = custom.name and run.ended_at is null
            order by run.started_at
        ) as since
    ) as running
    left join lateral (
        select extract(epoch from run.ended_at - run.started_at) as seconds
        from ops.heartbeat_runs as run
        where run.heartbeat = custom.name and num_nulls(run.started_at, run.ended_at) = 0
        order by run.ended_at desc
        limit 1
    ) as ended on true
    -- What was blind before a run began gives the run no more time.
    cross join lateral ops.heartbeat_status(
        heartbeat, custom.spec,
        ops.seen_time(coalesce(heartbeat.succeeded_at, heartbeat.first_at), p_now),
        ops.seen_time(running.since[1], p_now)
    ) as seen
    where custom.kind = 'heartbeat' and custom.enabled

    union all
    select
        custom.check_name, custom.kind, 'app', false, seen.status, null, seen.reason, seen.detail
    from ops.custom_checks as custom
    left join ops.checks as known on known.name = custom.check_name
    cross join lateral ops.business_status(
        custom.spec, known.first_up_at is not null, p_tick ->> 'environment', p_now
    ) as seen
    where custom.kind = 'rule' and custom.enabled;
end
$$;

comment on function ops.derived_checks(jsonb, timestamptz) is
    'The heartbeats and business rules with their present status, in the form in which a tick reports checks.';
