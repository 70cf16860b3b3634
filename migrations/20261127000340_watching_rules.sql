-- Rules about the watching itself: channels that take nothing or were not proven,
-- jobs that fail, that are not called, or that take too long.
--
-- Why: what watches everything else is watched by the same rules. What cannot be
-- seen from here, because nothing runs at all, is seen from outside.
-- Read by: the tick.
-- Undo: put back the former ops.observe_tick; drop the functions of this file; take
-- the new rows out of ops.rules and ops.settings.

set local search_path = '';

insert into ops.rules (rule, severity, signal, subject_kind, bad_after, good_after, affects)
values
    ('channel_failing', 'high', 'delivery', 'channel', 1, 1, '{monitoring}'),
    ('delivery_unproven', 'medium', 'delivery', 'channel', 1, 1, '{monitoring}'),
    ('job_failing', 'high', 'job', 'job', 1, 1, '{monitoring}'),
    ('job_missed', 'medium', 'job', 'job', null, null, '{monitoring}'),
    ('job_slow', 'medium', 'job', 'job', null, null, '{monitoring}');

comment on column ops.rules.signal is 'check: a probe; traffic: figures over a window; database: the database''s own figures; job: what became of a job''s runs; delivery: what became of messages; security: who gets in and who may what; event: a row of the application; notice: a message without an alert; external: raised by a caller; emergency: handed over by the function that could not reach the database.';

insert into ops.settings (key, kind, value, default_value, minimum, maximum, unit, description)
select key, kind, value, value, minimum, maximum, unit, description
from (values
    ('threshold.job_failures', 'integer', '3'::jsonb, 1, 50, null, 'Scheduled runs of a job that failed or were killed one after the other.'),
    ('threshold.job_missed_percent', 'number', '20', 0, 100, '%', 'Share of a job''s slots that nobody called, longer silences aside.'),
    ('threshold.job_slow_percent', 'number', '80', 1, 1000, '%', 'How long a run takes, as a share of its interval.'),
    ('window.job_minutes', 'integer', '360', 10, 10080, 'min', 'Period of the share of missed slots.')
) as seed (key, kind, value, minimum, maximum, unit, description);

-- Channels -------------------------------------------------------------------

create function ops.observe_channels(p_channels text[], p_now timestamptz, p_settings jsonb)
returns setof ops.observation
language sql
stable
set search_path = ''
as $$
    with channels as (
        select configured.channel from unnest(p_channels) as configured (channel)
        union
        select subject from ops.alert_states where rule in ('channel_failing', 'delivery_unproven')
    ),
    facts as (
        select
            channels.channel,
            channels.channel = any (p_channels) as configured,
            known.known_since,
            ops.last_sent_at(channels.channel) as sent_at,
            failing.since as failing_since,
            failing.error,
            state.last_bad_at,
            ops.proof_due_at(
                ops.proof_month(p_now, (p_settings ->> 'proof.hour_utc')::integer),
                (p_settings ->> 'proof.hour_utc')::integer
            ) as due_at
        from channels
        left join ops.channels as known using (channel)
        left join ops.failing_channels(p_settings, p_now) as failing using (channel)
        left join ops.alert_states as state on state.fingerprint = 'channel_failing:' || channels.channel
    ),
    proofs as (
        select
            *,
            coalesce(sent_at, known_since)
                < p_now - make_interval(days => (p_settings ->> 'proof.maximum_days')::integer) as outdated,
            -- Whatever was sent since has proven the same.
            known_since < due_at
                and due_at <= p_now - interval '1 day'
                and coalesce(sent_at < due_at, true) as untested
        from facts
    ),
    judged (rule, channel, configured, verdict, value, threshold, unit, reason) as (
        select
            'channel_failing', channel, configured,
            case
                when failing_since is not null then 'bad'
                when last_bad_at is null or sent_at > last_bad_at then 'good'
                -- Nobody has tried it since.
                else 'insufficient'
            end,
            round(extract(epoch from p_now - failing_since) / 60, 1),
            (p_settings ->> 'delivery.failover_minutes')::numeric, 'min', error
        from facts

        union all
        select
            'delivery_unproven', channel, configured,
            case
                when known_since is null then 'insufficient'
                when outdated or untested then 'bad'
                else 'good'
            end,
            round(extract(epoch from p_now - coalesce(sent_at, known_since)) / 86400, 1),
            (p_settings ->> 'proof.maximum_days')::numeric, 'days',
            case when untested then 'untested' when not outdated then 'proven' end
        from proofs
    )
    select
        rule || ':' || channel, rule, channel, null,
        case when configured then verdict else 'good' end,
        value, threshold, unit, null::bigint, 1::bigint,
        jsonb_build_object('service', 'monitoring', 'reason', case when configured then reason else 'removed' end),
        null::bigint
    from judged
$$;

