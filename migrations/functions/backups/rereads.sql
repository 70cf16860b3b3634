-- All that backups rest on is read again, a share after each backup. Here lies how far that came,
-- and which objects are damaged until they are whole again.

create or replace function ops.newest_reread(p_now timestamptz)
returns ops.backup_rereads
language sql
stable
set search_path = ''
as $$
    select * from ops.backup_rereads where received_at <= p_now order by received_at desc, id limit 1
$$;

comment on function ops.newest_reread(timestamptz) is 'Returns the share that was read last, or null.';

create or replace function ops.standing_damages(p_now timestamptz, p_settings jsonb)
returns setof ops.backup_damages
language sql
stable
set search_path = ''
as $$
    select *
    from ops.backup_damages
    where found_at <= p_now
        and (ended_at is null or ended_at > p_now)
        -- What a verification found stands by its own receipt, until a run has looked.
        and snapshot is not null
        and not ops.is_accepted(path, p_settings)
    order by found_at desc, path
$$;

comment on function ops.standing_damages(timestamptz, jsonb) is
    'The objects that a run found damaged and that nobody has accepted by their paths, the newest first.';

create or replace function ops.end_damages(p_paths jsonb, p_end ops.damage_end, p_now timestamptz)
returns void
language sql
set search_path = ''
as $$
    update ops.backup_damages
    set ended_at = p_now, ended_as = p_end
    where ended_at is null
        and path in (
            select jsonb_array_elements_text(case jsonb_typeof(p_paths) when 'array' then p_paths else '[]' end)
        )
$$;

comment on function ops.end_damages(jsonb, ops.damage_end, timestamptz) is
    'Ends the damages of these paths, in that way.';

create or replace function ops.note_damages(p_damages jsonb, p_now timestamptz)
returns void
language sql
set search_path = ''
as $$
    insert into ops.backup_damages as known (path, what, snapshot, backups, length, sha256, found_at, seen_at)
    select distinct on (entry ->> 'what')
        entry ->> 'what',
        left(coalesce(entry ->> 'why', ''), 1000),
        left(entry ->> 'snapshot', 200),
        (entry ->> 'backups')::bigint,
        (entry ->> 'length')::bigint,
        entry ->> 'sha256',
        p_now,
        p_now
    from jsonb_array_elements(case jsonb_typeof(p_damages) when 'array' then p_damages else '[]' end) as entry
    where entry ->> 'what' like 'v1/%' and length(entry ->> 'what') <= 400
    on conflict (path) do update
    set
        what = excluded.what,
        snapshot = coalesce(excluded.snapshot, known.snapshot),
        backups = coalesce(excluded.backups, known.backups),
        length = coalesce(excluded.length, known.length),
        sha256 = coalesce(excluded.sha256, known.sha256),
        found_at = case when known.ended_at is null then known.found_at else excluded.found_at end,
        seen_at = excluded.seen_at,
        ended_at = null,
        ended_as = null
$$;

comment on function ops.note_damages(jsonb, timestamptz) is
    'Notes that objects are damaged, from a list of {what, why} with, where they are known, snapshot, backups, length and sha256. One that was whole in between is found anew.';

create or replace function public.ops_plan_reread(p_now timestamptz default null)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_build_object(
        'days', every.days,
        'bytes', (v.settings ->> 'backup.reread_megabytes')::bigint * 1000000,
        'seconds', v.settings -> 'backup.reread_seconds',
        'round', case when (newest.share).id is not null then jsonb_build_object(
            'beganAt', (newest.share).round_began_at, 'upto', (newest.share).upto_position
        ) end,
        'firstAt', (select min(started_at) from ops.backup_rereads where received_at <= v.now),
        'damaged', coalesce(
            (
                select jsonb_agg(path)
                from (
                    select path
                    from ops.backup_damages
                    where ended_at is null and found_at <= v.now
                    order by found_at desc
                    limit 1000
                ) as damages
            ),
            '[]'
        ),
        'unread', coalesce((newest.share).unread, '[]'),
        'stretches', coalesce(
            (
                select jsonb_agg(jsonb_build_object('at', started_at, 'from', from_position, 'upto', upto_position))
                from ops.backup_rereads
                where received_at <= v.now and started_at > v.now - make_interval(days => 2 * every.days + 2)
            ),
            '[]'
        )
    )
    from (select coalesce(p_now, now()), ops.read_settings()) as v (now, settings)
    cross join lateral (select (v.settings ->> 'backup.reread_days')::integer) as every (days)
    cross join lateral (select ops.newest_reread(v.now)) as newest (share)
