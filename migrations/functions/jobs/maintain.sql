-- The maintenance job: each call does a bounded part of the work in one transaction, under
-- the fence of the run, and answers whether there is more. A part that is done twice changes
-- nothing the second time.

create or replace function public.ops_maintain(
    p_run uuid,
    p_fence bigint,
    p_limit integer default 200,
    p_now timestamptz default null
)
returns jsonb
language plpgsql
set search_path = ''
-- Compiling a plan would take longer than running it.
set jit = off
-- The tables that this fills are still empty when it is planned for the first time.
set enable_seqscan = off
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_settings jsonb;
    v_rows integer;
    v_run ops.runs;
    v_steps integer;
    v_former integer;
    v_figures integer;
    v_forgotten bigint;
    v_samples bigint;
    v_spans bigint;
    v_runs bigint;
    v_audit integer;
begin
    perform ops.hold_functions();
    perform ops.check_number('limit', p_limit, 1, 1000);
    v_settings := ops.read_settings();
    v_rows := 100 * p_limit;

    v_run := ops.lock_run(p_run, p_fence);
    if v_run.outcome <> 'running' then
        return jsonb_build_object('outcome', 'superseded');
    end if;

    -- Samples that are not noticed yet may change what would be rolled up.
    if ops.notice_samples(v_rows) = v_rows then
        return jsonb_build_object('outcome', 'more');
    end if;

    v_steps := ops.roll_up_uptime(p_limit, v_now);
    -- The application waits while a part is counted.
    v_former := ops.count_former_rows(least(v_rows, 2000), v_now);
    v_figures := ops.roll_up_figures(v_rows, v_now);
    v_samples := ops.forget_samples(v_rows, v_settings, v_now);
    perform ops.note_forgotten('ops.samples', v_samples, 0, null, null, v_now);
    v_spans := ops.forget_spans(v_rows, v_settings, v_now);
    v_runs := ops.forget_runs(v_rows, v_settings, v_now);
    v_audit := ops.cut_audit(v_rows);
    perform ops.note_forgotten('ops.audit', v_audit, 0, null, null, v_now);
    v_forgotten := greatest(
        ops.forget_minutes(v_rows, v_now),
        ops.forget_hours(v_rows, v_settings, v_now),
        ops.forget_people(v_rows, v_settings, v_now),
        ops.forget_releases(v_rows, v_now),
        ops.forget_feedback(v_rows, v_now)
    );

    if v_steps = p_limit or v_former > 0 or v_figures = v_rows
        or v_samples = v_rows or v_spans = v_rows or v_runs = v_rows or v_audit = v_rows or v_forgotten = v_rows
    then
        return jsonb_build_object('outcome', 'more');
    end if;

    -- Their parts are large.
    if ops.forget_source_maps(p_limit, v_now) = p_limit then
        return jsonb_build_object('outcome', 'more');
    end if;
    perform ops.link_late_feedback(p_limit, v_now);
    perform ops.forget_oncall_changes(v_now);
    perform ops.open_item_days(v_now);
    perform ops.forget_door_counts(v_now);
    perform ops.forget_issues(v_settings, v_now);
    perform ops.forget_deployments(v_now);
    perform ops.forget_served_deployments(v_now);
    perform ops.forget_platform_readings(p_limit, v_now);
    perform ops.forget_check_runs(v_now);
    perform ops.measure_web_vitals(v_now);
    perform ops.keep_slow_statistics(v_now);
    return jsonb_build_object('outcome', 'done');
end
$$;

comment on function public.ops_maintain(uuid, bigint, integer, timestamptz) is
    'Does a part of the maintenance: at most p_limit steps of rolling up, and at most a hundred times as many rows. The answer is more if there is work left, done if there is none, and superseded if another run has taken over.';
