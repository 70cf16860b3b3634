-- Visits and visitors of the door. A visit is what has one session id: its length and what was
-- looked at are known from its page views and events, and grow with each of them. A visitor of
-- whom nothing is known counts once a day.

create or replace function ops.hold_sessions(p_visits ops.door_sessions[])
returns ops.door_sessions[]
language plpgsql
set search_path = ''
as $$
declare
    v_former ops.door_sessions[];
begin
    insert into ops.door_sessions (environment, session, first_at, last_at, views, events, device)
    select environment, session, first_at, last_at, 0, 0, ''
    from unnest(p_visits)
    order by environment, session
    on conflict (environment, session) do nothing;

    -- A statement of its own, because it has to see what others wrote while the first waited.
    with held as (
        select known.*
        from ops.door_sessions as known
        join unnest(p_visits) as visit on visit.environment = known.environment and visit.session = known.session
        order by known.environment, known.session
        for update of known
    )
    select array_agg(held::ops.door_sessions) into v_former from held;
    return v_former;
end
$$;

comment on function ops.hold_sessions(ops.door_sessions[]) is
    'Holds visits, which are made where they are new, against others who would change them, and returns them as they are. A new one has no device.';

create or replace function ops.visit_items(p_visit ops.door_sessions, p_weight integer)
returns ops.counted_item[]
language plpgsql
immutable
set search_path = ''
as $$
declare
    v_items ops.counted_item[];
    v_item ops.counted_item;
begin
    foreach v_item in array ops.session_items(
        p_visit.device, round(extract(epoch from p_visit.last_at - p_visit.first_at)), p_visit.views, p_visit.events,
        p_visit.first_at, p_weight
    ) loop
        v_item.environment := p_visit.environment;
        v_items := v_items || v_item;
    end loop;
    return v_items;
end
$$;

comment on function ops.visit_items(ops.door_sessions, integer) is 'A visit as items to be counted, or to be taken back.';

create or replace function ops.count_door_visits(p_visits ops.door_sessions[])
returns void
language plpgsql
set search_path = ''
as $$
declare
    v_former ops.door_sessions[];
    v_now ops.door_sessions[];
begin
    if p_visits is null then
        return;
    end if;
    v_former := ops.hold_sessions(p_visits);
    with changed as (
        update ops.door_sessions as known
        set
            first_at = least(known.first_at, visit.first_at),
            last_at = greatest(known.last_at, visit.last_at),
            views = known.views + visit.views,
            events = known.events + visit.events,
            device = case when known.device in ('', 'unknown') then visit.device else known.device end
        from unnest(p_visits) as visit
        where visit.environment = known.environment and visit.session = known.session
        returning known.*
    )
    select array_agg(changed::ops.door_sessions) into v_now from changed;
    perform ops.count_items(array(
        select item::ops.counted_item
        from unnest(v_former) as visit
        cross join lateral unnest(ops.visit_items(visit, -1)) as item
        where visit.device <> ''
        union all
        select item::ops.counted_item
        from unnest(v_now) as visit
        cross join lateral unnest(ops.visit_items(visit, 1)) as item
    ));
end
$$;

comment on function ops.count_door_visits(ops.door_sessions[]) is
    'Adds what some items tell of visits, each of which is given once, and counts these as they are now instead of as they were.';

create or replace function ops.new_visitors(p_items ops.items[])
returns ops.counted_item[]
language plpgsql
set search_path = ''
as $$
declare
    v_items ops.counted_item[];
begin
    with seen as (
        select environment, date_bin('1 day', at, '1970-01-05Z') as day, ops.hash_id(person) as visitor, min(at) as at
        from unnest(p_items)
        where kind in ('page_view', 'event') and ops.is_visitor(person)
        group by 1, 2, 3
    ),
    fresh as (
        insert into ops.daily_visitors (environment, day, visitor)
        select environment, day, visitor from seen order by 1, 2, 3
        on conflict do nothing
        returning *
    )
    select array_agg(row(
        'visitor', environment, '', '', '', seen.at, 1, null, null, false, false, null, null, null
    )::ops.counted_item)
    into v_items
    from fresh
    join seen using (environment, day, visitor);
    return coalesce(v_items, '{}');
end
$$;

comment on function ops.new_visitors(ops.items[]) is
    'Notes the visitors among items whom nobody knows, and returns those that are new on their day as items to be counted.';
