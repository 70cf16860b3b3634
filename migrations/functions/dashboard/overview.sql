-- How everything stands in a few figures, for whoever asks the command without saying what
-- for: cheap enough to be asked first, and one document.

create or replace function public.ops_show_overview(p_now timestamptz default null)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_build_object(
        'functions', (
            select jsonb_build_object('release', release, 'sha256', sha256)
            from ops.function_sets
            order by id desc
            limit 1
        ),
        'tick', (
            select jsonb_build_object(
                'ageSeconds', extract(epoch from v.now - committed_at),
                'everySeconds', every_seconds
            )
            from ops.jobs
            where job = 'monitor'
        ),
        'alerts', (
            select jsonb_build_object(
                'open', count(*),
                'critical', count(*) filter (where severity = 'critical'),
                'unanswered', count(*) filter (where status = 'firing' and severity in ('critical', 'high'))
            )
            from ops.alerts
            where status <> 'resolved'
        ),
        'backup', jsonb_build_object(
            'status', ops.backup_status(v.now),
            'ageSeconds', (
                select extract(epoch from v.now - max(taken_at))
                from ops.backups
                where outcome = 'done' and taken_at <= v.now
            ),
            'drill', ops.drills_document(v.now, v.settings) ->> 'status'
        ),
        'exercises', ops.list_exercises(v.now)
    )
    from (select coalesce(p_now, now()), ops.read_settings()) as v (now, settings)
$$;

comment on function public.ops_show_overview(timestamptz) is
    'Which functions are in force, how old the newest tick and the newest backup are, how many alerts are open, and how drills and exercises stand.';
