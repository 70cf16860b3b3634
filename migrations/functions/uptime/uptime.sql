-- Uptime, integrated over time: a sample counts until the next one, and at most for twice its
-- interval; after that nothing is known. Up, down, unknown and maintenance always add up to
-- the period.

create or replace function ops.uptime(
    p_check text,
    p_from timestamptz,
    p_to timestamptz,
    out up numeric,
    out degraded numeric,
    out down numeric,
    out unknown numeric,
    out maintenance numeric
)
language plpgsql
stable
set search_path = ''
as $$
declare
    v_days_from timestamptz := ops.floor_to_day(p_from + interval '24 hours' - interval '1 microsecond');
    v_days_to timestamptz;
begin
    select ops.floor_to_day(least(rolled_to, p_to)) into v_days_to
    from ops.uptime_rollups
    where check_name = p_check;

    if v_days_to > v_days_from then
        select sum(piece.up), sum(piece.degraded), sum(piece.down)
        into up, degraded, down
        from (
            select * from ops.known_seconds(p_check, p_from, v_days_from)
            union all
            select days.up, days.degraded, days.down
            from ops.uptime_days as days
            where days.check_name = p_check and days.day >= v_days_from and days.day < v_days_to
            union all
            select * from ops.known_seconds(p_check, v_days_to, p_to)
        ) as piece;
    else
        select * into up, degraded, down from ops.known_seconds(p_check, p_from, p_to);
    end if;

    maintenance := ops.seconds_in(ops.maintenance_of(p_check, p_from, p_to));
    unknown := greatest(extract(epoch from p_to - p_from), 0) - up - down - maintenance;
end
$$;

comment on function ops.uptime(text, timestamptz, timestamptz) is
    'How many seconds of a period a check was up (degraded is part of it), down, unknown and in maintenance. Up, down, unknown and maintenance add up to the period exactly. They are computed from whole days, spans and samples, which agree with each other.';

create or replace function ops.uptime_document(
    p_up numeric,
    p_degraded numeric,
    p_down numeric,
    p_unknown numeric,
    p_maintenance numeric
)
returns jsonb
language sql
immutable
set search_path = ''
as $$
    select jsonb_build_object(
        'up', p_up,
        'degraded', p_degraded,
        'down', p_down,
        'unknown', p_unknown,
        'maintenance', p_maintenance,
        'percent', round(100 * p_up / nullif(known, 0), 4),
        -- Bounds show how little is known; if nothing is known, there are none.
        'lower', case when known > 0 then round(100 * p_up / (known + p_unknown), 4) end,
        'upper', case when known > 0 then round(100 * (p_up + p_unknown) / (known + p_unknown), 4) end,
        'coverage', round(100 * known / nullif(known + p_unknown, 0), 4)
    )
    from (select p_up + p_down as known) as sums
$$;

comment on function ops.uptime_document(numeric, numeric, numeric, numeric, numeric) is
    'Seconds of a period with the figures that follow: the percentage of the known time, its bounds over all time outside maintenance, and the share of time that is known. A figure without data is null.';
