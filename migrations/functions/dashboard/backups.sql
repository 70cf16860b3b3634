-- The dashboard's section about backups: first how much would be lost now, then what backups
-- cost.

create or replace function ops.backup_document(p_backup ops.backups, p_run ops.runs)
returns jsonb
language sql
immutable
set search_path = ''
as $$
    select jsonb_build_object(
        'run', p_backup.run,
        'slot', p_run.slot,
        'outcome', p_backup.outcome,
        'snapshot', p_backup.snapshot,
        'takenAt', p_backup.taken_at,
        'sealedAt', p_backup.sealed_at,
        'durationMs', round(1000 * extract(epoch from p_backup.finished_at - p_run.started_at)),
        'rows', p_backup.figures -> 'rows',
        'requests', p_backup.figures -> 'requests',
        'bytesRead', p_backup.figures -> 'bytesRead',
        'bytesReceived', p_backup.figures -> 'bytesReceived',
        'bytesTakenOver', p_backup.figures -> 'bytesTakenOver',
        'checksumMs', p_backup.figures -> 'checksumMs',
        'tablesWhole', p_backup.figures -> 'tablesWhole',
        'tablesInPart', p_backup.figures -> 'tablesInPart',
        'tablesUnchanged', p_backup.figures -> 'tablesUnchanged',
        'bytesStored', p_backup.figures -> 'bytesStored',
        'bytesReused', p_backup.figures -> 'bytesReused',
        'reusedPercent', round(
            100 * (kept.reused + kept.taken_over)
            -- The reused bytes include the definitions of objects, and the read ones do not.
            / nullif(greatest(kept.read, kept.reused) + kept.taken_over, 0),
            2
        ),
        'suspect', p_backup.suspect,
        'reason', p_backup.reason
    )
    from (
        select
            (p_backup.figures ->> 'bytesRead')::numeric,
            (p_backup.figures ->> 'bytesReused')::numeric,
            -- Earlier releases read everything.
            coalesce((p_backup.figures ->> 'bytesTakenOver')::numeric, 0)
    ) as kept (read, reused, taken_over)
$$;

comment on function ops.backup_document(ops.backups, ops.runs) is
    'A run of the backup as the dashboard shows it. Figures that the run did not report are null.';

create or replace function ops.backup_status(p_now timestamptz)
returns text
language sql
stable
set search_path = ''
as $$
    select case
        when (select seconds from ops.backup_age(p_now))
            > extract(epoch from ops.minutes(ops.read_settings(), 'threshold.backup_overdue_minutes'))
        then 'overdue'
        when newest_decided.outcome = 'failed' then 'failing'
        when newest_sealed.run is null then 'waiting'
        when newest_sealed.suspect is not null then 'suspect'
        else 'ok'
    end
    from (select) as always
    left join lateral (
        select outcome
        from (
            -- Only the runs that the section shows count here.
            select * from ops.backups where finished_at <= p_now order by finished_at desc limit 10
        ) as finished
        where outcome <> 'partial'
        order by finished_at desc
        limit 1
    ) as newest_decided on true
    left join lateral (
        select run, suspect
        from ops.backups
        where outcome = 'done' and taken_at <= p_now
        order by taken_at desc
        limit 1
    ) as newest_sealed on true
$$;

comment on function ops.backup_status(timestamptz) is
    'How backups stand: overdue, failing, waiting for the first one, suspect, or ok.';

create or replace function ops.recent_restores(p_now timestamptz)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select coalesce(
        jsonb_agg(
            jsonb_build_object(
                'snapshot', snapshot,
                'takenAt', taken_at,
                'restoredAt', restored_at,
                'seconds', seconds
            )
            order by restored_at desc
        ),
        '[]'
    )
    from (
        select * from ops.restores where restored_at <= p_now order by restored_at desc limit 10
    ) as newest
$$;

comment on function ops.recent_restores(timestamptz) is 'The ten newest restores, as the dashboard shows them.';

create or replace function ops.dashboard_gaps(p_now timestamptz)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select coalesce(
        (
            select ops.with_acceptance(gaps, ops.read_settings())
            from ops.backups
            where outcome = 'done' and taken_at <= p_now
            order by taken_at desc
            limit 1
        ),
        '[]'
    )
$$;

comment on function ops.dashboard_gaps(timestamptz) is
    'What the newest backup leaves out, and whether that is accepted.';

create or replace function ops.backup_egress(p_now timestamptz)
returns numeric
language sql
stable
set search_path = ''
as $$
    -- A week has everything that is read once in a week.
    select round(
        -- Earlier releases counted the rows alone.
        avg(coalesce(backup.figures ->> 'bytesReceived', backup.figures ->> 'bytesRead')::numeric)
        * 2592000 / job.every_seconds
    )
    from ops.jobs as job
    join ops.backups as backup
        on backup.outcome = 'done' and backup.finished_at <= p_now
        and backup.finished_at > p_now - interval '168 hours'
    where job.job = 'backup'
    group by job.every_seconds
$$;

comment on function ops.backup_egress(timestamptz) is
    'How many bytes leave the database for backups in thirty days of runs like those of the last week, or null if there was none.';

create or replace function ops.dashboard_backups(p_now timestamptz)
returns jsonb
language sql
stable
set search_path = ''
as $$
    with finished as (
        select backups, runs, backups.outcome, backups.finished_at, backups.figures
        from ops.backups
        join ops.runs on runs.id = backups.run
        where backups.finished_at <= p_now
        order by backups.finished_at desc
        limit 10
    )
    select jsonb_build_object(
        'status', ops.backup_status(p_now),
        'lastBackupAt', (select max(taken_at) from ops.backups where outcome = 'done' and taken_at <= p_now),
        'ageSeconds', (select seconds from ops.backup_age(p_now)),
        'rpoSeconds', extract(epoch from ops.minutes(ops.read_settings(), 'threshold.backup_rpo_minutes')),
        'projectedMonthlyEgressBytes', ops.backup_egress(p_now),
        'projectedMonthlyEgressCost', round(
            ops.backup_egress(p_now) / 1e9 * (ops.read_settings() ->> 'cost.egress_gb')::numeric, 2
        ),
        'runs', coalesce(
            (
                select jsonb_agg(ops.backup_document(backups, runs) order by finished_at desc)
                from finished
            ),
            '[]'
        ),
        'restores', ops.recent_restores(p_now),
        'gaps', ops.dashboard_gaps(p_now),
        'notCovered', coalesce(
            (
                select not_covered
                from ops.backups
                where outcome = 'done' and taken_at <= p_now
                order by taken_at desc
                limit 1
            ),
            '[]'
        ),
        'drills', ops.drills_document(p_now, ops.read_settings()),
        'verifications', ops.verifications_document(p_now),
        'reread', ops.reread_document(p_now, ops.read_settings()),
        'application', ops.archives_document(p_now, ops.read_settings()),
        'collection', ops.collections_document(p_now, ops.read_settings()),
        'replica', ops.replica_document(p_now, ops.read_settings()),
        'files', ops.files_document(p_now, ops.read_settings()),
        'receipts', ops.receipts_document(p_now)
    )
    from ops.jobs as job
    where job.job = 'backup' and (job.first_slot is not null or exists (select from finished))
$$;

comment on function ops.dashboard_backups(timestamptz) is
    'How much would be lost now, the last ten runs and restores, how much backups read in a month, what they leave out, and how drills, verifications, reading again, archives of the application, collections, the copy, files of Storage and receipts stand. It is null until a backup was scheduled or has run.';
