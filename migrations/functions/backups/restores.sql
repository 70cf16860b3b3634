-- What a database has to forget after it was made from a backup. A backup shows the
-- machinery in the middle of its work: leases, running runs, messages that are being sent.
-- The former database may still be working and has sent messages since, so a restored one
-- starts without any pending work, and its escalations start anew.

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
    -- A run that still works for the former database holds a smaller fence. The
    -- first and last slots stay: a job that was scheduled there has to run here
    -- too, and an alert has to open if it does not.
    update ops.jobs
    set fence = fence + 1000, lease_run = null, lease_until = null, updated_at = v_now
    where job is not null;
    get diagnostics v_jobs = row_count;

    update ops.runs
    set outcome = 'abandoned', finished_at = v_now
    where outcome = 'running';
    get diagnostics v_runs = row_count;

    -- The former database has sent these, or people know that it is gone.
    perform ops.lock_alerts();
    update ops.outbox
    set status = 'superseded', lease = null, leased_until = null
    where status = 'pending';
    get diagnostics v_messages = row_count;

    -- An open alert escalates anew from the first rung: the times of its former
    -- ladder have passed, so that ladder would call everybody at once.
    delete from ops.escalations as step
    using ops.alerts as alert
    where step.alert = alert.id and alert.status <> 'resolved';

    -- The monitor's committed_at stays as well: nothing that was recorded after it
    -- is in this database, and the next notice about a gap says just that.
    insert into ops.restores (snapshot, taken_at, restored_at, seconds)
    values (p_snapshot, p_taken_at, v_now, p_seconds);
    -- What the log of the former database said later is in that database, and in its anchors.
    perform ops.write_audit(
        'database.restored', null, p_snapshot, jsonb_build_object('takenAt', p_taken_at, 'restoredAt', v_now)
    );

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
    'Ends everything that a backup holds half done: leases, running runs, undelivered messages and escalations. It also raises the fences and records the restore. The next tick judges everything anew.';
