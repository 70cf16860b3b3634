-- Ticks and raised alerts move the ladder in the transaction that opens alerts.
--
-- Why: the plan of an alert is a snapshot of the moment at which it opens, and
-- its first people are told with its first message.
-- Undo: put both functions back as they were.

set local search_path = '';

create or replace function public.ops_commit_tick(
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
    v_escalated bigint;
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
    v_escalated := ops.advance_ladder(v_context, v_now);

    v_result := jsonb_build_object(
        'outcome', 'committed',
        'now', v_now,
        'samples', v_samples,
        'rules', ops.verdict_documents(v_observations),
        'transitions', v_transitions,
        'escalated', v_escalated,
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
    'Commits a tick: samples, system_health, verdicts, alerts, incidents, ladders, messages, and the run''s end. superseded if another run has taken over; repeated it returns its first result.';

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
        raise exception 'raising needs a request, the channels (slack, email) and an array of at most 1000 alerts'
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

comment on function public.ops_raise_alerts(uuid, jsonb, text[], timestamptz) is
    'Raises or resolves alerts from outside, all or none: opened, updated, resolved or ignored, in the order given. Repeated with the same request it returns its first result.';
