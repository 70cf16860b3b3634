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
begin
    perform ops.hold_functions();
    insert into ops.application_archives (
        name, taken_at, bytes, repository_bytes, documents, absent, differences, leaves, recorded_at
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
