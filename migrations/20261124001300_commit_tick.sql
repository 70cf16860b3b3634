-- The commit of a tick: one transaction from what was probed to what is to be
-- said, gaps and the emergency path included.
--
-- Why: samples, verdicts, alerts, incidents and messages of one tick stand
-- together or not at all, and a repeated or late commit changes nothing. The
-- job's row is locked first, then the alerts, then states by fingerprint.
-- Read by: /api/cron/monitor.
-- Undo: drop the functions of this file.

set local search_path = '';

-- Gaps and the emergency path ------------------------------------------------

create function ops.hand_over_emergency(
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
        raise exception 'an emergency needs since and channels (slack, email)'
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

comment on function ops.hand_over_emergency(jsonb, jsonb, ops.context, timestamptz) is
    'Makes an ordinary firing alert, already delivered, of what the function told on its own while it could not reach the database. What is open already is joined; false for what is over and was told before.';

create function ops.find_gap(p_since timestamptz, p_every_seconds integer, p_now timestamptz)
returns jsonb
language sql
immutable
set search_path = ''
as $$
    select case
        when p_now - p_since > make_interval(secs => 3 * p_every_seconds) then jsonb_build_object(
            'from', p_since,
            'to', p_now,
            'seconds', extract(epoch from p_now - p_since)
        )
    end
$$;

comment on function ops.find_gap(timestamptz, integer, timestamptz) is
    'The silence since the last committed tick if it is longer than three intervals, else null; null before the first tick.';

create function ops.notice_gap(p_gap jsonb, p_context ops.context, p_now timestamptz)
returns void
language sql
set search_path = ''
as $$
    select ops.queue_message(
        'notice', route.channel, route.digest, rule.severity, null, null,
        ops.observation_facts(
            row(
                'monitoring_gap', rule.rule, 'monitor', null, 'bad', (p_gap ->> 'seconds')::numeric, null, 's',
                null, 1, jsonb_build_object('service', 'monitoring', 'detail', p_gap), null
            )::ops.observation,
            rule.affects,
            p_context
        ) || jsonb_build_object(
            'alert', null,
            'fingerprint', 'monitoring_gap',
            'rule', rule.rule,
            'subject', 'monitor',
            'severity', rule.severity,
            'kind', 'notice',
            'source', 'monitor',
            'since', p_gap -> 'from',
            'openedAt', p_now,
            'resolvedAt', p_gap -> 'to',
            'occurrences', 1,
            'incident', null
        ),
        p_context.settings,
        p_now
    )
    from ops.rules as rule
    cross join lateral ops.route(rule.severity, p_context.channels) as route
    where rule.rule = 'monitoring_gap'
$$;

comment on function ops.notice_gap(jsonb, ops.context, timestamptz) is
    'Queues the notice that nothing was observed for a while; there is nothing to resolve.';

-- The commit -----------------------------------------------------------------

create function ops.observe_tick(
    p_tick jsonb,
    p_since timestamptz,
    p_settings jsonb,
    p_now timestamptz
)
returns ops.observation[]
language sql
stable
set search_path = ''
as $$
    with checked as (
        select * from ops.observe_checks(p_tick, p_settings)
    )
    select array_agg(seen::ops.observation)
    from (
        select * from checked
        union all
        select * from ops.observe_unwatched(array(select fingerprint from checked))
        union all
        select * from ops.observe_recovery()
        union all
        select * from ops.observe_app(p_since, p_now, p_tick ->> 'environment', p_settings)
    ) as seen
$$;

comment on function ops.observe_tick(jsonb, timestamptz, jsonb, timestamptz) is
    'Everything that a tick observes, as verdicts.';

create function ops.verdict_documents(p_observations ops.observation[])
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
$$;

comment on function ops.verdict_documents(ops.observation[]) is 'Verdicts as the commit reports them.';

create function public.ops_commit_tick(
    p_run uuid,
    p_fence bigint,
    p_tick jsonb,
    p_now timestamptz default null
)
returns jsonb
language plpgsql
set search_path = ''
-- Compiling a plan would take longer than running it.
set jit = off
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_run ops.runs;
    v_since timestamptz;
    v_gap jsonb;
    v_told boolean := false;
    v_emergency jsonb := nullif(p_tick -> 'emergency', 'null');
    v_context ops.context;
    v_observations ops.observation[];
    v_samples bigint;
    v_transitions jsonb;
    v_warnings jsonb := '[]';
    v_result jsonb;
begin
    v_run := ops.lock_run(p_run, p_fence);
    if v_run.summary ->> 'outcome' = 'committed' then
        return v_run.summary;
    end if;
    if v_run.outcome <> 'running' then
        return jsonb_build_object('outcome', 'superseded', 'now', v_now);
    end if;

    perform ops.check_tick(p_tick);
    perform ops.lock_alerts();
    v_context := row(
        p_tick ->> 'environment',
        p_tick #>> '{deployment,id}',
        p_tick #>> '{deployment,commit}',
        array(select jsonb_array_elements_text(p_tick -> 'channels')),
        ops.read_settings()
    )::ops.context;
    select committed_at into v_since from ops.jobs where job = v_run.job;

    v_samples := ops.record_samples(p_run, p_tick, v_now);
    begin
        perform ops.record_system_health(p_tick, v_context.settings, v_now);
    exception
        -- The application may have tightened its own table; that must not blind us.
        when integrity_constraint_violation or data_exception or undefined_column or raise_exception then
            v_warnings := v_warnings || to_jsonb('system_health: ' || sqlerrm);
    end;

    v_gap := ops.find_gap(v_since, (p_tick ->> 'everySeconds')::integer, v_now);
    if v_emergency is not null then
        v_told := ops.hand_over_emergency(v_emergency, v_gap, v_context, v_now);
    end if;
    if v_gap is not null and not v_told then
        perform ops.notice_gap(v_gap, v_context, v_now);
    end if;

    v_observations := ops.observe_tick(p_tick, v_since, v_context.settings, v_now);
    v_transitions := ops.apply_observations(v_observations, p_fence, v_context, v_now);

    v_result := jsonb_build_object(
        'outcome', 'committed',
        'now', v_now,
        'samples', v_samples,
        'rules', ops.verdict_documents(v_observations),
        'transitions', v_transitions,
        'openAlerts', (select count(*) from ops.alerts where status <> 'resolved'),
        'gap', v_gap,
        'queued', (select count(*) from ops.outbox where status = 'pending' and created_at = v_now),
        'warnings', v_warnings
    );
    update ops.jobs set committed_at = v_now where job = v_run.job;
    perform ops.close_run(p_run, p_fence, 'done', v_result, v_now);
    return v_result;
end
$$;

comment on function public.ops_commit_tick(uuid, bigint, jsonb, timestamptz) is
    'Commits a tick: samples, system_health, verdicts, alerts, incidents, messages, and the run''s end. superseded if another run has taken over; repeated it returns its first result.';

revoke all on all functions in schema ops from public, anon, authenticated;
grant execute on all functions in schema ops to service_role;
revoke all on function public.ops_commit_tick(uuid, bigint, jsonb, timestamptz) from public, anon, authenticated;
grant execute on function public.ops_commit_tick(uuid, bigint, jsonb, timestamptz) to service_role;
