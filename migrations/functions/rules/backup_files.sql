-- What the rules observe of the files of Storage: whether backups have them, and whether rows name
-- files that are not there. A project whose backups have no files has none set up: that is shown
-- and never an alert.

create or replace function ops.observe_files(p_now timestamptz, p_settings jsonb)
returns setof ops.observation
language sql
stable
set search_path = ''
as $$
    with newest as (
        select
            (backup).figures -> 'files' as files,
            ops.unsaved_files((backup).figures) as unsaved,
            ((backup).figures #>> '{files,rowsWithoutFile}')::bigint as orphans,
            ops.files_behind_hours(p_now) as hours,
            (p_settings ->> 'threshold.storage_unsaved_hours')::numeric as most_hours,
            jsonb_build_object('snapshot', (backup).snapshot, 'takenAt', (backup).taken_at) as detail
        from (select ops.newest_files(p_now)) as found (backup)
        where (backup).run is not null
    )
    select ops.make_observation(
        'storage_files_unsaved', 'storage', ops.judge(hours, most_hours, 1, 1), hours, most_hours, 'hours',
        p_facts => jsonb_build_object(
            'service', 'backups',
            'reason', case when unsaved > 0 then 'files_unsaved' end,
            'detail', detail || case
                when unsaved > 0 then jsonb_build_object('found', format('%s of %s', unsaved, files ->> 'files'))
                else '{}'
            end
        )
    )
    from newest

    union all
    select ops.make_observation(
        'storage_rows_without_file', 'storage', case when orphans > 0 then 'bad' else 'good' end,
        p_facts => jsonb_build_object(
            'service', 'backups',
            'reason', case when orphans > 0 then 'rows_without_file' end,
            'detail', detail || case
                when orphans > 0 then jsonb_build_object('found', orphans::text)
                else '{}'
            end
        )
    )
    from newest
$$;

comment on function ops.observe_files(timestamptz, jsonb) is
    'The verdicts on the files of Storage: bad if backups have lacked some for too long, and bad if rows name files that are not there.';
