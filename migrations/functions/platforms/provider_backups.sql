-- The backups that the provider of the database makes itself: whether the newest was made, is
-- recent, and whether the log behind point-in-time recovery keeps up.

create or replace function ops.provider_backup_state(
    p_now timestamptz,
    out reason text,
    out newest_at timestamptz,
    out read_at timestamptz
)
language plpgsql
stable
set search_path = ''
as $$
declare
    v_reading ops.platform_readings := ops.newest_reading('provider_backups');
    v_pitr boolean := (v_reading.document ->> 'pitr')::boolean;
    v_newest_status text;
begin
    read_at := v_reading.last_at;
    if v_reading.id is null then
        reason := case when ops.reading_error('provider_backups') is null then 'unread' else 'unreadable' end;
        return;
    end if;
    -- Those of earlier readings count, or a list that was emptied would be none to watch.
    select max(seen.at) into newest_at
    from (
        select (backup ->> 'at')::timestamptz as at
        from ops.platform_readings as reading
        cross join lateral jsonb_array_elements(reading.document -> 'backups') as backup
        where reading.source = 'provider_backups' and backup ->> 'status' in ('COMPLETED', 'ARCHIVED')
        union all
        select (reading.document ->> 'latestPhysical')::timestamptz
        from ops.platform_readings as reading
        where reading.source = 'provider_backups'
    ) as seen
    where seen.at <= p_now;
    select backup ->> 'status' into v_newest_status
    from jsonb_array_elements(v_reading.document -> 'backups') as backup
    where backup ->> 'status' <> 'PENDING'
    order by (backup ->> 'at')::timestamptz desc
    limit 1;

    reason := case
        when newest_at is null and v_newest_status is null then 'none'
        when v_newest_status = 'FAILED' then 'failed'
        when newest_at is null or newest_at < p_now - interval '26 hours' then
            case
                when read_at < p_now - interval '26 hours' then 'unreadable'
                else 'old'
            end
        -- The log is judged as of when it was read.
        when v_pitr and coalesce(
            (v_reading.document ->> 'latestPhysical')::timestamptz < read_at - interval '10 minutes', true
        )
        then 'gap'
        else 'fine'
    end;
end
$$;

comment on function ops.provider_backup_state(timestamptz) is
    'How the provider''s backups stand. failed: the newest one; old: none for more than 26 hours; gap: the log of point-in-time recovery ends more than 10 minutes before it was read; unreadable: nothing is known for so long; unread: not read yet; none: the project has none; fine.';

create or replace function ops.observe_provider_backups(p_now timestamptz)
returns setof ops.observation
language sql
stable
set search_path = ''
as $$
    with watched as (
        select state.*
        from ops.platform_watches as watch
        cross join lateral ops.provider_backup_state(p_now) as state
        where watch.source = 'provider_backups' and watch.watched
    ),
    subjects as (
        select 'provider' as subject from watched
        union
        select subject from ops.alert_states where rule = 'provider_backup'
    )
    select ops.make_observation(
        'provider_backup', subjects.subject,
        case
            when watched.reason is null or watched.reason = 'fine' then 'good'
            when watched.reason in ('failed', 'old', 'gap') then 'bad'
            when watched.reason = 'unreadable' and watched.read_at is not null then 'bad'
            else 'insufficient'
        end,
        round(extract(epoch from p_now - watched.newest_at) / 3600, 1), 26, 'h',
        p_facts => jsonb_build_object(
            'service', 'backups',
            'reason', case
                when watched.reason is null then 'removed'
                when watched.reason <> 'fine' then 'provider_' || watched.reason
            end,
            'detail', jsonb_strip_nulls(jsonb_build_object('newestAt', watched.newest_at, 'readAt', watched.read_at))
        )
    )
    from subjects
    left join watched on true
$$;

comment on function ops.observe_provider_backups(timestamptz) is
    'The verdict on the provider''s backups. They are good where nobody watches them any more; a project that has none, or that was never read, is not judged.';

create or replace function ops.observe_platforms(p_now timestamptz)
returns setof ops.observation
language sql
stable
set search_path = ''
as $$
    select * from ops.observe_releases(p_now)
    union all
    select * from ops.observe_pins(p_now)
    union all
    select * from ops.observe_provider_backups(p_now)
$$;

comment on function ops.observe_platforms(timestamptz) is
    'The verdicts on what the platforms tell: the deployment that serves, pins, and the provider''s backups.';

create or replace function ops.dashboard_provider_backups(p_now timestamptz)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_build_object(
        'state', case when coalesce(watch.watched, false) then state.reason else 'not watched' end,
        'newestAt', state.newest_at,
        'ageSeconds', round(extract(epoch from p_now - state.newest_at)),
        'pitr', newest.document -> 'pitr',
        'readAt', state.read_at,
        'error', case when watch.watched then ops.reading_error('provider_backups') end,
        'backups', coalesce(newest.document -> 'backups', '[]')
    )
    from ops.provider_backup_state(p_now) as state
    left join ops.platform_watches as watch on watch.source = 'provider_backups'
    left join lateral ops.newest_reading('provider_backups') as newest on true
$$;

comment on function ops.dashboard_provider_backups(timestamptz) is
    'How the provider''s own backups stand, and those that it listed last; not watched without a token.';
