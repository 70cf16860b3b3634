-- Guided recoveries. Each sends a receipt as it ends, also one that failed; gone on with, it sends
-- another under the same id, which says how the whole went.

create or replace function ops.recovery_document(p_recovery ops.backup_recoveries)
returns jsonb
language sql
immutable
set search_path = ''
as $$
    select jsonb_build_object(
        'id', p_recovery.id,
        'kind', p_recovery.kind,
        'isDrill', p_recovery.is_drill,
        'snapshot', p_recovery.snapshot,
        'startedAt', p_recovery.started_at,
        'finishedAt', p_recovery.finished_at,
        'minutes', round(extract(epoch from p_recovery.finished_at - p_recovery.started_at) / 60, 1),
        'steps', p_recovery.steps,
        'outcome', p_recovery.outcome
    )
$$;

comment on function ops.recovery_document(ops.backup_recoveries) is
    'A recovery as callers see it: what was brought back, step by step, and how long all of it took.';

create or replace function ops.recovery_reason(p_recovery ops.backup_recoveries, p_settings jsonb)
returns text
language sql
immutable
set search_path = ''
as $$
    select case
        when p_recovery.outcome = 'failed' then (
            select concat('not done: ', string_agg(step ->> 'step', '; ' order by number))
            from jsonb_array_elements(p_recovery.steps) with ordinality as steps (step, number)
            where step ->> 'state' = 'todo'
        )
        when p_recovery.finished_at - p_recovery.started_at
            > make_interval(mins => (p_settings ->> 'threshold.backup_rto_minutes')::integer) then 'too_long'
    end
$$;

comment on function ops.recovery_reason(ops.backup_recoveries, jsonb) is
    'Returns why a recovery is bad, or null if it is good: the steps that are not done, or that all of them took longer than they may.';

create or replace function ops.newest_recoveries(p_now timestamptz)
returns setof ops.backup_recoveries
language sql
stable
set search_path = ''
as $$
    select distinct on (kind) *
    from ops.backup_recoveries
    where received_at <= p_now
    order by kind, received_at desc
$$;

comment on function ops.newest_recoveries(timestamptz) is
    'Returns of each kind the recovery whose receipt arrived last, in earnest or as a drill.';

create or replace function public.ops_record_recovery(p_recovery jsonb, p_now timestamptz default null)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_id uuid;
begin
    perform ops.hold_functions();
    v_id := (p_recovery ->> 'id')::uuid;
    perform ops.check_id('id', v_id);
    perform ops.check_word('kind', p_recovery ->> 'kind', ops.words('ops.recovery_kind'));
    perform ops.check_word('outcome', p_recovery ->> 'outcome', ops.words('ops.recovery_outcome'));
    if p_recovery ->> 'snapshot' is not null then
        perform ops.check_length('snapshot', p_recovery ->> 'snapshot', 200);
    end if;
    perform ops.check_time('startedAt', (p_recovery ->> 'startedAt')::timestamptz);
    perform ops.check_time('finishedAt', (p_recovery ->> 'finishedAt')::timestamptz);
    if jsonb_typeof(p_recovery -> 'steps') is distinct from 'array'
        or length(p_recovery ->> 'steps') > 20000 then
        perform ops.refuse('steps', 'a list of at most 20000 characters', jsonb_typeof(p_recovery -> 'steps'));
    end if;

    insert into ops.backup_recoveries as known (
        id, kind, is_drill, snapshot, started_at, finished_at, steps, outcome, received_at
    )
    values (
        v_id,
        p_recovery ->> 'kind',
        (p_recovery ->> 'isDrill')::boolean,
        p_recovery ->> 'snapshot',
        (p_recovery ->> 'startedAt')::timestamptz,
        greatest((p_recovery ->> 'finishedAt')::timestamptz, (p_recovery ->> 'startedAt')::timestamptz),
        p_recovery -> 'steps',
        p_recovery ->> 'outcome',
        v_now
    )
    on conflict (id) do update
    set snapshot = excluded.snapshot,
        finished_at = excluded.finished_at,
        steps = excluded.steps,
        outcome = excluded.outcome,
        received_at = excluded.received_at
    -- An older receipt may arrive late.
    where known.finished_at <= excluded.finished_at;

    return (select ops.recovery_document(known) from ops.backup_recoveries as known where known.id = v_id);
end
$$;

comment on function public.ops_record_recovery(jsonb, timestamptz) is
    'Keeps the receipt of a guided recovery, the newest of each, and returns the recovery.';
