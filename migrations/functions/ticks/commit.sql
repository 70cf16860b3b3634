-- A tick is committed in one transaction, from what was probed to the messages that are
-- queued. A repeated or late commit changes nothing. The commit locks the job's row first,
-- then the alerts, then the states in the order of their fingerprints.

create or replace function ops.observe_tick(
    p_tick jsonb,
    p_since timestamptz,
    p_settings jsonb,
    p_now timestamptz
)
returns ops.observation[]
language plpgsql
stable
set search_path = ''
as $$
begin
    return (
        with checked as (
            select * from ops.observe_checks(p_tick, p_settings)
            union all
            select * from ops.observe_custom_checks(p_tick, p_now, p_settings)
        )
        select array_agg(seen::ops.observation)
        from (
            select * from checked
            union all
            select * from ops.observe_unwatched(array(select fingerprint from checked))
            union all
            select * from ops.observe_recovery()
            union all
            select * from ops.observe_backups(p_now, p_settings)
            union all
            select * from ops.observe_drills(p_now, p_settings)
            union all
            select * from ops.observe_recovery_drills(p_now, p_settings)
            union all
            select * from ops.observe_gaps(p_settings)
            union all
            select * from ops.observe_verifications(p_now, p_settings)
            union all
            select * from ops.observe_rereads(p_now, p_settings)
            union all
            select * from ops.observe_archives(p_now, p_settings)
            union all
            select * from ops.observe_replica(p_now, p_settings)
            union all
            select * from ops.observe_receipts(p_now, p_settings)
            union all
            select * from ops.observe_collections(p_now, p_settings)
            union all
            select * from ops.observe_lock(p_now, p_settings)
            union all
            select * from ops.observe_files(p_now, p_settings)
            union all
            select * from ops.observe_database(p_now, p_settings)
            union all
            select * from ops.observe_security(p_now, p_settings)
            union all
            select *
            from ops.observe_channels(
                array(select jsonb_array_elements_text(p_tick -> 'channels')), p_now, p_settings
            )
            union all
            select * from ops.observe_jobs(p_now, p_settings)
            union all
            select * from ops.observe_clocks(p_now, p_settings)
            union all
            select * from ops.observe_oncall(p_now, p_settings)
            union all
            select * from ops.observe_platforms(p_now)
            union all
            select * from ops.observe_costs(p_now, p_settings)
            union all
            select * from ops.observe_resources(p_now, p_settings)
            union all
            select * from ops.observe_privacy(p_now, p_settings)
            union all
            select * from ops.observe_app(p_since, p_now, p_tick ->> 'environment', p_settings)
        ) as seen
    );
end
$$;

comment on function ops.observe_tick(jsonb, timestamptz, jsonb, timestamptz) is
    'Returns everything that a tick observes, one observation for each rule and subject.';

create or replace function ops.verdict_documents(p_observations ops.observation[])
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
begin
    return (
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
        -- There may be a thousand custom checks, and the summary of a run is kept, so the good
        -- verdicts of these are left out.
        where verdict <> 'good' or rule not in ('check_failing', 'check_slow')
    );
end
$$;

comment on function ops.verdict_documents(ops.observation[]) is
    'Returns the verdicts as the commit reports them, without the good ones of checks that may be many.';

create or replace function ops.try_system_health(p_tick jsonb, p_settings jsonb, p_now timestamptz)
returns jsonb
language plpgsql
set search_path = ''
as $$
begin
    perform ops.record_system_health(p_tick, p_settings, p_now);
    return '[]'::jsonb;
exception
    -- The application may have tightened its own table; the tick goes on without it.
    when integrity_constraint_violation or data_exception or undefined_column or raise_exception then
        return jsonb_build_array('system_health: ' || sqlerrm);
end
$$;

comment on function ops.try_system_health(jsonb, jsonb, timestamptz) is
    'Writes system_health and returns the warnings of the commit: why the table refused the rows, or none.';

create or replace function ops.try_roll_up(p_now timestamptz)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_until timestamptz := clock_timestamp() + interval '2 seconds';
begin
    -- After a long silence there may be more than a tick has time for; the rest waits for the
    -- next one, and for the maintenance.
    while ops.roll_up_figures(5000, p_now) = 5000 and clock_timestamp() < v_until loop
    end loop;
    return '[]'::jsonb;
