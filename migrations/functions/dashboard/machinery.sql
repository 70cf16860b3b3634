-- The dashboard's sections about the outbox and the jobs.

create or replace function ops.dashboard_outbox(p_now timestamptz)
returns jsonb
language sql
stable
set search_path = ''
as $$
    with dead as (
        select id, channel, facts ->> 'rule' as rule, severity, last_error, created_at
        from ops.outbox
        where status = 'dead'
        order by created_at desc, id
        limit 20
    )
    select jsonb_build_object(
        'pending', (select count(*) from ops.outbox where status = 'pending'),
        'oldestPendingSeconds', (
            select extract(epoch from p_now - min(message.created_at))
            from ops.outbox as message
            where message.status = 'pending' and not ops.waits_on_purpose(message, p_now)
        ),
        'dead', coalesce(
            (
                select jsonb_agg(
                    jsonb_build_object(
                        'id', id,
                        'channel', channel,
                        'rule', rule,
                        'severity', severity,
                        'error', last_error,
                        'at', created_at
                    )
                    order by created_at desc, id
                )
                from dead
            ),
            '[]'
        ),
        'sent24h', (
            select count(*)
            from ops.outbox
            where status = 'sent' and sent_at > p_now - interval '24 hours' and sent_at <= p_now
        )
    )
$$;

comment on function ops.dashboard_outbox(timestamptz) is
    'How many messages wait and for how long (a message that waits on purpose counts, but not its time), the 20 newest that were given up, and how many were sent in 24 hours.';

create or replace function ops.recent_slots(p_job ops.jobs, p_slots integer, p_now timestamptz)
returns jsonb
language sql
stable
set search_path = ''
as $$
    with slots as (
        select to_timestamp(
            (floor(extract(epoch from p_now) / p_job.every_seconds) - nth) * p_job.every_seconds
        ) as slot
        from generate_series(0, p_slots - 1) as nth
    )
    select jsonb_build_object(
        'from', min(slots.slot),
        'outcomes', jsonb_agg(
            case when slots.slot >= p_job.first_slot then found.outcome end
            order by slots.slot
        )
    )
    from slots
    left join lateral (
        select run.outcome
        from ops.runs as run
        where run.job = p_job.job and run.slot = slots.slot
        -- An abandoned run leaves its slot to the next one.
        order by run.outcome = 'abandoned'
        limit 1
    ) as found on true
$$;

comment on function ops.recent_slots(ops.jobs, integer, timestamptz) is
    'Returns what became of the newest slots of a job, the oldest first: the outcome of the run that has the slot, missed, or null where there is nothing yet.';

create or replace function ops.dashboard_jobs(p_now timestamptz)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select coalesce(
        jsonb_agg(
            jsonb_build_object(
                'job', job.job,
                'everySeconds', job.every_seconds,
                'lastSlot', job.last_slot,
                'lastOutcome', last_run.outcome,
                'lastStartedAt', last_run.started_at,
                'lastFinishedAt', last_run.finished_at,
                'durationMs', round(1000 * extract(epoch from last_run.finished_at - last_run.started_at)),
                'missed24h', (
                    select count(*)
                    from ops.runs
                    where runs.job = job.job
                        and runs.outcome = 'missed'
                        and runs.slot > p_now - interval '24 hours'
                ),
                'status', case
                    when job.first_slot is null then 'not set up'
                    when p_now - job.last_slot > make_interval(secs => 3 * job.every_seconds) then 'overdue'
                    else 'ok'
                end,
                'slots', ops.recent_slots(job.*, 60, p_now)
            )
            order by job.job
        ),
        '[]'
    )
    from ops.jobs as job
    left join lateral (
        select *
        from ops.runs
        where runs.job = job.job and runs.outcome <> 'missed'
        order by runs.started_at desc
        limit 1
    ) as last_run on true
$$;

comment on function ops.dashboard_jobs(timestamptz) is
    'Each job with its last run and its last sixty slots. A job is overdue after three intervals without a claimed slot, and not set up before its first slot.';
