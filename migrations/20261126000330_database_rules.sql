-- The database's own figures as rules: slow statements, connections, messages
-- that wait too long, jobs that nobody calls.
--
-- Why: what runs out or falls silent is noticed before it is missed.
-- Read by: the tick.
-- Undo: put back the former ops.observe_tick; drop the functions of this file; take
-- the new rows out of ops.rules and ops.settings.

set local search_path = '';

insert into ops.rules (rule, severity, signal, subject_kind, bad_after, good_after, affects)
values
    ('connections_high', 'high', 'database', 'service', null, null, '{database,app}'),
    ('slow_queries', 'medium', 'database', 'service', null, null, '{database}'),
    ('outbox_stuck', 'high', 'database', 'service', null, null, '{monitoring}'),
    ('job_overdue', 'high', 'job', 'job', null, null, '{monitoring}');

comment on column ops.rules.signal is 'check: a probe; traffic: figures over a window; database: the database''s own figures; job: what became of a job''s runs; security: who gets in and who may what; event: a row of the application; notice: a message without an alert; external: raised by a caller; emergency: handed over by the function that could not reach the database.';

insert into ops.settings (key, kind, value, default_value, minimum, maximum, unit, description)
select key, 'number', value, value, minimum, maximum, unit, description
from (values
    ('threshold.connections_percent', '80'::jsonb, 1, 100, '%', 'Share of the database''s connections in use.'),
    ('threshold.slow_calls_per_minute', '10', 0, 100000, null, 'Calls a minute of statements that take more than 500 ms on average.'),
    ('threshold.outbox_minutes', '15', 1, 1440, 'min', 'Age of the oldest message that waits to be delivered, digests aside.'),
    ('threshold.job_overdue_intervals', '3', 2, 100, null, 'Intervals without a claimed slot after which a job is overdue.')
) as seed (key, value, minimum, maximum, unit, description);

-- Figures --------------------------------------------------------------------

create function ops.slow_calls_per_minute()
returns numeric
language sql
stable
set search_path = ''
as $$
    -- Statistics that were reset count from nought again: nothing is known then.
    select case
        when value::numeric >= previous::numeric then round(
            60 * (value::numeric - previous::numeric) / nullif(extract(epoch from noted_at - previous_at), 0), 1
        )
    end
    from ops.facts
    where name = 'slow_calls'
$$;

comment on function ops.slow_calls_per_minute() is
    'Calls a minute of slow statements between the last two ticks; null without two of them, or without pg_stat_statements.';

create function ops.observe_database(p_now timestamptz, p_settings jsonb)
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
        -- A digest waits on purpose.
        select min(created_at) as since
        from ops.outbox
        where status = 'pending' and not digest and created_at <= p_now
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
            coalesce(round(extract(epoch from p_now - waiting.since) / 60, 1), 0),
            (p_settings ->> 'threshold.outbox_minutes')::numeric, 'min'
        from waiting

        union all
        -- What was never called by schedule is not set up; the backup has rules of its own.
        select
            'job_overdue', job.job, 'monitoring',
            round(extract(epoch from p_now - job.last_slot) / job.every_seconds, 1),
            (p_settings ->> 'threshold.job_overdue_intervals')::numeric, 'intervals'
        from ops.jobs as job
        where job.job not in ('monitor', 'backup') and job.first_slot is not null
    )
    select
        rule || ':' || subject, rule, subject, null, ops.judge(value, threshold, 1, 1), value, threshold, unit,
        null::bigint, 1::bigint,
        jsonb_build_object('service', service), null::bigint
    from figures
$$;

comment on function ops.observe_database(timestamptz, jsonb) is
    'The verdicts on connections, slow statements, waiting messages and jobs that nobody calls.';

revoke all on all functions in schema ops from public, anon, authenticated;
grant execute on all functions in schema ops to service_role;
