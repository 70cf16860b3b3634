-- Facts: everything that was done with backups, each once, as receipts in the store and reports
-- tell it. What is in `facts` everybody may read who reads the store, which is for good: figures,
-- and no name of a table, no text of an error and no person but who signed a review. The rest is
-- in `details`, for reports.

create or replace function ops.backup_name(p_text text)
returns text
language sql
immutable
set search_path = ''
as $$
    select substring(p_text from '^[0-9]{8}T[0-9]{6}Z-[0-9]+-[0-9a-f]{8}$')
$$;

comment on function ops.backup_name(text) is 'The text if it can be the name of a backup, else null.';

create or replace function ops.run_facts(p_from timestamptz, p_to timestamptz)
returns table (kind text, id text, at timestamptz, snapshot text, facts jsonb, details jsonb)
language sql
stable
set search_path = ''
as $$
    select
        case when backup.outcome = 'done' then 'backup' else 'failure' end,
        run.id::text,
        run.finished_at,
        backup.snapshot,
        jsonb_build_object(
            'outcome', run.outcome,
            'slot', run.slot,
            'startedAt', run.started_at,
            'finishedAt', run.finished_at,
            'takenAt', backup.taken_at,
            'sealedAt', backup.sealed_at,
            'suspect', backup.suspect,
            'figures', coalesce(backup.figures, '{}'),
            'gaps', jsonb_array_length(coalesce(backup.gaps, '[]')),
            'notCovered', jsonb_array_length(coalesce(backup.not_covered, '[]'))
        ),
        jsonb_build_object(
            'reason', case
                when run.outcome = 'abandoned' then 'it was ended before it could tell how it went'
                else backup.reason
            end,
            'gaps', coalesce(backup.gaps, '[]'),
            'notCovered', coalesce(backup.not_covered, '[]')
        )
    from ops.runs as run
    left join ops.backups as backup on backup.run = run.id
    where run.job = 'backup'
        and run.outcome not in ('running', 'missed')
        and run.finished_at >= p_from
        and run.finished_at < p_to
        and not exists (select from ops.backup_collections as collection where collection.run = run.id)
$$;

comment on function ops.run_facts(timestamptz, timestamptz) is
    'The runs of the backup that ended in a time, but for collections: what each covers and took, or why it sealed nothing.';

create or replace function ops.proof_facts(p_from timestamptz, p_to timestamptz, p_settings jsonb)
returns table (kind text, id text, at timestamptz, snapshot text, facts jsonb, details jsonb)
language sql
stable
set search_path = ''
as $$
    select
        'verification', verified.id::text, verified.received_at, verified.snapshot,
        ops.verification_document(verified) - '{id,faults}'::text[],
        jsonb_build_object('faults', verified.faults)
    from ops.backup_verifications as verified
    where verified.received_at >= p_from and verified.received_at < p_to
    union all
    select
        'drill', drill.id::text, drill.received_at, drill.snapshot,
        told.document - '{id,reason,missing}'::text[] || jsonb_build_object(
            'missing', jsonb_array_length(drill.missing),
            'rtoSeconds', 60 * (p_settings ->> 'threshold.backup_rto_minutes')::numeric
        ),
        jsonb_build_object('reason', told.document -> 'reason', 'missing', told.document -> 'missing')
    from ops.backup_drills as drill
    cross join lateral (select ops.drill_document(drill, p_settings)) as told (document)
    where drill.received_at >= p_from and drill.received_at < p_to
    union all
    -- One that was gone on with is another fact: its receipt took the place of the one before.
    select
        'recovery', recovery.id || ' ' || ops.audit_time(recovery.finished_at), recovery.received_at,
        recovery.snapshot,
        ops.recovery_document(recovery) - '{id,kind}'::text[] || jsonb_build_object(
            'recovered', recovery.kind,
            'rtoSeconds', 60 * (p_settings ->> 'threshold.backup_rto_minutes')::numeric
        ),
        jsonb_build_object('reason', ops.recovery_reason(recovery, p_settings))
    from ops.backup_recoveries as recovery
    where recovery.received_at >= p_from and recovery.received_at < p_to
$$;

comment on function ops.proof_facts(timestamptz, timestamptz, jsonb) is
    'Verifications, drills and guided recoveries that were told in a time, those with their measured time beside the objective.';

