-- Verifications and drills where a private key is: when each is due, and how its workflow is asked
-- for, once, and again with patience where the platform did not take it or nothing came of it.

create or replace function ops.drill_schedule(p_now timestamptz, p_settings jsonb)
returns table (level integer, last_at timestamptz, due_at timestamptz)
language sql
stable
set search_path = ''
as $$
    with opened as (
        select min(received_at) as first_at, max(received_at) as last_at
        from ops.backup_verifications
        where backup_verifications.level = 2 and received_at <= p_now
    ),
    drilled as (
        select min(received_at) as first_at
        from ops.backup_drills
        where received_at <= p_now
    ),
    newest as (
        select (drill).received_at as last_at, ops.drill_days(drill, p_now, p_settings) as days
        from (select ops.newest_drill(p_now)) as newest (drill)
        where (drill).id is not null
    ),
    stock as (
        select max(received_at) as last_at
        from ops.backup_drills
        where backup_drills.level = 4 and received_at <= p_now
    )
    select
        2, opened.last_at,
        coalesce(
            opened.last_at + make_interval(days => (p_settings ->> 'backup.verify_days')::integer), drilled.first_at
        )
    from opened, drilled
    where opened.last_at is not null or drilled.first_at is not null

    union all
    select 3, newest.last_at, coalesce(newest.last_at + make_interval(days => newest.days), opened.first_at)
    from opened
    left join newest on true
    where newest.last_at is not null or opened.first_at is not null

    union all
    select 4, last_at, last_at + interval '30 days'
    from stock
    where last_at is not null
$$;

comment on function ops.drill_schedule(timestamptz, jsonb) is
    'When each level was last tried and is due next: 2, to open and read a backup, and 3, to restore it, once either was ever done; 4, by stock tools, a month after the last. A level that was never tried is due since the first receipt of any.';

create or replace function ops.drill_days(p_drill ops.backup_drills, p_now timestamptz, p_settings jsonb)
returns integer
language sql
stable
set search_path = ''
as $$
    select case
        when ops.drill_reason(p_drill, p_settings) is not null then 1
        when (
            select (figures ->> 'bytesRead')::numeric + coalesce((figures ->> 'bytesTakenOver')::numeric, 0) < 1e9
            from ops.backups
            where outcome = 'done' and taken_at <= p_now
            order by taken_at desc
            limit 1
        ) then 1
        else (p_settings ->> 'backup.drill_days')::integer
    end
$$;

comment on function ops.drill_days(ops.backup_drills, timestamptz, jsonb) is
    'How many days after this drill a workflow makes the next: one after a bad one, and one where the newest backup is under a gigabyte of rows; else as the setting says.';

create or replace function ops.due_drill_levels(p_now timestamptz, p_settings jsonb)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select coalesce(jsonb_agg(level order by level), '[]')
    from unnest('{2,3,4}'::integer[]) as level
    where not exists (
        select
        from ops.drill_schedule(p_now, p_settings) as schedule
        -- A little early, so that one that comes by the clock is not a day late.
        where schedule.level = level.level and schedule.due_at > p_now + interval '2 hours'
    )
$$;

comment on function ops.due_drill_levels(timestamptz, jsonb) is
    'The levels that a workflow that asks is to try now: those that are due within two hours or were never tried.';

create or replace function ops.dispatch_patience(p_started boolean, p_attempts integer)
returns interval
language sql
immutable
set search_path = ''
as $$
    select case
        -- A big drill takes its hours.
        when p_started then interval '6 hours'
        else least(interval '15 minutes' * 2 ^ least(p_attempts - 1, 10), interval '6 hours')
    end
$$;

comment on function ops.dispatch_patience(boolean, integer) is
    'How long a workflow that was asked for so often is waited for, before it is asked for again: six hours if the platform took it, else a quarter of an hour, doubled each time up to six hours.';

create or replace function public.ops_claim_drill_dispatches(p_now timestamptz default null)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_settings jsonb;
    v_claimed jsonb;
begin
    perform ops.hold_functions();
    v_settings := ops.read_settings();
    with claimed as (
        insert into ops.drill_dispatches as known (level, slot, attempts, asked_at)
        select level, due_at, 1, v_now
        from ops.drill_schedule(v_now, v_settings)
        where due_at <= v_now and (v_settings ->> 'backup.drill_dispatch')::boolean
        on conflict (level, slot) do update
        set attempts = known.attempts + 1, asked_at = excluded.asked_at, answered_at = null, started = null, answer = null
        where known.asked_at <= v_now - ops.dispatch_patience(known.started, known.attempts)
        returning level, slot
    )
    select jsonb_agg(jsonb_build_object('level', level, 'slot', slot) order by level) into v_claimed from claimed;
    delete from ops.drill_dispatches where asked_at < v_now - interval '9600 hours';
    return jsonb_build_object('due', coalesce(v_claimed, '[]'));
end
$$;

comment on function public.ops_claim_drill_dispatches(timestamptz) is
    'Returns the levels whose workflow is to be asked for now, each once for the time that it became due, and again after some patience.';

create or replace function public.ops_settle_drill_dispatch(
    p_level integer,
    p_slot timestamptz,
    p_started boolean,
    p_answer text default null,
    p_now timestamptz default null
)
returns jsonb
language plpgsql
set search_path = ''
as $$
begin
    perform ops.hold_functions();
    update ops.drill_dispatches
    set answered_at = coalesce(p_now, now()), started = coalesce(p_started, false), answer = left(p_answer, 300)
    where level = p_level and slot = p_slot;
    return jsonb_build_object('settled', found);
end
$$;

comment on function public.ops_settle_drill_dispatch(integer, timestamptz, boolean, text, timestamptz) is
    'Notes what the platform answered when a workflow was asked for.';

create or replace function ops.recent_dispatches(p_now timestamptz)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select coalesce(
        jsonb_agg(
            jsonb_build_object(
                'level', level, 'slot', slot, 'attempts', attempts, 'askedAt', asked_at, 'started', started, 'answer', answer
            )
            order by level
        ),
        '[]'
    )
    from (
        select distinct on (level) *
        from ops.drill_dispatches
        where asked_at <= p_now
        order by level, asked_at desc
    ) as newest
$$;

comment on function ops.recent_dispatches(timestamptz) is
    'Of each level, when its workflow was asked for last, how often, and what was answered.';
