-- Collections: which backups are kept is decided where the store is; here lies what that goes by,
-- and what came of it.

create or replace function ops.drilled_backups(p_now timestamptz, p_settings jsonb)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select coalesce(jsonb_agg(distinct drill.snapshot), '[]')
    from ops.backup_drills as drill
    where drill.received_at <= p_now and ops.drill_reason(drill, p_settings) is null
$$;

comment on function ops.drilled_backups(timestamptz, jsonb) is
    'The names of the backups that a drill has restored and found nothing wrong.';

create or replace function ops.is_collection_due(p_now timestamptz, p_settings jsonb)
returns boolean
language sql
stable
set search_path = ''
as $$
    select (p_settings ->> 'backup.retention')::boolean
        and not exists (
            select
            from (
                select * from ops.backup_collections where finished_at <= p_now order by finished_at desc limit 1
            ) as newest
            -- A little less than a day, so that the time of day does not wander.
            where finished_at > p_now - case outcome
                when 'partial' then interval '20 minutes'
                when 'done' then interval '23 hours'
                when 'refused' then interval '23 hours'
                else interval '3 hours'
            end
        )
$$;

comment on function ops.is_collection_due(timestamptz, jsonb) is
    'Whether a collection is due: once a day, after three hours if the last one failed or was frozen, and soon if its time was too short.';

create or replace function ops.lock_proof(p_now timestamptz)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select figures -> 'lock'
    from ops.backup_collections
    where finished_at <= p_now and jsonb_typeof(figures -> 'lock') = 'object'
    order by finished_at desc
    limit 1
$$;

comment on function ops.lock_proof(timestamptz) is
    'What was found when the store''s lock was tried last with our own key: {at, found}, of which found is refused, hidden or gone. Null before.';

create or replace function public.ops_plan_collection(p_now timestamptz default null)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_build_object(
        'due', ops.is_collection_due(v.now, v.settings),
        'enabled', v.settings -> 'backup.retention',
        'hourly', v.settings -> 'backup.keep_hourly',
        'daily', v.settings -> 'backup.keep_daily',
        'weekly', v.settings -> 'backup.keep_weekly',
        'monthly', v.settings -> 'backup.keep_monthly',
        'yearly', v.settings -> 'backup.keep_yearly',
        'trashDays', v.settings -> 'backup.trash_days',
        'lockDays', v.settings -> 'backup.lock_days',
        -- Once a week, and a little less so that the time of day does not wander; one that failed
        -- with the next collection.
        'proveLock', (v.settings ->> 'backup.lock_days')::integer > 0 and not exists (
            select
            from ops.lock_proof(v.now) as newest (proof)
            where newest.proof ->> 'found' <> 'gone'
                and (newest.proof ->> 'at')::timestamptz > v.now - interval '167 hours'
        ),
        'drillDays', v.settings -> 'backup.drill_days',
        'drilled', ops.drilled_backups(v.now, v.settings),
        'newest', (
            select snapshot
            from ops.backups
            where outcome = 'done' and finished_at <= v.now
            order by taken_at desc
            limit 1
        )
    )
    from (select coalesce(p_now, now()), ops.read_settings()) as v (now, settings)
$$;

comment on function public.ops_plan_collection(timestamptz) is
    'What a collection of backups goes by: whether one is due, the ladder, how long things stay, the backups that a drill found good, and the newest that is known.';

create or replace function ops.collection_document(p_collection ops.backup_collections)
returns jsonb
language sql
immutable
set search_path = ''
as $$
    select jsonb_build_object(
        'run', p_collection.run,
        'outcome', p_collection.outcome,
        'startedAt', p_collection.started_at,
        'finishedAt', p_collection.finished_at,
        'reason', p_collection.reason,
        'askedBy', p_collection.asked_by,
        'figures', nullif(p_collection.figures, '{}')
    )
$$;

comment on function ops.collection_document(ops.backup_collections) is
    'A collection as callers see it, without what it decided of each backup.';

create or replace function ops.collection_age(
    p_now timestamptz,
    out days numeric,
    out newest ops.backup_collections
)
language plpgsql
stable
set search_path = ''
as $$
declare
    v_since timestamptz;
begin
    select * into newest
    from ops.backup_collections
    where finished_at <= p_now
    order by finished_at desc
    limit 1;
    -- A store that keeps everything does what a lock is for.
    select coalesce(max(finished_at) filter (where outcome in ('done', 'partial', 'refused')), min(started_at))
    into v_since
    from ops.backup_collections
    where finished_at <= p_now;
    days := round(extract(epoch from p_now - v_since) / 86400, 1);
end
$$;

comment on function ops.collection_age(timestamptz) is
    'The newest collection, and how many days ago the last was that came to something; before the first that did, since the first was tried. Null where there was none.';

