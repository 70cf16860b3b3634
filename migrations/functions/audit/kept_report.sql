-- What is kept, for how long, and how old the oldest of it is in truth.

create or replace function ops.report_settings()
returns jsonb
language sql
stable
set search_path = ''
as $$
    select coalesce(
        jsonb_agg(
            jsonb_build_object('key', kept.key, 'value', kept.value, 'unit', kept.unit, 'what', kept.description)
            order by kept.key
        ),
        '[]'
    )
    from ops.settings as kept
    where kept.key like 'retention.%'
$$;

comment on function ops.report_settings() is 'The settings that say how long something is kept.';

create or replace function ops.oldest_row(p_table text, p_time text)
returns timestamptz
language plpgsql
stable
set search_path = ''
as $$
declare
    v_oldest timestamptz;
begin
    execute format('select min(%I) from ops.%I', p_time, p_table) into v_oldest;
    return v_oldest;
end
$$;

comment on function ops.oldest_row(text, text) is 'The time of the oldest row of a table of ours.';

create or replace function ops.report_ages()
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
    return (
        with ages as (
            select
                kept.place as place, kept.table_name as name, format('retention.%s_days', kept.class) as setting,
                ops.oldest_kept(kept) as oldest_at
            from ops.kept_tables as kept
            union all
            select 1000 + ours.nth, 'ops.' || ours.name, ours.setting, ops.oldest_row(ours.name, ours.at)
            from (values
                (1, 'audit', 'at', 'retention.audit_days'),
                (2, 'daily_people', 'day', 'retention.visits_days'),
                (3, 'daily_visitors', 'day', 'retention.visits_days'),
                (4, 'visits', 'first_at', 'retention.visits_days'),
                (5, 'door_sessions', 'last_at', 'retention.visits_days'),
                (6, 'people', 'last_at', 'retention.people_days'),
                (7, 'uptime_spans', 'started_at', 'retention.spans_days'),
                (8, 'runs', 'started_at', 'retention.runs_days'),
                (9, 'feedback', 'at', null),
                (10, 'subscribers', 'asked_at', null),
                (11, 'contacts', 'updated_at', null),
                (12, 'push_devices', 'added_at', null),
                (13, 'consents', 'at', null),
                (14, 'privacy_requests', 'asked_at', null),
                (15, 'erasures', 'erased_at', null),
                (16, 'alerts', 'opened_at', null),
                (17, 'outbox', 'created_at', null)
            ) as ours (nth, name, at, setting)
        )
        select jsonb_agg(
            jsonb_build_object(
                'table', ages.name,
                'setting', ages.setting,
                'days', (select value from ops.settings where key = ages.setting),
                'oldestAt', ages.oldest_at,
                'rows', pg_stat_get_live_tuples(to_regclass(ages.name))
            )
            order by ages.place
        )
        from ages
    );
end
$$;

comment on function ops.report_ages() is
    'How old the oldest row is of each table that is kept by a setting, or that says something of people; about how many rows it has, as the statistics know.';

create or replace function ops.report_privacy(p_from timestamptz, p_to timestamptz)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_build_object(
        'requests', (
            select jsonb_build_object(
                'asked', count(*) filter (where asked_at >= p_from and asked_at < p_to),
                'done', count(*) filter (where outcome = 'done' and closed_at >= p_from and closed_at < p_to),
                'refused', count(*) filter (where outcome = 'refused' and closed_at >= p_from and closed_at < p_to),
                'open', count(*) filter (where closed_at is null),
                'oldestOpenAt', min(asked_at) filter (where closed_at is null)
            )
            from ops.privacy_requests
        ),
        'erasures', (select count(*) from ops.erasures where erased_at >= p_from and erased_at < p_to),
        'consents', (
            select coalesce(jsonb_agg(to_jsonb(said) order by said.purpose), '[]')
            from (
                select
                    newest.purpose,
                    count(*) filter (where newest.granted) as agreed,
                    count(*) filter (where not newest.granted) as refused
                from (
                    select distinct on (person, purpose) purpose, granted
                    from ops.consents
                    order by person, purpose, at desc
                ) as newest
                group by newest.purpose
            ) as said
        )
    )
$$;

comment on function ops.report_privacy(timestamptz, timestamptz) is
    'What people asked for within a time and what became of it, and how many agree to each purpose.';
