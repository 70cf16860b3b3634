-- What the rules observe of the monitoring itself: channels that accept nothing or are not
-- proven, and jobs that fail, are not called or take too long. If nothing runs at all, no
-- rule can see it; that is seen from outside.

create or replace function ops.read_channel_states(p_channels text[], p_now timestamptz, p_settings jsonb)
returns table (
    channel text,
    configured boolean,
    known_since timestamptz,
    sent_at timestamptz,
    failing_since timestamptz,
    error text,
    last_bad_at timestamptz,
    test_due_at timestamptz
)
language sql
stable
set search_path = ''
as $$
    with channels as (
        select configured.channel from unnest(p_channels) as configured (channel)
        union
        select subject from ops.alert_states where rule in ('channel_failing', 'delivery_unproven')
    )
    select
        channels.channel,
        -- What nobody can be reached by is not to be proven either.
        channels.channel = any (p_channels) and ops.has_readers(channels.channel),
        known.known_since,
        ops.last_sent_at(channels.channel),
        failing.since,
        failing.error,
        state.last_bad_at,
        ops.proof_due_at(
            ops.proof_month(p_now, (p_settings ->> 'proof.hour_utc')::integer),
            (p_settings ->> 'proof.hour_utc')::integer
        )
    from channels
    left join ops.channels as known using (channel)
    left join ops.failing_channels(p_settings, p_now) as failing using (channel)
    left join ops.alert_states as state on state.fingerprint = 'channel_failing:' || channels.channel
$$;

comment on function ops.read_channel_states(text[], timestamptz, jsonb) is
    'What is known of each channel that is configured, or about which a verdict is remembered: since when it is known and fails, when it sent something last, when it was bad last, and when the month''s test is due.';

create or replace function ops.observe_channels(p_channels text[], p_now timestamptz, p_settings jsonb)
returns setof ops.observation
language sql
stable
set search_path = ''
as $$
    with channels as (
        select
            *,
            coalesce(sent_at, known_since)
                < p_now - make_interval(days => (p_settings ->> 'proof.maximum_days')::integer) as outdated,
            -- Any message that was sent since the test was due has proven the channel as well.
            known_since < test_due_at
                and test_due_at <= p_now - interval '1 day'
                and coalesce(sent_at < test_due_at, true) as untested
        from ops.read_channel_states(p_channels, p_now, p_settings)
    ),
    judged (rule, channel, configured, verdict, value, threshold, unit, reason) as (
        select
            'channel_failing', channel, configured,
            case
                when failing_since is not null then 'bad'
                when last_bad_at is null or sent_at > last_bad_at then 'good'
                -- Nothing has been sent this way since it failed.
                else 'insufficient'
            end,
            round(extract(epoch from p_now - failing_since) / 60, 1),
            (p_settings ->> 'delivery.failover_minutes')::numeric, 'min', error
        from channels

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
        from channels
    )
    select ops.make_observation(
        rule, channel, case when configured then verdict else 'good' end, value, threshold, unit,
        p_facts => jsonb_build_object(
            'service', 'monitoring',
            'reason', case when configured then reason else 'removed' end
        )
    )
    from judged
$$;

comment on function ops.observe_channels(text[], timestamptz, jsonb) is
    'The verdicts on channels. A channel that fails is bad until something was sent that way again; it is unproven if nothing was sent that way for too long, or not since the month''s test was due. A channel that is no longer configured is good.';

create or replace function ops.failures_in_a_row(p_job text, p_most integer)
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
    'How many of the newest scheduled runs of a job failed or were abandoned one after the other, counted up to p_most; null before the first run.';

create or replace function ops.count_slots(
    p_job text,
    p_from timestamptz,
    p_to timestamptz,
    p_most numeric,
    out slots bigint,
    out missed bigint
)
language sql
stable
set search_path = ''
as $$
    with holes as (
        -- A hole of p_most slots or more is a silence, which has rules of its own.
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

comment on function ops.count_slots(text, timestamptz, timestamptz, numeric) is
    'The slots of a job in a period, and how many of them nobody called, in holes of fewer than p_most. An abandoned run does not count, because it left its slot to another one.';

create or replace function ops.observe_failing_jobs(p_settings jsonb)
returns setof ops.observation
language sql
stable
set search_path = ''
as $$
    select ops.make_observation(
        'job_failing', job.job,
        case
            when counted.failures is null then 'insufficient'
            when counted.failures >= bound.most then 'bad'
            else 'good'
        end,
        counted.failures, bound.most,
        p_facts => jsonb_build_object('service', 'monitoring')
    )
    from ops.jobs as job
    cross join (select (p_settings ->> 'threshold.job_failures')::integer as most) as bound
    cross join lateral (select ops.failures_in_a_row(job.job, bound.most) as failures) as counted
    -- A job that no schedule ever called is not set up. A tick that commits has not failed,
    -- and the backup has rules of its own.
    where job.first_slot is not null and job.job not in ('monitor', 'backup')
$$;

comment on function ops.observe_failing_jobs(jsonb) is
    'The verdicts on scheduled jobs whose runs fail one after the other.';

create or replace function ops.observe_missed_slots(p_now timestamptz, p_settings jsonb)
returns setof ops.observation
language sql
stable
set search_path = ''
as $$
    select ops.make_observation(
        'job_missed', job.job, ops.judge(share.percent, share.most, counted.slots, 10),
        share.percent, share.most, '%', counted.slots,
        p_facts => jsonb_build_object('service', 'monitoring')
    )
    from ops.jobs as job
    cross join lateral ops.count_slots(
        job.job,
        p_now - ops.minutes(p_settings, 'window.job_minutes'),
        p_now,
        (p_settings ->> 'threshold.job_overdue_intervals')::numeric
    ) as counted
    cross join lateral (
        select
            round(100.0 * counted.missed / nullif(counted.slots, 0), 1) as percent,
            (p_settings ->> 'threshold.job_missed_percent')::numeric as most
    ) as share
    where job.first_slot is not null
$$;

comment on function ops.observe_missed_slots(timestamptz, jsonb) is
    'The verdicts on the share of slots of scheduled jobs that nobody called.';

create or replace function ops.observe_slow_jobs(p_settings jsonb)
returns setof ops.observation
language sql
stable
set search_path = ''
as $$
    select ops.make_observation(
        'job_slow', job.job, ops.judge(share.percent, share.most, 1, 1), share.percent, share.most, '%',
        p_facts => jsonb_build_object('service', 'monitoring')
    )
    from ops.jobs as job
    cross join lateral (
        select
            (
                select round(100 * extract(epoch from finished_at - started_at) / job.every_seconds, 1)
                from ops.runs
                where runs.job = job.job and slot is not null and outcome in ('done', 'partial', 'failed')
                order by started_at desc
                limit 1
            ) as percent,
            (p_settings ->> 'threshold.job_slow_percent')::numeric as most
    ) as share
    where job.first_slot is not null
$$;

comment on function ops.observe_slow_jobs(jsonb) is
    'The verdicts on how much of its interval the newest finished run of each scheduled job took.';

create or replace function ops.observe_jobs(p_now timestamptz, p_settings jsonb)
returns setof ops.observation
language sql
stable
set search_path = ''
as $$
    select * from ops.observe_failing_jobs(p_settings)
    union all
    select * from ops.observe_missed_slots(p_now, p_settings)
    union all
    select * from ops.observe_slow_jobs(p_settings)
$$;

comment on function ops.observe_jobs(timestamptz, jsonb) is
    'The verdicts on scheduled jobs: runs that fail one after the other, slots that nobody calls, and runs that take too much of their interval.';
