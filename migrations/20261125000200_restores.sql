-- Restores: what a database has to forget once it was made from a backup.
--
-- Why: a backup holds the machinery in the middle of its work: leases, running
-- runs and messages on their way, that of the run that took it included. The
-- database it came from may go on working, and has told people since. A restored
-- one starts with nothing of that pending.
-- Read by: `pourtrait restore` as the database's owner; the rules about backups,
-- the dashboard.
-- Undo: drop the function, then ops.restores.

set local search_path = '';

create table ops.restores (
    id bigint generated always as identity primary key,
    snapshot text not null,
    taken_at timestamptz not null,
    restored_at timestamptz not null,
    seconds numeric not null check (seconds >= 0)
);

comment on table ops.restores is 'Every time this database was made from a backup.';
comment on column ops.restores.taken_at is 'The time of the backup''s snapshot; what was committed later was not restored.';
comment on column ops.restores.seconds is 'How long the restore took.';

create index restores_restored_idx on ops.restores (restored_at desc);

alter table ops.restores enable row level security;

comment on column ops.outbox.status is 'superseded: no longer worth sending, because its alert resolved before the first attempt, its firing died, or the database was restored while it waited.';

create function ops.after_restore(
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
    'Ends what a backup holds half done: leases, running runs, undelivered messages; raises the fences and records the restore. The next tick judges everything anew.';

revoke all on all functions in schema ops from public, anon, authenticated;
grant execute on all functions in schema ops to service_role;
