-- Verifications: somebody read the objects of a backup in its store. Each sends a receipt.

create or replace function ops.verification_document(p_verification ops.backup_verifications)
returns jsonb
language sql
immutable
set search_path = ''
as $$
    select jsonb_build_object(
        'id', p_verification.id,
        'outcome', case p_verification.fault_count when 0 then 'whole' else 'damaged' end,
        'snapshot', p_verification.snapshot,
        'takenAt', p_verification.taken_at,
        'level', p_verification.level,
        'startedAt', p_verification.started_at,
        'finishedAt', p_verification.finished_at,
        'objects', p_verification.objects,
        'bytes', p_verification.bytes,
        'faultCount', p_verification.fault_count,
        'faults', p_verification.faults
    )
$$;

comment on function ops.verification_document(ops.backup_verifications) is
    'A verification as callers see it: what was read, how deep, and what was wrong with it.';

create or replace function ops.is_mended(
    p_level integer,
    p_fault_count bigint,
    p_faults jsonb,
    p_since timestamptz,
    p_now timestamptz
)
returns boolean
language sql
stable
set search_path = ''
as $$
    select p_level = 1
        and p_fault_count = jsonb_array_length(p_faults)
        and not exists (
            select
            from jsonb_array_elements(p_faults) as fault
            where not exists (
                select
                from ops.backup_damages as damage
                where damage.path = fault ->> 'what' and damage.ended_at between p_since and p_now
            )
        )
$$;

comment on function ops.is_mended(integer, bigint, jsonb, timestamptz, timestamptz) is
    'Whether every object that a verification found damaged by its hash is whole again, or no longer needed.';

create or replace function ops.standing_damage(p_now timestamptz)
returns ops.backup_verifications
language sql
stable
set search_path = ''
as $$
    select *
    from ops.backup_verifications as damaged
    where damaged.fault_count > 0
        and damaged.received_at <= p_now
        and not exists (
            select
            from ops.backup_verifications as whole
            where whole.fault_count = 0
                and whole.received_at between damaged.received_at and p_now
                and whole.level >= damaged.level
                and whole.taken_at >= damaged.taken_at
        )
        and not ops.is_mended(damaged.level, damaged.fault_count, damaged.faults, damaged.received_at, p_now)
    order by damaged.received_at desc
    limit 1
$$;

comment on function ops.standing_damage(timestamptz) is
    'Returns the newest verification that found a backup damaged, or null. A damage stands until that backup or a newer one is found whole as deep, or each object that was not what it should be is.';

create or replace function ops.verifications_document(p_now timestamptz)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_build_object(
        'status', case
            when (standing.damage).id is not null
                or exists (select from ops.standing_damages(p_now, ops.read_settings()))
            then 'damaged'
            when newest.verification is null then 'not_set_up'
            else 'ok'
        end,
        'last', coalesce(
            case when (standing.damage).id is not null then ops.verification_document(standing.damage) end,
            newest.verification
        ),
        'wholeAt', (
            select max(finished_at)
            from ops.backup_verifications
            where fault_count = 0 and received_at <= p_now
        )
    )
    from (select ops.standing_damage(p_now)) as standing (damage)
    left join lateral (
        select ops.verification_document(verification) as verification
        from ops.backup_verifications as verification
        where received_at <= p_now
        order by received_at desc
        limit 1
    ) as newest on true
$$;

comment on function ops.verifications_document(timestamptz) is
    'How verifications stand: not set up before the first, damaged or ok; the one that says so; and when a backup was found whole last.';

create or replace function public.ops_record_verification(p_verification jsonb, p_now timestamptz default null)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_id uuid;
begin
    perform ops.hold_functions();
    v_id := (p_verification ->> 'id')::uuid;
    perform ops.check_id('id', v_id);
    perform ops.check_length('snapshot', p_verification ->> 'snapshot', 200);
    perform ops.check_number('level', (p_verification ->> 'level')::bigint, 1, 2);
    perform ops.check_time('takenAt', (p_verification ->> 'takenAt')::timestamptz);
    perform ops.check_time('startedAt', (p_verification ->> 'startedAt')::timestamptz);
    perform ops.check_time('finishedAt', (p_verification ->> 'finishedAt')::timestamptz);
    perform ops.check_number('objects', (p_verification ->> 'objects')::bigint, 0, 9007199254740991);
    perform ops.check_number('bytes', (p_verification ->> 'bytes')::bigint, 0, 9007199254740991);
    perform ops.check_number('faultCount', (p_verification ->> 'faultCount')::bigint, 0, 9007199254740991);

    insert into ops.backup_verifications (
        id, snapshot, taken_at, level, started_at, finished_at, objects, bytes, fault_count, faults, received_at
    )
    values (
        v_id,
        p_verification ->> 'snapshot',
        (p_verification ->> 'takenAt')::timestamptz,
        (p_verification ->> 'level')::integer,
        (p_verification ->> 'startedAt')::timestamptz,
        greatest((p_verification ->> 'finishedAt')::timestamptz, (p_verification ->> 'startedAt')::timestamptz),
        (p_verification ->> 'objects')::bigint,
        (p_verification ->> 'bytes')::bigint,
        (p_verification ->> 'faultCount')::bigint,
        ops.named_list(p_verification -> 'faults', 'why'),
        v_now
    )
    on conflict (id) do nothing;
    if found then
        perform ops.note_damages(p_verification -> 'faults', v_now);
    end if;
    -- All backups may be verified every day.
    delete from ops.backup_verifications
    where fault_count = 0 and received_at < v_now - interval '9600 hours';

    return (
        select ops.verification_document(verification)
        from ops.backup_verifications as verification
        where id = v_id
    );
end
$$;

comment on function public.ops_record_verification(jsonb, timestamptz) is
    'Keeps the receipt of a verification, once however often it is sent, and notes which objects are damaged. What found nothing wrong is kept for four hundred days.';