comment on function ops.observe_channels(text[], timestamptz, jsonb) is
    'The verdicts on channels: failing until one has taken something again, unproven when nothing went that way for too long or since the month''s test was due. A channel that is no longer configured is well.';

-- Jobs -----------------------------------------------------------------------

create function ops.failures_in_a_row(p_job text, p_most integer)
returns bigint
language sql
stable
set search_path = ''
as $$
    with newest as (
        select outcome, row_number() over (order by started_at desc) as nth
        from ops.runs
        where job = p_job and slot is not null and outcome in ('done', 'partial', 'failed', 'abandoned')
        order by started_at desc
        limit p_most
    )
    select coalesce(
        min(nth) filter (where outcome in ('done', 'partial')) - 1,
        nullif(count(*), 0)
    )
    from newest
$$;

comment on function ops.failures_in_a_row(text, integer) is
    'How many of a job''s newest scheduled runs failed or were killed one after the other, counted up to p_most; null before the first.';

create function ops.count_slots(
    p_job text,
    p_from timestamptz,
    p_to timestamptz,
    p_most integer,
    out slots bigint,
    out missed bigint
)
language sql
stable
set search_path = ''
as $$
    with holes as (
        -- A longer one is a silence, which has rules of its own.
        select case when runs.missed < p_most then runs.missed else 0 end as missed
        from ops.runs
        where job = p_job
            and started_at > p_from
            and started_at <= p_to
            and slot is not null
            and outcome not in ('missed', 'abandoned')
    )
    select count(*) + coalesce(sum(holes.missed), 0), coalesce(sum(holes.missed), 0)
    from holes
$$;

comment on function ops.count_slots(text, timestamptz, timestamptz, integer) is
    'The slots of a job in that time, and how many nobody called, in holes of fewer than p_most; what was abandoned left its slot to another run.';

create function ops.observe_jobs(p_now timestamptz, p_settings jsonb)
returns setof ops.observation
language sql
stable
set search_path = ''
as $$
    with scheduled as (
        -- What was never called by schedule is not set up.
        select * from ops.jobs where first_slot is not null
    ),
    judged (rule, job, verdict, value, threshold, unit, samples) as (
        -- A tick that commits has not failed, and the backup has rules of its own.
        select
            'job_failing', scheduled.job,
            case
                when found.failures is null then 'insufficient'
                when found.failures >= found.most then 'bad'
                else 'good'
            end,
            found.failures::numeric, found.most::numeric, null, null::bigint
        from scheduled
        cross join lateral (
            select
                (p_settings ->> 'threshold.job_failures')::integer as most,
                ops.failures_in_a_row(scheduled.job, (p_settings ->> 'threshold.job_failures')::integer) as failures
        ) as found
        where scheduled.job not in ('monitor', 'backup')

        union all
        select
            'job_missed', scheduled.job,
            ops.judge(found.percent, found.most, counted.slots, 10),
            found.percent, found.most, '%', counted.slots
        from scheduled
        cross join lateral ops.count_slots(
            scheduled.job,
            p_now - ops.minutes(p_settings, 'window.job_minutes'),
            p_now,
            (p_settings ->> 'threshold.job_overdue_intervals')::integer
        ) as counted
        cross join lateral (
            select
                round(100.0 * counted.missed / nullif(counted.slots, 0), 1) as percent,
                (p_settings ->> 'threshold.job_missed_percent')::numeric as most
        ) as found

        union all
        select
            'job_slow', scheduled.job, ops.judge(found.percent, found.most, 1, 1), found.percent, found.most, '%', null
        from scheduled
        cross join lateral (
            select
                (
                    select round(100 * extract(epoch from finished_at - started_at) / scheduled.every_seconds, 1)
                    from ops.runs
                    where job = scheduled.job and slot is not null and outcome in ('done', 'partial', 'failed')
                    order by started_at desc
                    limit 1
                ) as percent,
                (p_settings ->> 'threshold.job_slow_percent')::numeric as most
        ) as found
    )
    select
        rule || ':' || job, rule, job, null, verdict, value, threshold, unit, samples, 1::bigint,
        jsonb_build_object('service', 'monitoring'), null::bigint
    from judged
$$;

comment on function ops.observe_jobs(timestamptz, jsonb) is
    'The verdicts on scheduled jobs: runs that fail one after the other, slots that nobody calls, runs that take too much of their interval.';

create or replace function ops.observe_tick(
    p_tick jsonb,
    p_since timestamptz,
    p_settings jsonb,
    p_now timestamptz
)
returns ops.observation[]
language sql
stable
set search_path = ''
as $$
    with checked as (
        select * from ops.observe_checks(p_tick, p_settings)
        union all
        select * from ops.observe_definitions(p_tick, p_now, p_settings)
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
        select * from ops.observe_app(p_since, p_now, p_tick ->> 'environment', p_settings)
    ) as seen
$$;

revoke all on all functions in schema ops from public, anon, authenticated;
grant execute on all functions in schema ops to service_role;
