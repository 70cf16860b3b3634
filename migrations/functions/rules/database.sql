-- What the rules observe of the database itself: slow statements, connections, messages that
-- wait too long, and jobs that nobody calls.

create or replace function ops.slow_calls_per_minute()
returns numeric
language sql
stable
set search_path = ''
as $$
    -- After a reset of the statistics the count is lower than before, and says nothing.
    select case
        when value::numeric >= previous::numeric then round(
            60 * (value::numeric - previous::numeric) / nullif(extract(epoch from noted_at - previous_at), 0), 1
        )
    end
    from ops.facts
    where name = 'slow_calls'
$$;

comment on function ops.slow_calls_per_minute() is
    'How many calls of slow statements there were in a minute between the last two ticks. It is null without two ticks, after a reset of the statistics, or without pg_stat_statements.';

create or replace function ops.observe_database(p_now timestamptz, p_settings jsonb)
returns setof ops.observation
language sql
stable
set search_path = ''
as $$
    with connections as (
        select round(100.0 * sum(numbackends) / current_setting('max_connections')::integer, 1) as percent
        from pg_stat_database
    ),
    waiting as (
        select min(message.created_at) as since
        from ops.outbox as message
        where message.status = 'pending' and message.created_at <= p_now and not ops.waits_on_purpose(message, p_now)
    ),
    figures (rule, subject, service, value, threshold, unit) as (
        select
            'connections_high', 'database', 'database', connections.percent,
            (p_settings ->> 'threshold.connections_percent')::numeric, '%'
        from connections

        union all
        select
            'slow_queries', 'database', 'database', ops.slow_calls_per_minute(),
            (p_settings ->> 'threshold.slow_calls_per_minute')::numeric, 'per minute'

        union all
        select
            'outbox_stuck', 'outbox', 'monitoring',
            coalesce(
                round(extract(epoch from p_now - waiting.since - ops.blind_time(waiting.since, p_now)) / 60, 1), 0
            ),
            (p_settings ->> 'threshold.outbox_minutes')::numeric, 'min'
        from waiting

        union all
        -- A job that no schedule ever called is not set up; the backup has rules of its own.
        select
            'job_overdue', job.job, 'monitoring',
            round(
                extract(epoch from p_now - job.last_slot - ops.blind_time(job.last_slot, p_now)) / job.every_seconds, 1
            ),
            (p_settings ->> 'threshold.job_overdue_intervals')::numeric, 'intervals'
        from ops.jobs as job
        where job.job not in ('monitor', 'backup') and job.first_slot is not null
    )
    select ops.make_observation(
        rule, subject, ops.judge(value, threshold, 1, 1), value, threshold, unit,
        p_facts => jsonb_build_object('service', service)
    )
    from figures
$$;

comment on function ops.observe_database(timestamptz, jsonb) is
    'The verdicts on connections, slow statements, messages that wait in the outbox, and jobs that nobody calls; a waiting message does not count while it waits on purpose.';
