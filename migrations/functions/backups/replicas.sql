-- The copy of the backups in another place. Whoever copies reports what came of it.

create or replace function ops.newest_replication(p_now timestamptz)
returns ops.backup_replications
language sql
stable
set search_path = ''
as $$
    select * from ops.backup_replications where received_at <= p_now order by received_at desc, id limit 1
$$;

comment on function ops.newest_replication(timestamptz) is 'Returns what came of the last copying, or null.';

create or replace function ops.replica_lag_minutes(p_newest ops.backup_replications, p_now timestamptz)
returns numeric
language sql
stable
set search_path = ''
as $$
    -- What was sealed since nobody copied counts as well. Of a copy without a backup the lag
    -- begins with the first backup.
    select greatest(floor(extract(epoch from
        greatest(max(taken_at), p_newest.newest_here) - coalesce(p_newest.newest_there, min(taken_at))
    ) / 60), 0)
    from ops.backups
    where outcome = 'done' and taken_at <= p_now
$$;

comment on function ops.replica_lag_minutes(ops.backup_replications, timestamptz) is
    'How much older the newest backup in the copy is than the newest backup, in minutes; null where there is no backup.';

create or replace function ops.replica_document(p_now timestamptz, p_settings jsonb)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_build_object(
        'status', case
            when (newest.copying).id is null then 'not_set_up'
            when lag.minutes > (p_settings ->> 'threshold.replica_lag_minutes')::numeric then 'behind'
            else 'ok'
        end,
        'place', (newest.copying).place,
        'lagMinutes', case when (newest.copying).id is not null then lag.minutes end,
        'copiedAt', (newest.copying).at,
        'newestThere', (newest.copying).newest_there,
        'backupsLeft', (newest.copying).backups_left,
        'trouble', (newest.copying).trouble
    )
    from (select ops.newest_replication(p_now)) as newest (copying)
    cross join lateral (select ops.replica_lag_minutes(newest.copying, p_now)) as lag (minutes)
$$;

comment on function ops.replica_document(timestamptz, jsonb) is
    'How the copy of the backups stands: not set up before the first, behind or ok; by how many minutes, and what kept it.';

create or replace function public.ops_record_replication(p_replication jsonb, p_now timestamptz default null)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_place text := left(p_replication ->> 'place', 300);
    v_newest_there timestamptz := (p_replication ->> 'newestThere')::timestamptz;
begin
    perform ops.hold_functions();
    -- Whoever could not look says nothing about what is there.
    if p_replication ->> 'newestHere' is null then
        select known.newest_there into v_newest_there
        from ops.backup_replications as known
        where known.place = v_place and known.received_at <= v_now
        order by known.received_at desc
        limit 1;
    end if;
    insert into ops.backup_replications (
        id, at, place, newest_here, newest_there, copied, objects, bytes, backups_left, trouble, received_at
    )
    values (
        (p_replication ->> 'id')::uuid,
        v_now,
        v_place,
        (p_replication ->> 'newestHere')::timestamptz,
        v_newest_there,
        (p_replication ->> 'copied')::bigint,
        (p_replication ->> 'objects')::bigint,
        (p_replication ->> 'bytes')::bigint,
        (p_replication ->> 'backupsLeft')::bigint,
        left(p_replication ->> 'trouble', 300),
        v_now
    )
    on conflict (id) do nothing;
    delete from ops.backup_replications where received_at < v_now - interval '400 days';
    return ops.replica_document(v_now, ops.read_settings());
end
$$;

comment on function public.ops_record_replication(jsonb, timestamptz) is
    'Keeps what came of copying the backups, once, and returns how the copy stands.';
