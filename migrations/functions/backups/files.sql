-- The files of Storage in backups: how much a run may fetch, and how much of all files the newest
-- backup has, as its run reported it. A project whose backups have no files has none set up.

create or replace function public.ops_file_budget()
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_build_object(
        'enabled', (settings ->> 'backup.files')::boolean,
        'bytes', (settings ->> 'backup.files_megabytes')::bigint * 1000000,
        'seconds', (settings ->> 'backup.files_seconds')::bigint
    )
    from (select ops.read_settings()) as read (settings)
$$;

comment on function public.ops_file_budget() is
    'Whether backups have the files of Storage, and how many bytes and seconds a run may spend on fetching them.';

create or replace function ops.newest_files(p_now timestamptz)
returns ops.backups
language sql
stable
set search_path = ''
as $$
    select *
    from ops.backups
    where
        figures ? 'files'
        and run = (
            select newest.run
            from ops.backups as newest
            where newest.outcome = 'done' and newest.taken_at <= p_now
            order by newest.taken_at desc
            limit 1
        )
$$;

comment on function ops.newest_files(timestamptz) is
    'Returns the newest backup if it has files of Storage, else null.';

create or replace function ops.unsaved_files(p_figures jsonb)
returns bigint
language sql
immutable
set search_path = ''
as $$
    select coalesce((p_figures #>> '{files,waiting}')::bigint, 0)
        + coalesce((p_figures #>> '{files,failed}')::bigint, 0)
$$;

comment on function ops.unsaved_files(jsonb) is
    'How many files a backup with these figures does not have, though they may be there.';

-- How long some file or other has been in no backup, in hours: since the last backup that had all,
-- or since the first with any. How old the files are says nothing of that.
create or replace function ops.files_behind_hours(p_now timestamptz)
returns numeric
language sql
stable
set search_path = ''
as $$
    select case
        when ops.unsaved_files((newest).figures) = 0 then 0
        else round(extract(epoch from p_now - coalesce(whole.taken_at, beginning.taken_at)) / 3600, 1)
    end
    from (select ops.newest_files(p_now)) as found (newest)
    cross join lateral (
        select max(taken_at) as taken_at
        from ops.backups
        where outcome = 'done' and taken_at <= p_now and figures ? 'files' and ops.unsaved_files(figures) = 0
    ) as whole
    cross join lateral (
        select min(taken_at) as taken_at
        from ops.backups
        where outcome = 'done' and taken_at <= p_now and figures ? 'files'
    ) as beginning
    where (newest).run is not null
$$;

comment on function ops.files_behind_hours(timestamptz) is
    'For how many hours backups have lacked files of Storage; zero where the newest has all, and null where none has any.';

create or replace function ops.files_document(p_now timestamptz, p_settings jsonb)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_build_object(
        'status', case
            when (newest).run is null then 'not_set_up'
            when behind.hours > behind.most then 'behind'
            when ((newest).figures #>> '{files,rowsWithoutFile}')::bigint > 0 then 'rows_without_file'
            when behind.hours > 0 then 'catching_up'
            else 'ok'
        end,
        'behindHours', behind.hours,
        'mostHours', behind.most,
        'takenAt', (newest).taken_at,
        'last', (newest).figures -> 'files'
    )
    from (select ops.newest_files(p_now)) as found (newest)
    cross join lateral (
        select
            ops.files_behind_hours(p_now) as hours,
            (p_settings ->> 'threshold.storage_unsaved_hours')::numeric as most
    ) as behind
$$;

comment on function ops.files_document(timestamptz, jsonb) is
    'How the files of Storage stand in backups: not set up, behind for too long, rows without a file, catching up, or ok; and what the newest run reported.';
