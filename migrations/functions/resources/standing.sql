-- How resources stand: the share that is used, how it grows, and in how many days that which
-- only grows is full.

create or replace function ops.resource_trend(p_resource text, p_now timestamptz)
returns numeric
language plpgsql
stable
set search_path = ''
as $$
declare
    v_today date := (p_now at time zone 'UTC')::date;
begin
    return (
        select case when count(*) >= 7 then round(regr_slope(used::float8, (day - v_today)::float8)::numeric, 4) end
        from ops.resource_days
        where resource = p_resource and day > v_today - 30 and day <= v_today
    );
end
$$;

comment on function ops.resource_trend(text, timestamptz) is
    'By how much the use of a resource grows in a day: the line through the days of the last 30 that are known. Null of fewer than seven.';

create or replace function ops.resource_document(p_reading ops.resource_readings, p_now timestamptz)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
    v_trend numeric := ops.resource_trend(p_reading.resource, p_now);
begin
    return jsonb_build_object(
        'resource', p_reading.resource,
        'used', p_reading.used,
        'capacity', p_reading.capacity,
        'unit', p_reading.unit,
        'percent', round(100 * p_reading.used / p_reading.capacity, 1),
        'perDay', v_trend,
        -- What comes and goes is never full by growing, and of what is not known nobody knows when.
        'daysToFull', case
            when p_reading.resource in ('database_size', 'database_disk', 'storage') and v_trend > 0
                and num_nulls(p_reading.capacity, p_reading.used) = 0
            then least(round(greatest(p_reading.capacity - p_reading.used, 0) / v_trend, 1), 100000)
        end,
        'note', p_reading.note,
        'reason', p_reading.reason,
        'readAt', p_reading.read_at,
        'days', (
            select coalesce(jsonb_agg(kept.used order by dates.day), '[]')
            from generate_series(-29, 0) as back
            cross join lateral (select (p_now at time zone 'UTC')::date + back as day) as dates
            left join ops.resource_days as kept on kept.resource = p_reading.resource and kept.day = dates.day
        )
    );
end
$$;

comment on function ops.resource_document(ops.resource_readings, timestamptz) is
    'A resource as callers see it. days are the last 30, the newest last, null where nothing is known.';

create or replace function ops.list_resources(p_now timestamptz)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
    return (
        select coalesce(
            jsonb_agg(
                ops.resource_document(reading, p_now)
                order by array_position(ops.words('ops.resource'), reading.resource::text)
            ),
            '[]'
        )
        from ops.resource_readings as reading
    );
end
$$;

comment on function ops.list_resources(timestamptz) is 'All resources that were read, each as callers see it.';

create or replace function public.ops_list_resources()
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
    return jsonb_build_object('resources', ops.list_resources(now()));
end
$$;

comment on function public.ops_list_resources() is 'What is used of what there is, how that grows, and when it is full.';
