-- What the rules observe of the copy of the backups in another place.

create or replace function ops.observe_replica(p_now timestamptz, p_settings jsonb)
returns setof ops.observation
language sql
stable
set search_path = ''
as $$
    select ops.make_observation(
        'backup_replica_behind', 'replica', ops.judge(lag.minutes, most.minutes, 1, 1), lag.minutes, most.minutes, 'min',
        p_facts => jsonb_build_object(
            'service', 'backups',
            'reason', (newest.copying).trouble,
            'detail', jsonb_build_object(
                'place', (newest.copying).place, 'left', (newest.copying).backups_left, 'takenAt', (newest.copying).newest_there
            )
        )
    )
    from (select ops.newest_replication(p_now)) as newest (copying)
    cross join lateral (select ops.replica_lag_minutes(newest.copying, p_now)) as lag (minutes)
    cross join (select (p_settings ->> 'threshold.replica_lag_minutes')::numeric) as most (minutes)
    where (newest.copying).id is not null
$$;

comment on function ops.observe_replica(timestamptz, jsonb) is
    'The verdict on the copy of the backups: bad if it is further behind than the setting says. Before the first copying there is no verdict.';
