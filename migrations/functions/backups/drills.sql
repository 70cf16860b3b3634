-- Drills: somebody who has the private key restored a backup into a scratch database and
-- compared it with its source. Each sends a receipt. What it says is judged when it is read,
-- so that accepting a missing object by its name changes the verdict of a drill that was.

create or replace function ops.newest_drill(p_now timestamptz)
returns ops.backup_drills
language sql
stable
set search_path = ''
as $$
    select *
    from ops.backup_drills
    where received_at <= p_now and level = 3
    order by received_at desc
    limit 1
$$;

comment on function ops.newest_drill(timestamptz) is
    'Returns the drill by the command whose receipt arrived last, or null.';

create or replace function ops.drill_reason(p_drill ops.backup_drills, p_settings jsonb)
returns text
language sql
immutable
set search_path = ''
as $$
    select case
        when not p_drill.restored then p_drill.reason
        when cardinality(missing.names) > 0 then 'missing: ' || array_to_string(missing.names, '; ')
        when p_drill.seconds / 60 > (p_settings ->> 'threshold.backup_rto_minutes')::numeric then 'too_long'
    end
    from (select ops.unaccepted_names(p_drill.missing, p_settings)) as missing (names)
$$;

comment on function ops.drill_reason(ops.backup_drills, jsonb) is
    'Returns why a drill is bad, or null if it is good. What an operator accepted by its name counts for nothing.';

create or replace function ops.drill_document(p_drill ops.backup_drills, p_settings jsonb)
returns jsonb
language sql
immutable
set search_path = ''
as $$
    select jsonb_build_object(
        'id', p_drill.id,
        'level', p_drill.level,
        'outcome', case when reason is null then 'good' else 'bad' end,
        'reason', reason,
        'snapshot', p_drill.snapshot,
        'takenAt', p_drill.taken_at,
        'startedAt', p_drill.started_at,
        'finishedAt', p_drill.finished_at,
        'restored', p_drill.restored,
        'seconds', p_drill.seconds,
        'rows', p_drill.rows,
        'bytes', p_drill.bytes,
        'tables', cardinality(p_drill.tables),
        'tablesInBackup', p_drill.tables_in_backup,
        'missing', ops.with_acceptance(p_drill.missing, p_settings),
        'compared', p_drill.compared
    )
    from ops.drill_reason(p_drill, p_settings) as reason
$$;

comment on function ops.drill_document(ops.backup_drills, jsonb) is
    'A drill as callers see it: what it found, and whether that is good.';

create or replace function ops.last_drilled_tables(p_now timestamptz)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select coalesce(jsonb_object_agg(name, drilled_at), '{}')
    from (
        select name, max(finished_at) as drilled_at
        from ops.backup_drills
        cross join lateral unnest(tables) as name
        where received_at <= p_now
        group by name
    ) as tables
$$;

comment on function ops.last_drilled_tables(timestamptz) is
    'When the rows of each table were last restored and compared, by the table''s name.';

create or replace function ops.drills_document(p_now timestamptz, p_settings jsonb)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_build_object(
        'status', case
            when newest.id is null then 'not_set_up'
            when newest.reason is not null then 'failed'
            when newest.age_days > every.days + 1 then 'overdue'
            else 'ok'
        end,
        'everyDays', every.days,
        'rtoSeconds', 60 * (p_settings ->> 'threshold.backup_rto_minutes')::numeric,
        'last', newest.document,
        'schedule', coalesce(
            (
                select jsonb_agg(jsonb_build_object('level', level, 'lastAt', last_at, 'dueAt', due_at) order by level)
                from ops.drill_schedule(p_now, p_settings)
            ),
            '[]'
        ),
        'dispatches', ops.recent_dispatches(p_now),
        'forecast', ops.forecast_restore(p_now, p_settings)
    )
    from (select (p_settings ->> 'backup.drill_days')::integer) as every (days)
    left join lateral (
        select
            (drill).id,
            ops.drill_reason(drill, p_settings) as reason,
            extract(epoch from p_now - (drill).received_at) / 86400 as age_days,
            ops.drill_document(drill, p_settings) as document
        from (select ops.newest_drill(p_now)) as newest (drill)
        where (drill).id is not null
    ) as newest on true
$$;

comment on function ops.drills_document(timestamptz, jsonb) is
    'How drills stand: not set up before the first receipt, failed, overdue or ok; how often they are due; the last one; when each level was tried and is due, what became of asking for it; and how long restores will take.';