$$;

comment on function public.ops_plan_reread(timestamptz) is
    'What the next share is read by: within how many days everything is read, how much and for how long a run may, how far the round has come, what is damaged or was not given, and what was read when.';

create or replace function ops.reread_document(p_now timestamptz, p_settings jsonb)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_build_object(
        'status', case
            when every.days = 0 then 'off'
            when (newest.share).id is null then 'not_set_up'
            when p_now - (newest.share).oldest_at > make_interval(days => 2 * every.days) then 'behind'
            else 'ok'
        end,
        'days', every.days,
        'readAt', (newest.share).finished_at,
        'objects', (newest.share).objects_there,
        'bytes', (newest.share).bytes_there,
        'objectsOld', (newest.share).objects_old,
        'objectsOldRead', (newest.share).objects_old_read,
        'oldestAt', (newest.share).oldest_at,
        'unread', coalesce(jsonb_array_length((newest.share).unread), 0),
        'damages', coalesce(
            (
                select jsonb_agg(
                    jsonb_build_object(
                        'what', path, 'why', what, 'snapshot', snapshot, 'backups', backups, 'foundAt', found_at
                    )
                    order by found_at desc, path
                )
                from (select * from ops.standing_damages(p_now, p_settings) limit 20) as damages
            ),
            '[]'
        )
    )
    from (select (p_settings ->> 'backup.reread_days')::integer) as every (days)
    cross join (select ops.newest_reread(p_now)) as newest (share)
$$;

comment on function ops.reread_document(timestamptz, jsonb) is
    'How reading again stands: off, not set up before the first share, behind or ok; how much of what there is was read within its days, what has waited the longest, and what is damaged.';

create or replace function public.ops_record_reread(p_reread jsonb, p_now timestamptz default null)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_id uuid;
begin
    perform ops.hold_functions();
    v_id := (p_reread ->> 'id')::uuid;
    perform ops.check_id('id', v_id);
    perform ops.check_time('startedAt', (p_reread ->> 'startedAt')::timestamptz);
    perform ops.check_time('finishedAt', (p_reread ->> 'finishedAt')::timestamptz);
    perform ops.check_time('beganAt', (p_reread ->> 'beganAt')::timestamptz);
    perform ops.check_number('upto', (p_reread ->> 'upto')::bigint, 0, 4294967296);
    perform ops.check_number('from', (p_reread ->> 'from')::bigint, 0, (p_reread ->> 'upto')::bigint);

    insert into ops.backup_rereads (
        id, started_at, finished_at, round_began_at, from_position, upto_position, objects, bytes,
        objects_there, bytes_there, objects_old, objects_old_read, oldest_at, unread, received_at
    )
    values (
        v_id,
        (p_reread ->> 'startedAt')::timestamptz,
        (p_reread ->> 'finishedAt')::timestamptz,
        (p_reread ->> 'beganAt')::timestamptz,
        (p_reread ->> 'from')::bigint,
        (p_reread ->> 'upto')::bigint,
        (p_reread ->> 'objects')::bigint,
        (p_reread ->> 'bytes')::bigint,
        (p_reread ->> 'objectsThere')::bigint,
        (p_reread ->> 'bytesThere')::bigint,
        (p_reread ->> 'objectsOld')::bigint,
        (p_reread ->> 'objectsOldRead')::bigint,
        (p_reread ->> 'oldestAt')::timestamptz,
        coalesce(nullif(p_reread -> 'unread', 'null'), '[]'),
        v_now
    )
    on conflict (id) do nothing;
    -- Sent again, it finds and ends nothing that somebody else has found or ended since.
    if found then
        perform ops.note_damages(p_reread -> 'damaged', v_now);
        perform ops.end_damages(p_reread -> 'whole', 'whole', v_now);
        perform ops.end_damages(p_reread -> 'copied', 'copied', v_now);
        perform ops.end_damages(p_reread -> 'gone', 'gone', v_now);
        delete from ops.backup_rereads where received_at < v_now - interval '9600 hours';
        delete from ops.backup_damages where ended_at < v_now - interval '9600 hours';
    end if;
    return ops.reread_document(v_now, ops.read_settings());
end
$$;

comment on function public.ops_record_reread(jsonb, timestamptz) is
    'Keeps what came of reading a share, once, notes what is damaged and what no longer is, and returns how reading again stands. It is kept for four hundred days.';