create or replace function ops.keeping_facts(p_from timestamptz, p_to timestamptz)
returns table (kind text, id text, at timestamptz, snapshot text, facts jsonb, details jsonb)
language sql
stable
set search_path = ''
as $$
    select
        'collection', collection.run::text, collection.finished_at, null,
        ops.collection_document(collection) - '{run,reason,askedBy}'::text[] || jsonb_build_object(
            'byHand', collection.asked_by is not null,
            'decisions', collection.decisions
        ),
        jsonb_build_object('reason', collection.reason)
    from ops.backup_collections as collection
    where collection.finished_at >= p_from and collection.finished_at < p_to
    union all
    select
        'replication', copied.id::text, copied.received_at, null,
        jsonb_build_object(
            'newestHere', copied.newest_here,
            'newestThere', copied.newest_there,
            'lagSeconds', extract(epoch from greatest(copied.newest_here - copied.newest_there, '0')),
            'copied', copied.copied,
            'objects', copied.objects,
            'bytes', copied.bytes,
            'backupsLeft', copied.backups_left,
            'hindered', copied.trouble is not null
        ),
        jsonb_build_object('place', copied.place, 'trouble', copied.trouble)
    from ops.backup_replications as copied
    where copied.received_at >= p_from and copied.received_at < p_to
    union all
    -- Who it was is in the audit log, from which a person can be erased.
    select
        case log.action when 'rows.restored' then 'restore' else 'pin' end,
        'audit ' || log.hash, log.at, log.subject,
        jsonb_build_object('action', log.action, 'auditRow', log.seq, 'auditHash', log.hash),
        jsonb_build_object('by', beside.document::jsonb -> 'actor', 'reason', beside.document::jsonb -> 'reason')
    from ops.audit as log
    left join ops.audit_details as beside using (seq)
    where log.action in ('backup.pinned', 'backup.unpinned', 'backup.put_back', 'rows.restored')
        and log.at >= p_from
        and log.at < p_to
$$;

comment on function ops.keeping_facts(timestamptz, timestamptz) is
    'What was decided of each backup, what was copied to the other place, pins, and rows that came back, of a time.';

create or replace function ops.restore_facts(p_from timestamptz, p_to timestamptz)
returns table (kind text, id text, at timestamptz, snapshot text, facts jsonb, details jsonb)
language sql
stable
set search_path = ''
as $$
    select
        'restore', left(restored.snapshot, 100) || ' ' || ops.audit_time(restored.restored_at), restored.restored_at,
        restored.snapshot,
        jsonb_build_object(
            'action', 'database.restored',
            'takenAt', restored.taken_at,
            'seconds', restored.seconds
        ),
        '{}'::jsonb
    from ops.restores as restored
    where restored.restored_at >= p_from and restored.restored_at < p_to
    union all
    select
        'review', review.id::text, review.reviewed_at, null,
        ops.review_document(review) - '{id,at}'::text[],
        '{}'
    from ops.evidence_reviews as review
    where review.reviewed_at >= p_from and review.reviewed_at < p_to
$$;

comment on function ops.restore_facts(timestamptz, timestamptz) is
    'Times that this database was made from a backup, and reviews, of a time. A review names who signed it.';

create or replace function ops.backup_facts(p_from timestamptz, p_to timestamptz)
returns table (
    kind text,
    id text,
    at timestamptz,
    snapshot text,
    record_sha256 text,
    facts jsonb,
    details jsonb
)
language sql
stable
set search_path = ''
as $$
    select
        fact.kind, fact.id, fact.at, ops.backup_name(fact.snapshot),
        (
            select max(sealed.record_sha256)
            from ops.backups as sealed
            where sealed.snapshot = fact.snapshot and sealed.outcome = 'done'
        ),
        fact.facts || jsonb_strip_nulls(jsonb_build_object('backup', fact.snapshot)), fact.details
    from (
        select * from ops.run_facts(p_from, p_to)
        union all
        select * from ops.proof_facts(p_from, p_to, ops.read_settings())
        union all
        select * from ops.keeping_facts(p_from, p_to)
        union all
        select * from ops.restore_facts(p_from, p_to)
    ) as fact
$$;

comment on function ops.backup_facts(timestamptz, timestamptz) is
    'Everything that was done with backups in a time, each fact once, with the hash of the commit record of the backup that it is about. details are for reports alone.';
