-- What the rules observe of backups: whether they fail, are overdue, are too old or look
-- wrong. How much would be lost now is measured every minute, whether or not the job that
-- makes backups still runs.

create or replace function ops.backup_age(
    p_now timestamptz,
    out since timestamptz,
    out seconds numeric
)
language plpgsql
stable
set search_path = ''
as $$
begin
    select counted.since, extract(epoch from p_now - counted.since)
    into since, seconds
    from ops.jobs as job
    cross join lateral (
        -- A restored database is backed up at that moment, because it equals its backup.
        select coalesce(
            greatest(
                (select max(taken_at) from ops.backups where outcome = 'done' and taken_at <= p_now),
                (select max(restored_at) from ops.restores where restored_at <= p_now)
            ),
            job.first_slot
        ) as since
    ) as counted
    where job.job = 'backup' and job.first_slot is not null;
end
$$;

comment on function ops.backup_age(timestamptz) is
    'Since when nothing has been backed up. Before the first backup this counts from the first scheduled slot; it is null where no backup was ever scheduled.';

create or replace function ops.observe_backups(p_now timestamptz, p_settings jsonb)
returns setof ops.observation
language sql
stable
set search_path = ''
as $$
    with newest_sealed as (
        select *
        from ops.backups
        where outcome = 'done'
        order by taken_at desc
        limit 1
    ),
    -- A run that ran out of time neither failed nor succeeded: the next one continues it.
    newest_decided as (
        select *
        from ops.backups
        where outcome <> 'partial'
        order by finished_at desc
        limit 1
    ),
    aged (rule, value, threshold) as (
        select limits.rule, round(age.seconds / 60, 1), (p_settings ->> limits.setting)::numeric
        from ops.backup_age(p_now) as age
        cross join (values
            ('backup_overdue', 'threshold.backup_overdue_minutes'),
            ('backup_rpo_breached', 'threshold.backup_rpo_minutes')
        ) as limits (rule, setting)
    ),
    observed (rule, verdict, value, threshold, unit, reason, detail) as (
        select
            rule, ops.judge(value, threshold, 1, 1), value, threshold, 'min', null,
            (select jsonb_build_object('snapshot', snapshot, 'takenAt', taken_at) from newest_sealed)
        from aged

        union all
        select
            'backup_failed', case outcome when 'failed' then 'bad' else 'good' end, null, null, null,
            reason, jsonb_build_object('run', run)
        from newest_decided

        union all
        select
            'backup_suspect', case when suspect is null then 'good' else 'bad' end, null, null, null,
            suspect, jsonb_build_object('snapshot', snapshot, 'takenAt', taken_at)
        from newest_sealed
    )
    select ops.make_observation(
        rule, 'backup', verdict, value, threshold, unit,
        p_facts => jsonb_build_object('service', 'backups', 'reason', reason, 'detail', coalesce(detail, '{}'))
    )
    from observed
    where verdict <> 'insufficient'
$$;

comment on function ops.observe_backups(timestamptz, jsonb) is
    'The verdicts on backups: how the last run ended, how old the newest backup is, and whether it looks as it should. Before the first run there is no verdict.';
