-- The rules about backups: failed, overdue, too old, suspect.
--
-- Why: a backup that is not made is noticed when it is needed, which is too
-- late. What would be lost now is measured every minute, whether or not the
-- backup's own job still runs, and held against the setting.
-- Read by: the tick, the dashboard.
-- Undo: drop ops.observe_backups and ops.backup_age, put the former
-- ops.observe_tick back, delete the rules and settings.

set local search_path = '';

comment on column ops.rules.signal is 'check: a probe; traffic: figures over a window; event: a row of the application; job: what became of a job''s runs; notice: a message without an alert; external: raised by a caller; emergency: handed over by the function that could not reach the database.';

insert into ops.rules (rule, severity, signal, subject_kind, bad_after, good_after, affects)
values
    ('backup_rpo_breached', 'critical', 'job', 'job', 1, 1, '{backups}'),
    ('backup_failed', 'high', 'job', 'job', 1, 1, '{backups}'),
    ('backup_overdue', 'high', 'job', 'job', 1, 1, '{backups}'),
    ('backup_suspect', 'high', 'job', 'job', 1, 1, '{backups}');

insert into ops.settings (key, kind, value, default_value, minimum, maximum, unit, description)
select key, 'integer', value, value, 1, 44640, 'min', description
from (values
    ('threshold.backup_overdue_minutes', '50'::jsonb, 'Age of the newest backup that calls for attention.'),
    ('threshold.backup_rpo_minutes', '60', 'Age of the newest backup that must never be exceeded: so much would be lost.')
) as seed (key, value, description);

create function ops.backup_age(
    p_now timestamptz,
    out since timestamptz,
    out seconds numeric
)
language sql
stable
set search_path = ''
as $$
    select counted.since, extract(epoch from p_now - counted.since)
    from ops.jobs as job
    cross join lateral (
        -- A restored database is, at that moment, what its backup is.
        select coalesce(
            greatest(
                (select max(taken_at) from ops.backups where outcome = 'done' and taken_at <= p_now),
                (select max(restored_at) from ops.restores where restored_at <= p_now)
            ),
            job.first_slot
        ) as since
    ) as counted
    where job.job = 'backup' and job.first_slot is not null
$$;

comment on function ops.backup_age(timestamptz) is
    'Since when nothing has been backed up, counted from the first slot if there is no backup yet; null where no backup was ever scheduled.';

create function ops.observe_backups(p_now timestamptz, p_settings jsonb)
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
    -- One that ran out of time says neither: the next one goes on.
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
    select
        rule || ':backup', rule, 'backup', null, verdict, value, threshold, unit, null::bigint, 1::bigint,
        jsonb_build_object('service', 'backups', 'reason', reason, 'detail', coalesce(detail, '{}')),
        null::bigint
    from observed
    where verdict <> 'insufficient'
$$;

comment on function ops.observe_backups(timestamptz, jsonb) is
    'The verdicts on backups: how the last run ended, how old the newest is, whether it is what it should be. No word where there has been none.';

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
    )
    select array_agg(seen::ops.observation)
    from (
        select * from checked
        union all
        select * from ops.observe_unwatched(array(select fingerprint from checked))
        union all
        select * from ops.observe_recovery()
        union all
        select * from ops.observe_app(p_since, p_now, p_tick ->> 'environment', p_settings)
        union all
        select * from ops.observe_backups(p_now, p_settings)
    ) as seen
$$;

revoke all on all functions in schema ops from public, anon, authenticated;
grant execute on all functions in schema ops to service_role;
