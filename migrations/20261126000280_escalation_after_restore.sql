-- A restored database climbs its ladders from the beginning.
--
-- Why: between a backup and its restore hours may pass, and each step of each
-- open alert would be due at once.
-- Undo: put ops.after_restore back as it was.

set local search_path = '';

create or replace function ops.after_restore(
    p_snapshot text,
    p_taken_at timestamptz,
    p_seconds numeric,
    p_now timestamptz default null
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_jobs bigint;
    v_runs bigint;
    v_messages bigint;
begin
    -- Whoever still works for the former database holds a smaller fence. The
    -- first and last slots stay: what was scheduled there has to run here too,
    -- and somebody has to hear of it if it does not.
    update ops.jobs
    set fence = fence + 1000, lease_run = null, lease_until = null, updated_at = v_now
    where job is not null;
    get diagnostics v_jobs = row_count;

    update ops.runs
    set outcome = 'abandoned', finished_at = v_now
    where outcome = 'running';
    get diagnostics v_runs = row_count;

    -- People have heard of these from the former database, or of its end.
    perform ops.lock_alerts();
    update ops.outbox
    set status = 'superseded', lease = null, leased_until = null
    where status = 'pending';
    get diagnostics v_messages = row_count;

    -- What is open asks its people anew, from the first level: the times of the
    -- former ladder have passed, and would call everybody at once.
    delete from ops.escalations as step
    using ops.alerts as alert
    where step.alert = alert.id and alert.status <> 'resolved';

    -- committed_at of the monitor stays as well: after it nothing was recorded
    -- that is still here, and the notice of the gap says just that.
    insert into ops.restores (snapshot, taken_at, restored_at, seconds)
    values (p_snapshot, p_taken_at, v_now, p_seconds);

    return jsonb_build_object(
        'outcome', 'recorded',
        'now', v_now,
        'jobs', v_jobs,
        'abandonedRuns', v_runs,
        'supersededMessages', v_messages
    );
end
$$;

comment on function ops.after_restore(text, timestamptz, numeric, timestamptz) is
    'Ends what a backup holds half done: leases, running runs, undelivered messages, ladders; raises the fences and records the restore. The next tick judges everything anew.';