create or replace function ops.is_drill_due(p_now timestamptz, p_settings jsonb)
returns boolean
language sql
stable
set search_path = ''
as $$
    select coalesce(
        (
            select p_now - (drill).received_at >= make_interval(days => case
                when ops.drill_reason(drill, p_settings) is null then (p_settings ->> 'backup.drill_days')::integer
                else 1
            end)
            from (select ops.newest_drill(p_now)) as newest (drill)
            where (drill).id is not null
        ),
        true
    )
$$;

comment on function ops.is_drill_due(timestamptz, jsonb) is
    'Whether whoever makes drills by itself has to make one: before the first, when the last one is as old as the setting says, and a day after a bad one.';

create or replace function public.ops_record_drill(p_drill jsonb, p_now timestamptz default null)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_id uuid;
begin
    perform ops.hold_functions();
    v_id := (p_drill ->> 'id')::uuid;
    perform ops.check_id('id', v_id);
    if p_drill ? 'level' then
        perform ops.check_number('level', (p_drill ->> 'level')::bigint, 3, 4);
    end if;
    perform ops.check_length('snapshot', p_drill ->> 'snapshot', 200);
    perform ops.check_time('takenAt', (p_drill ->> 'takenAt')::timestamptz);
    perform ops.check_time('startedAt', (p_drill ->> 'startedAt')::timestamptz);
    perform ops.check_time('finishedAt', (p_drill ->> 'finishedAt')::timestamptz);
    if (p_drill ->> 'seconds')::numeric not between 0 and 1000000000 then
        perform ops.refuse('seconds', 'a number from 0 to 1000000000', p_drill ->> 'seconds');
    end if;

    insert into ops.backup_drills (
        id, level, snapshot, taken_at, started_at, finished_at, restored, reason, missing, tables,
        seconds, rows, bytes, tables_in_backup, compared, received_at
    )
    values (
        v_id,
        coalesce((p_drill ->> 'level')::integer, 3),
        p_drill ->> 'snapshot',
        (p_drill ->> 'takenAt')::timestamptz,
        (p_drill ->> 'startedAt')::timestamptz,
        greatest((p_drill ->> 'finishedAt')::timestamptz, (p_drill ->> 'startedAt')::timestamptz),
        p_drill ->> 'reason' is null,
        left(p_drill ->> 'reason', 1000),
        ops.named_list(p_drill -> 'missing', 'reason'),
        array(select jsonb_array_elements_text(coalesce(nullif(p_drill -> 'tables', 'null'), '[]'))),
        (p_drill ->> 'seconds')::numeric,
        (p_drill ->> 'rows')::bigint,
        (p_drill ->> 'bytes')::bigint,
        (p_drill ->> 'tablesInBackup')::bigint,
        case when jsonb_typeof(p_drill -> 'compared') = 'object' then p_drill -> 'compared' end,
        v_now
    )
    on conflict (id) do nothing;

    return (
        select ops.drill_document(drill, ops.read_settings())
        from ops.backup_drills as drill
        where id = v_id
    );
end
$$;

comment on function public.ops_record_drill(jsonb, timestamptz) is
    'Keeps the receipt of a drill, once however often it is sent, and returns the drill with its verdict.';

create or replace function public.ops_list_drills(p_now timestamptz default null)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select ops.drills_document(v.now, v.settings) || jsonb_build_object(
        'rpoSeconds', 60 * (v.settings ->> 'threshold.backup_rpo_minutes')::numeric,
        'accepted', v.settings -> 'backup.accepted',
        'queries', v.settings -> 'backup.drill_queries',
        'due', ops.is_drill_due(v.now, v.settings),
        'dueLevels', ops.due_drill_levels(v.now, v.settings),
        'lastDrilled', ops.last_drilled_tables(v.now),
        'drills', coalesce(
            (
                select jsonb_agg(ops.drill_document(drill, v.settings) order by drill.received_at desc)
                from (
                    select * from ops.backup_drills where received_at <= v.now order by received_at desc limit 100
                ) as drill
            ),
            '[]'
        )
    )
    from (select coalesce(p_now, now()), ops.read_settings()) as v (now, settings)
$$;

comment on function public.ops_list_drills(timestamptz) is
    'How drills stand, the hundred newest of them, what is accepted by name, and when the rows of each table were last proven.';
