-- How long a restore of everything takes, drill by drill, and how long it will take if that goes on.

create or replace function ops.theil_sen(
    p_x double precision[],
    p_y double precision[],
    out slope double precision,
    out intercept double precision
)
language sql
immutable
set search_path = ''
as $$
    with points as (
        select x, y, nth from unnest(p_x, p_y) with ordinality as point (x, y, nth)
    ),
    middle as (
        select percentile_cont(0.5) within group (order by (later.y - earlier.y) / (later.x - earlier.x)) as slope
        from points as earlier
        join points as later on later.nth > earlier.nth and later.x <> earlier.x
    )
    select middle.slope, (
        select percentile_cont(0.5) within group (order by y - middle.slope * x) from points
    )
    from middle
$$;

comment on function ops.theil_sen(double precision[], double precision[]) is
    'The line through points that no few of them can bend: its slope is the median of the slopes of all pairs, and half of the points lie above it. Null without two points of different x.';

create or replace function ops.measured_restores(p_now timestamptz, p_settings jsonb)
returns table (at timestamptz, minutes double precision)
language sql
stable
set search_path = ''
as $$
    select
        drill.finished_at,
        drill.seconds / 60 * case
            when cardinality(drill.tables) >= drill.tables_in_backup then 1
            else greatest(1, whole.bytes / drill.bytes)
        end
    from ops.backup_drills as drill
    left join lateral (
        select (figures ->> 'bytesRead')::numeric + coalesce((figures ->> 'bytesTakenOver')::numeric, 0) as bytes
        from ops.backups
        where outcome = 'done' and snapshot = drill.snapshot
        limit 1
    ) as whole on true
    where drill.level = 3
        and drill.received_at between p_now - interval '180 days' and p_now
        and drill.restored
        and drill.bytes > 0
        and coalesce(ops.drill_reason(drill, p_settings), 'too_long') = 'too_long'
        -- What a drill of little took is mostly not its rows, and says nothing of all of them.
        and (
            cardinality(drill.tables) >= drill.tables_in_backup
            or drill.bytes >= whole.bytes / 2
        )
    order by drill.finished_at desc
    limit 60
$$;

comment on function ops.measured_restores(timestamptz, jsonb) is
    'How many minutes a restore of everything took, by the drills of half a year that came to their end: of one that restored at least half of the rows'' bytes, what all of them would have taken at its pace.';

create or replace function ops.forecast_restore(p_now timestamptz, p_settings jsonb)
returns jsonb
language sql
stable
set search_path = ''
as $$
    with limits as (
        select (p_settings ->> 'threshold.backup_rto_minutes')::double precision as minutes
    ),
    measured as (
        select
            count(*) as drills,
            min(at) as since,
            array_agg(extract(epoch from at - p_now) / 86400) as days,
            array_agg(minutes) as minutes
        from ops.measured_restores(p_now, p_settings)
    )
    select jsonb_build_object(
        'drills', measured.drills,
        'sinceAt', measured.since,
        'minutes', round(greatest(line.intercept, 0)::numeric, 2),
        'inAMonthMinutes', round(greatest(line.intercept + 30 * line.slope, 0)::numeric, 2),
        'exceedsAt', case
            when line.intercept > limits.minutes then p_now
            -- Who can tell what a year brings?
            when line.intercept + 365 * line.slope > limits.minutes
            then p_now + (limits.minutes - line.intercept) / line.slope * interval '1 day'
        end
    )
    from measured
    cross join limits
    cross join lateral ops.theil_sen(measured.days::double precision[], measured.minutes) as line
    -- Fewer, or of a few days, are weather.
    where measured.drills >= 5 and p_now - measured.since >= interval '14 days'
$$;

comment on function ops.forecast_restore(timestamptz, jsonb) is
    'How long a restore of everything takes by the line through the last drills, what it comes to in thirty days, and when within a year it takes longer than it may. Null with fewer than five drills or of less than two weeks.';
