-- Archives of the application beside its database.

create or replace function ops.archive_document(p_archive ops.application_archives)
returns jsonb
language sql
immutable
set search_path = ''
as $$
    select jsonb_build_object(
        'name', p_archive.name,
        'takenAt', p_archive.taken_at,
        'bytes', p_archive.bytes,
        'repositoryBytes', p_archive.repository_bytes,
        'documents', p_archive.documents,
        'absent', p_archive.absent,
        'differences', p_archive.differences
    )
$$;

comment on function ops.archive_document(ops.application_archives) is
    'An archive as it is told: what it holds, what it lacks and what changed.';

create or replace function ops.newest_archive(p_now timestamptz)
returns ops.application_archives
language sql
stable
set search_path = ''
as $$
    select *
    from ops.application_archives
    where taken_at <= p_now
    order by taken_at desc
    limit 1
$$;

comment on function ops.newest_archive(timestamptz) is 'Returns the newest archive, or null.';

create or replace function ops.lost_documents(p_before ops.application_archives, p_archive jsonb)
returns jsonb
language sql
immutable
set search_path = ''
as $$
    select coalesce(jsonb_object_agg(held.name, held.held_at), '{}')
    from (
        select name, to_jsonb(p_before.taken_at) as held_at
        from unnest(p_before.documents) as name
        union all
        select name, held_at
        from jsonb_each(p_before.lacks) as lacked (name, held_at)
    ) as held
    where not p_archive -> 'documents' ? held.name
        -- What cannot be read may still be there; all else is gone on purpose.
        and exists (
            select
            from jsonb_object_keys(p_archive -> 'absent') as absent (name)
            where held.name = absent.name or starts_with(held.name, absent.name || '.')
        )
$$;

comment on function ops.lost_documents(ops.application_archives, jsonb) is
    'What an archive could not read and an earlier one held: when it was held last, by its name.';

create or replace function ops.missed_documents(p_archive ops.application_archives, p_settings jsonb)
returns jsonb
language sql
immutable
set search_path = ''
as $$
    select coalesce(
        jsonb_agg(
            jsonb_build_object(
                'what', what,
                'heldAt', held_at::timestamptz,
                'why', (
                    select absent.why
                    from jsonb_each_text(p_archive.absent) as absent (name, why)
                    where what = absent.name or starts_with(what, absent.name || '.')
                    order by length(absent.name) desc
                    limit 1
                ),
                'accepted', ops.is_accepted(what, p_settings)
            )
            order by held_at::timestamptz, what
        ),
        '[]'
    )
    from jsonb_each_text(p_archive.lacks) as lacked (what, held_at)
$$;

comment on function ops.missed_documents(ops.application_archives, jsonb) is
    'What an archive lacks that earlier ones held: since when, why, and whether that is accepted by its name.';

create or replace function ops.archive_age(
    p_archive ops.application_archives,
    p_now timestamptz,
    p_settings jsonb,
    out days numeric,
    out missed text[]
)
language plpgsql
stable
set search_path = ''
as $$
declare
    v_held_at timestamptz;
begin
    select min((entry ->> 'heldAt')::timestamptz), array_agg(entry ->> 'what')
    into v_held_at, missed
    from jsonb_array_elements(ops.missed_documents(p_archive, p_settings)) as entry
    where not (entry ->> 'accepted')::boolean;
    days := round(extract(epoch from p_now - least(p_archive.taken_at, v_held_at)) / 86400, 1);
end
$$;

comment on function ops.archive_age(ops.application_archives, timestamptz, jsonb) is
    'How many days ago all that archives hold was kept last, where this is the newest, and what it lacks that nobody has accepted. Both are null where there is none.';

create or replace function ops.archives_document(p_now timestamptz, p_settings jsonb)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_build_object(
        'status', case
            when (newest.archive).name is null then 'not_set_up'
            when age.days > most.days then 'overdue'
            when cardinality(age.missed) > 0 then 'incomplete'
            else 'ok'
        end,
        'ageDays', age.days,
        'mostDays', most.days,
        'missed', case
            when (newest.archive).name is null then jsonb_build_array()
            else ops.missed_documents(newest.archive, p_settings)
        end,
        'last', case when (newest.archive).name is not null then ops.archive_document(newest.archive) end
    )
    from (select ops.newest_archive(p_now)) as newest (archive)
    cross join lateral ops.archive_age(newest.archive, p_now, p_settings) as age
    cross join (select (p_settings ->> 'threshold.application_archive_days')::numeric) as most (days)
$$;

comment on function ops.archives_document(timestamptz, jsonb) is
    'How archives of the application stand: not set up before the first one, overdue, incomplete or ok; what the newest lacks; and the newest.';

create or replace function public.ops_list_archives(p_now timestamptz default null)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_build_object(
        'due', not exists (
            -- A little less than a day, so that the time of day does not wander.
            select from ops.application_archives where taken_at > v.now - interval '23 hours'
        ),
        'leaves', (select leaves from ops.application_archives order by taken_at desc limit 1),
        'archives', coalesce(
            (
                select jsonb_agg(ops.archive_document(archive) order by archive.taken_at desc)
                from (
                    select * from ops.application_archives order by taken_at desc limit 100
                ) as archive
            ),
            '[]'
        )
    )
    from (select coalesce(p_now, now())) as v (now)
$$;

comment on function public.ops_list_archives(timestamptz) is
    'Whether an archive of the application is due, what the newest held as hashes, and the hundred newest.';

create or replace function public.ops_record_archive(p_archive jsonb, p_now timestamptz default null)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_before ops.application_archives;
begin
    perform ops.hold_functions();
    v_before := ops.newest_archive((p_archive ->> 'takenAt')::timestamptz);
    insert into ops.application_archives (
        name, taken_at, bytes, repository_bytes, documents, absent, differences, leaves, lacks, recorded_at
    )
    values (
        p_archive ->> 'name',
        (p_archive ->> 'takenAt')::timestamptz,
        (p_archive ->> 'bytes')::bigint,
        (p_archive ->> 'repositoryBytes')::bigint,
        array(select jsonb_array_elements_text(p_archive -> 'documents')),
        p_archive -> 'absent',
        nullif(p_archive -> 'differences', 'null'),
        p_archive -> 'leaves',
        ops.lost_documents(v_before, p_archive),
        coalesce(p_now, now())
    )
    on conflict (name) do nothing;
    update ops.application_archives
    set leaves = null
    where leaves is not null
        and taken_at < (select max(newest.taken_at) from ops.application_archives as newest);
    return (
        select ops.archive_document(archive)
        from ops.application_archives as archive
        where archive.name = p_archive ->> 'name'
    );
end
$$;

comment on function public.ops_record_archive(jsonb, timestamptz) is
    'Records that an archive of the application was taken; one that is recorded again counts once.';
