-- The maintenance job: what is rolled up, measured and deleted every ten minutes.
--
-- Why: each call does a bounded part in one transaction, under the run's fence,
-- and says whether there is more. A killed run leaves whole parts, the next one
-- goes on; a part that is done twice changes nothing the second time.
-- Read by: /api/cron/maintenance.
-- Undo: drop the function, delete the job.

set local search_path = '';

-- Known before it ever runs, so that the dashboard can say that it does not.
insert into ops.jobs (job, every_seconds) values ('maintenance', 600)
on conflict (job) do nothing;

create function public.ops_maintain(
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
-- Tables that this fills are empty when it is planned for the first time.
set enable_seqscan = off
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_settings jsonb := ops.read_settings();
    v_rows integer := 100 * p_limit;
    v_run ops.runs;
    v_steps integer;
    v_hours integer;
    v_samples bigint;
    v_spans bigint;
    v_runs bigint;
begin
    if coalesce(p_limit, 0) not between 1 and 1000 then
        raise exception 'maintenance needs a limit of 1 to 1000 steps'
            using errcode = 'invalid_parameter_value';
    end if;

    v_run := ops.lock_run(p_run, p_fence);
    if v_run.outcome <> 'running' then
        return jsonb_build_object('outcome', 'superseded');
    end if;

    -- What is not noticed yet may change what would be rolled up.
    if ops.notice_samples(v_rows) = v_rows then
        return jsonb_build_object('outcome', 'more');
    end if;

    v_steps := ops.roll_up_uptime(p_limit, v_now);
    v_hours := ops.roll_up_requests(p_limit, (v_settings ->> 'objective.latency_ms')::numeric, v_now);
    v_samples := ops.forget_samples(v_rows, v_settings, v_now);
    v_spans := ops.forget_spans(v_rows, v_settings, v_now);
    v_runs := ops.forget_runs(v_rows, v_settings, v_now);

    if v_steps = p_limit or v_hours = p_limit
        or v_samples = v_rows or v_spans = v_rows or v_runs = v_rows
    then
        return jsonb_build_object('outcome', 'more');
    end if;

    perform ops.measure_web_vitals(v_now);
    return jsonb_build_object('outcome', 'done');
end
$$;

comment on function public.ops_maintain(uuid, bigint, integer, timestamptz) is
    'Does a part of the maintenance: at most p_limit steps of rolling up and a hundred times as many rows. more if there is, done if there is not, superseded if another run has taken over.';

revoke all on function public.ops_maintain(uuid, bigint, integer, timestamptz) from public, anon, authenticated;
grant execute on function public.ops_maintain(uuid, bigint, integer, timestamptz) to service_role;