create or replace function ops.collections_document(p_now timestamptz, p_settings jsonb)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_build_object(
        'status', case
            when not (p_settings ->> 'backup.retention')::boolean then 'off'
            when (age.newest).run is null then 'not_set_up'
            when age.days > most.days then 'overdue'
            when (age.newest).outcome in ('done', 'partial') then 'ok'
            else (age.newest).outcome
        end,
        'ageDays', age.days,
        'mostDays', most.days,
        'last', case when (age.newest).run is not null then ops.collection_document(age.newest) end,
        'lastWhole', (
            select ops.collection_document(collection)
            from ops.backup_collections as collection
            where outcome in ('done', 'partial', 'refused') and finished_at <= p_now
                -- One for which the time was too short may not have counted what there is.
                and jsonb_typeof(figures -> 'stored') = 'object'
            order by finished_at desc
            limit 1
        ),
        'lock', case when (p_settings ->> 'backup.lock_days')::integer > 0 then ops.lock_proof(p_now) end
    )
    from ops.collection_age(p_now) as age
    cross join (select (p_settings ->> 'threshold.backup_collection_days')::numeric) as most (days)
$$;

comment on function ops.collections_document(timestamptz, jsonb) is
    'How collections stand: off, not set up before the first one, overdue, ok, frozen, refused by the store or failed; the newest; the newest that came to something and counted what there is; and whether the store''s lock held.';

create or replace function ops.check_collection(p_collection jsonb)
returns void
language plpgsql
set search_path = ''
as $$
begin
    perform ops.check_word('outcome', p_collection ->> 'outcome', ops.words('ops.collection_outcome'));
    perform ops.check_time('startedAt', (p_collection ->> 'startedAt')::timestamptz);
    if jsonb_typeof(p_collection -> 'figures') is distinct from 'object' then
        perform ops.refuse('figures', 'an object', jsonb_typeof(p_collection -> 'figures'));
    end if;
    -- Whether the next one is tried goes by it.
    if coalesce(jsonb_typeof(p_collection #> '{figures,lock}'), 'null') <> 'null' then
        perform ops.check_word('lock.found', p_collection #>> '{figures,lock,found}', '{refused,hidden,gone}');
        perform ops.check_time('lock.at', (p_collection #>> '{figures,lock,at}')::timestamptz);
    end if;
    if jsonb_typeof(p_collection -> 'decisions') is distinct from 'array' then
        perform ops.refuse('decisions', 'a list', jsonb_typeof(p_collection -> 'decisions'));
    end if;
end
$$;

comment on function ops.check_collection(jsonb) is
    'Refuses with SQLSTATE 22023 a collection that lacks something or is none.';

create or replace function public.ops_record_collection(
    p_run uuid,
    p_fence bigint,
    p_collection jsonb,
    p_by text default null,
    p_now timestamptz default null
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_run ops.runs;
    v_outcome text := p_collection ->> 'outcome';
begin
    perform ops.hold_functions();
    perform ops.check_collection(p_collection);
    v_run := ops.lock_run(p_run, p_fence);
    if v_run.job <> 'backup' then
        perform ops.refuse('run', 'a run of the job backup', format('a run of the job %s', v_run.job));
    end if;
    if v_run.outcome = 'running' then
        insert into ops.backup_collections
            (run, outcome, started_at, finished_at, reason, asked_by, figures, decisions)
        values (
            p_run,
            v_outcome,
            (p_collection ->> 'startedAt')::timestamptz,
            v_now,
            left(p_collection ->> 'reason', 1000),
            nullif(left(btrim(p_by), 200), ''),
            p_collection -> 'figures',
            p_collection -> 'decisions'
        );
        perform ops.close_run(
            p_run, p_fence,
            -- The job is the backups': that one failed is for those to say.
            case when v_outcome in ('partial', 'failed') then 'partial' else 'done' end,
            jsonb_build_object('collection', p_collection - 'decisions'), v_now
        );
        if nullif(btrim(p_by), '') is not null then
            perform ops.write_audit('backup.pruned', p_by, p_run::text, p_collection - 'decisions');
        end if;
        delete from ops.backup_collections where finished_at < v_now - interval '9600 hours';
    end if;
    return jsonb_build_object('outcome', case
        when v_run.outcome in ('abandoned', 'missed') then 'superseded'
        else 'finished'
    end);
end
$$;

comment on function public.ops_record_collection(uuid, bigint, jsonb, text, timestamptz) is
    'Records once how a collection of backups ended, ends its run and releases the lease. What somebody asked for is in the audit log. It is kept for four hundred days.';

create or replace function public.ops_note_pin(
    p_action text,
    p_snapshot text,
    p_by text,
    p_reason text default null
)
returns jsonb
language plpgsql
set search_path = ''
as $$
begin
    perform ops.hold_functions();
    perform ops.check_word('action', p_action, '{backup.pinned,backup.unpinned,backup.put_back}');
    perform ops.check_length('snapshot', p_snapshot, 200);
    perform ops.write_audit(
        p_action, p_by, p_snapshot, jsonb_strip_nulls(jsonb_build_object('reason', p_reason))
    );
    return jsonb_build_object('outcome', 'noted');
end
$$;

comment on function public.ops_note_pin(text, text, text, text) is
    'Writes into the audit log that somebody has pinned a backup, taken its pin away, or put it back out of the trash. The pin itself lies in the store.';
