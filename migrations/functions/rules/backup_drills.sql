-- What the rules observe of drills, and of what backups leave out. A bundle in which no drill
-- ever sent a receipt has none set up: that is shown and never an alert.

create or replace function ops.observe_drills(p_now timestamptz, p_settings jsonb)
returns setof ops.observation
language sql
stable
set search_path = ''
as $$
    with newest as (
        select
            drill,
            round(extract(epoch from p_now - (drill).received_at) / 86400, 1) as age_days,
            -- A drill takes its time, and whoever calls it is seldom punctual.
            (p_settings ->> 'backup.drill_days')::numeric + 1 as most_days,
            ops.drill_reason(drill, p_settings) as reason
        from (select ops.newest_drill(p_now)) as newest (drill)
        where (drill).id is not null
    ),
    observed (rule, verdict, value, threshold, unit, reason) as (
        select
            'backup_drill_failed', case when reason is null then 'good' else 'bad' end,
            round((drill).seconds / 60, 1), (p_settings ->> 'threshold.backup_rto_minutes')::numeric, 'min',
            reason
        from newest

        union all
        select
            'backup_drill_overdue', ops.judge(age_days, most_days, 1, 1), age_days, most_days, 'days', null
        from newest

        union all
        select
            'backup_rto_trend', ops.judge(line.minutes, line.most, 1, 1), line.minutes, line.most, 'min',
            null
        from (
            select
                (forecast ->> 'inAMonthMinutes')::numeric,
                (p_settings ->> 'threshold.backup_rto_minutes')::numeric
            from ops.forecast_restore(p_now, p_settings) as forecast
        ) as line (minutes, most)
        where line.minutes is not null

        union all
        select
            'backup_verification_overdue', ops.judge(age.days, age.most, 1, 1), age.days, age.most, 'days', null
        from (
            select
                round(extract(epoch from p_now - max(received_at)) / 86400, 1),
                (p_settings ->> 'threshold.backup_verification_days')::numeric
            from ops.backup_verifications
            where level = 2 and received_at <= p_now
        ) as age (days, most)
        where age.days is not null
    )
    select ops.make_observation(
        rule, 'backup', verdict, value, threshold, unit,
        p_facts => jsonb_build_object(
            'service', 'backups',
            'reason', observed.reason,
            'detail', (
                select jsonb_build_object('snapshot', (drill).snapshot, 'takenAt', (drill).taken_at) from newest
            )
        )
    )
    from observed
$$;

comment on function ops.observe_drills(timestamptz, jsonb) is
    'The verdicts on drills: whether the last one was good, whether the next one is overdue, and whether restores will soon take too long; and whether backups are opened and read. Before the first of each there is no verdict.';

create or replace function ops.newest_stock_drill(p_now timestamptz)
returns ops.backup_drills
language sql
stable
set search_path = ''
as $$
    select *
    from ops.backup_drills
    where received_at <= p_now and level = 4
    order by received_at desc
    limit 1
$$;

comment on function ops.newest_stock_drill(timestamptz) is
    'Returns the drill by stock tools alone whose receipt arrived last, or null.';

create or replace function ops.observe_recovery_drills(p_now timestamptz, p_settings jsonb)
returns setof ops.observation
language sql
stable
set search_path = ''
as $$
    with ways as (
        select
            'stock_tools' as way,
            (drill).received_at as last_at,
            ops.drill_reason(drill, p_settings) as reason,
            jsonb_build_object('snapshot', (drill).snapshot, 'takenAt', (drill).taken_at) as detail
        from (select ops.newest_stock_drill(p_now)) as newest (drill)
        where (drill).id is not null

        union all
        select
            'recover_' || recovery.kind,
            recovery.received_at,
            ops.recovery_reason(recovery, p_settings),
            jsonb_build_object('snapshot', recovery.snapshot)
        from ops.newest_recoveries(p_now) as recovery
    )
    select ops.make_observation(
        observed.rule, way, observed.verdict, observed.days, observed.most, observed.unit,
        p_facts => jsonb_build_object('service', 'backups', 'reason', observed.reason, 'detail', detail)
    )
    from ways
    cross join lateral (
        select
            round(extract(epoch from p_now - last_at) / 86400, 1),
            (p_settings ->> 'threshold.backup_recovery_drill_days')::numeric
    ) as age (days, most)
    cross join lateral (
        values
            ('backup_recovery_drill_overdue', ops.judge(age.days, age.most, 1, 1), age.days, age.most, 'days', null),
            ('backup_drill_failed', case when ways.reason is null then 'good' else 'bad' end, null, null, null, ways.reason)
    ) as observed (rule, verdict, days, most, unit, reason)
$$;

comment on function ops.observe_recovery_drills(timestamptz, jsonb) is
    'The verdicts on each whole way back that was ever tried: whether the last time was good, and whether the next is overdue.';

create or replace function ops.observe_gaps(p_settings jsonb)
returns setof ops.observation
language sql
stable
set search_path = ''
as $$
    with newest_sealed as (
        select snapshot, taken_at, gaps
        from ops.backups
        where outcome = 'done'
        order by taken_at desc
        limit 1
    ),
    gaps as (
        select distinct on (entry ->> 'what')
            entry ->> 'what' as what,
            entry ->> 'why' as why,
            jsonb_build_object('snapshot', snapshot, 'takenAt', taken_at) as detail
        from newest_sealed
        cross join lateral jsonb_array_elements(gaps) as entry
    ),
    subjects as (
        select what from gaps
        union
        select subject from ops.alert_states where rule = 'backup_gap'
    )
    select ops.make_observation(
        'backup_gap', subjects.what,
        case when gaps.what is null or ops.is_accepted(gaps.what, p_settings) then 'good' else 'bad' end,
        p_facts => jsonb_build_object(
            'service', 'backups',
            'reason', case
                when gaps.what is null then 'backed_up'
                when ops.is_accepted(gaps.what, p_settings) then 'accepted'
                else gaps.why
            end,
            'detail', coalesce(gaps.detail, '{}')
        )
    )
    from subjects
    left join gaps on gaps.what = subjects.what
$$;

comment on function ops.observe_gaps(jsonb) is
    'The verdicts on what the newest backup leaves out, each by its name. It is bad until an operator accepts it by that name, or a backup is sealed without it.';
