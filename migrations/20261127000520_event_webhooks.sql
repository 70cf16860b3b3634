-- The tick notices events before it counts them, and a webhook notices one.
--
-- Why: an error of the application is told when it happens, not when the next
-- tick looks. Both take the lock on alerts first, so that a row is noticed by
-- one of them.
-- Read by: /api/cron/monitor, POST /api/alerts/dispatch.
-- Undo: put the former ops_commit_tick back; drop public.ops_notice_event.

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

    perform ops.notice_events(v_since, v_now, v_context.environment, v_context.settings);
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
        'audit', ops.self_audit(v_now),
        'warnings', v_warnings
    );
    update ops.jobs set committed_at = v_now where job = v_run.job;
    perform ops.close_run(p_run, p_fence, 'done', v_result, v_now);
    return v_result;
end
$$;

create function public.ops_notice_event(
    p_table text,
    p_id uuid,
    p_environment text,
    p_channels text[],
    p_now timestamptz default null
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_context ops.context := row(p_environment, null, null, p_channels, ops.read_settings())::ops.context;
    v_since timestamptz;
    v_event ops.app_event;
    v_observation ops.observation;
    v_alert ops.alerts;
    v_transitions jsonb;
    v_outcome text;
begin
    if p_table is null
        or p_table not in ('error_logs', 'alerts')
        or p_id is null
        or p_environment is null
        or p_channels is null
        or not p_channels <@ ops.known_channels()
    then
        raise exception 'noticing needs a table (error_logs or alerts), the id of a row, an environment and channels'
            using errcode = 'invalid_parameter_value';
    end if;

    perform ops.lock_alerts();
    select committed_at into v_since from ops.jobs where job = 'monitor';
    select event.* into v_event
    from ops.app_events(ops.events_from(v_since, v_now, v_context.settings), v_now, p_environment) as event
    where event.source = p_table and event.id = p_id and not event.handled;
    if not found then
        return jsonb_build_object('fingerprint', null, 'alert', null, 'outcome', 'ignored', 'incident', null);
    end if;
    v_observation := ops.observe_event(v_event);

    insert into ops.noticed_events (source, id, at, fresh)
    values (v_event.source, v_event.id, v_event.at, false)
    on conflict (source, id) do nothing;
    if not found then
        v_outcome := 'known';
    else
        v_transitions := ops.apply_observations(array[v_observation], null, v_context, v_now);
        perform ops.hold_raised(id, v_context.settings, v_now)
        from ops.alerts
        where fingerprint = v_observation.fingerprint and status <> 'resolved';
        perform ops.advance_ladder(v_context, v_now);
        v_outcome := case v_transitions #>> '{0,kind}' when 'opened' then 'opened' else 'updated' end;
    end if;

    select * into v_alert
    from ops.alerts
    where fingerprint = v_observation.fingerprint and status <> 'resolved';
    return jsonb_build_object(
        'fingerprint', v_observation.fingerprint,
        'alert', v_alert.id,
        'outcome', v_outcome,
        'incident', (select number from ops.incidents where id = v_alert.incident)
    );
end
$$;

comment on function public.ops_notice_event(text, uuid, text, text[], timestamptz) is
    'Reads one row of the application and does with it what a tick would: opened, updated, known if it was noticed before, by a call or a tick, or ignored if it is no event. Repeating it changes nothing.';

revoke all on all functions in schema ops from public, anon, authenticated;
grant execute on all functions in schema ops to service_role;
revoke all on function public.ops_notice_event(text, uuid, text, text[], timestamptz) from public, anon, authenticated;
grant execute on function public.ops_notice_event(text, uuid, text, text[], timestamptz) to service_role;
