-- What the rules observe of the copies beside the newest backup: whether what lies in the store
-- was found whole, whether its lock holds, whether the application's archive is taken, and whether
-- what is no longer kept goes. A bundle in which nobody has ever verified, taken an archive or collected, has none set
-- up: that is shown and never an alert.

create or replace function ops.observe_verifications(p_now timestamptz, p_settings jsonb)
returns setof ops.observation
language sql
stable
set search_path = ''
as $$
    select ops.make_observation(
        'backup_damaged', 'backup', case when (damage).id is null and objects.path is null then 'good' else 'bad' end,
        p_facts => jsonb_build_object(
            'service', 'backups',
            'reason', coalesce(objects.what, (damage).faults #>> '{0,why}'),
            'detail', jsonb_strip_nulls(jsonb_build_object(
                'snapshot', coalesce(objects.snapshot, (damage).snapshot),
                'takenAt', case when objects.path is null then (damage).taken_at end,
                'found', coalesce(objects.path, (damage).faults #>> '{0,what}')
            ))
        )
    )
    from (select ops.standing_damage(p_now)) as standing (damage)
    left join lateral (
        select path, what, snapshot from ops.standing_damages(p_now, p_settings) limit 1
    ) as objects on true
    where exists (select from ops.backup_verifications) or exists (select from ops.backup_rereads)
$$;

comment on function ops.observe_verifications(timestamptz, jsonb) is
    'The verdict on what lies in the store: bad from a verification that found a fault until one as deep finds that backup, or a newer one, whole; and while an object that a backup rests on is known to be damaged.';

create or replace function ops.observe_rereads(p_now timestamptz, p_settings jsonb)
returns setof ops.observation
language sql
stable
set search_path = ''
as $$
    select ops.make_observation(
        'backup_reread_behind', 'backup',
        -- Whoever reads nothing again has nothing that could wait.
        case when most.days = 0 then 'good' else ops.judge(age.days, most.days, 1, 1) end,
        age.days, most.days, 'days',
        p_facts => jsonb_build_object(
            'service', 'backups',
            'reason', (newest.share).unread #>> '{0,why}',
            'detail', jsonb_build_object('finishedAt', (newest.share).finished_at)
        )
    )
    from (select ops.newest_reread(p_now)) as newest (share)
    cross join lateral (
        select round(extract(epoch from p_now - (newest.share).oldest_at) / 86400, 1)
    ) as age (days)
    cross join (select 2 * (p_settings ->> 'backup.reread_days')::numeric) as most (days)
    where (newest.share).oldest_at is not null
$$;

comment on function ops.observe_rereads(timestamptz, jsonb) is
    'The verdict on reading again: bad if an object that a backup rests on has not been read for twice as long as the setting says. Before the first share there is no verdict.';

create or replace function ops.observe_archives(p_now timestamptz, p_settings jsonb)
returns setof ops.observation
language sql
stable
set search_path = ''
as $$
    select ops.make_observation(
        'application_archive_overdue', 'application', ops.judge(age.days, most.days, 1, 1), age.days, most.days, 'days',
        p_facts => jsonb_build_object(
            'service', 'backups',
            'reason', case when cardinality(age.missed) > 0 then 'archive_lacks' end,
            'detail', jsonb_build_object('found', array_to_string(age.missed, ', '), 'takenAt', (newest.archive).taken_at)
        )
    )
    from (select ops.newest_archive(p_now)) as newest (archive)
    cross join lateral ops.archive_age(newest.archive, p_now, p_settings) as age
    cross join (select (p_settings ->> 'threshold.application_archive_days')::numeric) as most (days)
    where (newest.archive).name is not null
$$;

comment on function ops.observe_archives(timestamptz, jsonb) is
    'The verdict on archives of the application: bad if for longer than the setting says none was taken, or none that held what earlier ones did.';

create or replace function ops.observe_lock(p_now timestamptz, p_settings jsonb)
returns setof ops.observation
language sql
stable
set search_path = ''
as $$
    select ops.make_observation(
        'backup_lock_open', 'store', case when found.is_gone then 'bad' else 'good' end,
        p_facts => jsonb_build_object(
            'service', 'backups',
            'reason', case when found.is_gone then 'an object was deleted with our own key as soon as it was written' end,
            'detail', jsonb_build_object('finishedAt', newest.proof -> 'at')
        )
    )
    from (select ops.lock_proof(p_now)) as newest (proof)
    -- Where nothing is said to be locked, nothing is open.
    cross join lateral (
        select newest.proof ->> 'found' = 'gone' and (p_settings ->> 'backup.lock_days')::integer > 0
    ) as found (is_gone)
    where newest.proof is not null
$$;

comment on function ops.observe_lock(timestamptz, jsonb) is
    'The verdict on the lock of the store: bad if our own key could delete what the setting backup.lock_days says is locked. Before it was tried there is none.';

create or replace function ops.observe_collections(p_now timestamptz, p_settings jsonb)
returns setof ops.observation
language sql
stable
set search_path = ''
as $$
    select ops.make_observation(
        'backup_collection_overdue', 'collection',
        -- Whoever keeps everything has none that could be overdue.
        case
            when (p_settings ->> 'backup.retention')::boolean then ops.judge(age.days, most.days, 1, 1)
            else 'good'
        end,
        age.days, most.days, 'days',
        p_facts => jsonb_build_object(
            'service', 'backups',
            'reason', (age.newest).reason,
            'detail', jsonb_build_object('outcome', (age.newest).outcome, 'finishedAt', (age.newest).finished_at)
        )
    )
    from ops.collection_age(p_now) as age
    cross join (select (p_settings ->> 'threshold.backup_collection_days')::numeric) as most (days)
    where (age.newest).run is not null
$$;

comment on function ops.observe_collections(timestamptz, jsonb) is
    'The verdict on collections of backups: bad if for longer than the setting says none came to anything, because it failed or was frozen. Before the first there is no verdict.';