exception
    -- Whatever is not rolled up is read from where it is; the tick goes on without it.
    when others then
        return jsonb_build_array('roll-up: ' || sqlerrm);
end
$$;

comment on function ops.try_roll_up(timestamptz) is
    'Rolls up what the application wrote since the last tick, as far as it comes in two seconds, and returns the warnings of the commit: why it could not, or none.';

create or replace function ops.tick_context(p_tick jsonb)
returns ops.context
language sql
stable
set search_path = ''
as $$
    select ops.make_context(
        array(select jsonb_array_elements_text(p_tick -> 'channels')),
        ops.read_settings(),
        p_tick ->> 'environment',
        p_tick #>> '{deployment,id}',
        p_tick #>> '{deployment,commit}'
    )
$$;

comment on function ops.tick_context(jsonb) is
    'Returns the context of a tick: its environment and deployment, the configured channels and the settings.';

create or replace function ops.apply_tick(
    p_run ops.runs,
    p_fence bigint,
    p_tick jsonb,
    p_now timestamptz
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_context ops.context := ops.tick_context(p_tick);
    v_since timestamptz := (select committed_at from ops.jobs where job = p_run.job);
    v_gap jsonb := ops.find_gap(v_since, (p_tick ->> 'everySeconds')::integer, p_now);
    v_observations ops.observation[];
    v_samples bigint;
    v_transitions jsonb;
    v_escalated bigint;
    v_warnings jsonb;
begin
    perform ops.note_blindness(v_gap);
    v_samples := ops.record_samples(p_run.id, p_tick, p_now);
    v_warnings := ops.try_roll_up(p_now) || ops.try_system_health(p_tick, v_context.settings, p_now)
        || ops.try_comparisons(v_context.environment, p_now);
    perform ops.handle_gap(v_gap, nullif(p_tick -> 'emergency', 'null'), v_context, p_now);

    perform ops.notice_events(v_since, p_now, v_context.environment, v_context.settings);
    v_observations := ops.observe_tick(p_tick, v_since, v_context.settings, p_now);
    v_transitions := ops.apply_observations(v_observations, p_fence, v_context, p_now);
    v_escalated := ops.advance_ladder(v_context, p_now);

    return jsonb_build_object(
        'outcome', 'committed',
        'now', p_now,
        'samples', v_samples,
        'rules', ops.verdict_documents(v_observations),
        'transitions', v_transitions,
        'escalated', v_escalated,
        'openAlerts', (select count(*) from ops.alerts where status <> 'resolved'),
        'gap', v_gap,
        'queued', (select count(*) from ops.outbox where status = 'pending' and created_at = p_now),
        'audit', ops.self_audit(p_now),
        'warnings', v_warnings
    );
end
$$;

comment on function ops.apply_tick(ops.runs, bigint, jsonb, timestamptz) is
    'Writes the samples of a tick, system_health, and all that follows from what it observes, and returns what it did. The caller holds the lock of the alerts and ends the run.';

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
    v_result jsonb;
begin
    perform ops.hold_functions();
    v_run := ops.lock_run(p_run, p_fence);
    if v_run.summary ->> 'outcome' = 'committed' then
        return v_run.summary;
    end if;
    if v_run.outcome <> 'running' then
        return jsonb_build_object('outcome', 'superseded', 'now', v_now);
    end if;

    perform ops.check_tick(p_tick);
    perform ops.lock_alerts();
    v_result := ops.apply_tick(v_run, p_fence, p_tick, v_now);
    update ops.jobs set committed_at = v_now where job = v_run.job;
    perform ops.close_run(p_run, p_fence, 'done', v_result, v_now);
    return v_result;
end
$$;

comment on function public.ops_commit_tick(uuid, bigint, jsonb, timestamptz) is
    'Commits a tick: it writes the samples, system_health, what follows from the observations, the ladders and the end of the run, and returns what it did. The outcome is superseded if another run holds the job by now. A repeated call returns the first result.';
