-- What the rules observe of resources: how much of each is used.

create or replace function ops.observe_resources(p_now timestamptz, p_settings jsonb)
returns setof ops.observation
language sql
stable
set search_path = ''
as $$
    select ops.make_observation(
        bound.rule, reading.resource,
        ops.judge(share.percent, bound.most, 1, 1), share.percent, bound.most, '%',
        p_facts => jsonb_build_object(
            'service', case
                when reading.resource = 'storage' then 'storage'
                when reading.resource like 'database\_%' then 'database'
                else 'monitoring'
            end,
            'daysToFull', ops.resource_document(reading, p_now) -> 'daysToFull'
        )
    )
    from ops.resource_readings as reading
    cross join lateral (
        select case
            -- What was not read for long says nothing of now.
            when reading.read_at > p_now - interval '24 hours' then round(100 * reading.used / reading.capacity, 1)
        end as percent
    ) as share
    cross join (values
        ('resource_high', (p_settings ->> 'threshold.resource_high_percent')::numeric),
        ('resource_full', (p_settings ->> 'threshold.resource_full_percent')::numeric)
    ) as bound (rule, most)
    -- Connections have a rule of their own, which looks at each tick.
    where reading.capacity is not null and reading.resource <> 'connections'
$$;

comment on function ops.observe_resources(timestamptz, jsonb) is
    'The verdicts on how much of each resource is used whose capacity is known.';
