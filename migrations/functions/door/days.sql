-- Items lie in a partition a day, made ahead and dropped whole.

create or replace function ops.item_day_name(p_day date)
returns text
language sql
immutable
parallel safe
set search_path = ''
as $$
    select to_char(p_day, '"items_"YYYYMMDD')
$$;

comment on function ops.item_day_name(date) is 'Returns the name of the partition of a day.';

create or replace function ops.has_item_day(p_day date)
returns boolean
language sql
volatile
set search_path = ''
as $$
    -- What was looked up by its name before would be remembered as absent.
    select exists (
        select
        from pg_class
        where relnamespace = 'ops'::regnamespace and relname = ops.item_day_name(p_day)
    )
$$;

comment on function ops.has_item_day(date) is 'Whether there is a partition of a day now.';

create or replace function ops.open_item_days(p_now timestamptz)
returns integer
language plpgsql
-- The server's key may not make tables.
security definer
set search_path = ''
as $$
declare
    v_day date;
    v_made integer := 0;
begin
    for v_day in
        select listed.day
        from (
            select (p_now at time zone 'UTC')::date + nth as day from generate_series(-7, 3) as nth
        ) as listed
        where not ops.has_item_day(listed.day)
        order by 1
    loop
        -- Two calls must not make the same one.
        perform pg_advisory_xact_lock(hashtextextended('ops.item_days', 0));
        if not ops.has_item_day(v_day) then
            execute format(
                'create table ops.%I partition of ops.items for values from (%L) to (%L)',
                ops.item_day_name(v_day), v_day, v_day + 1
            );
            execute format('alter table ops.%I enable row level security', ops.item_day_name(v_day));
            execute format(
                'create policy ops_server_alone on ops.%I to service_role using (true) with check (true)',
                ops.item_day_name(v_day)
            );
            v_made := v_made + 1;
        end if;
    end loop;
    return v_made;
end
$$;

comment on function ops.open_item_days(timestamptz) is
    'Makes the partitions of the last seven days and of the next three that are not there, and returns how many it made.';

create or replace function ops.drop_item_days(p_settings jsonb, p_now timestamptz)
returns integer
language plpgsql
-- The server's key may not drop tables.
security definer
set search_path = ''
-- It waits for no reader: the next call tries again.
set lock_timeout = '2s'
as $$
declare
    v_name text;
    v_dropped integer := 0;
    v_oldest text := ops.item_day_name(
        (p_now at time zone 'UTC')::date - greatest(8, (p_settings ->> 'retention.items_days')::integer)
    );
begin
    for v_name in
        select child.relname
        from pg_inherits as heir
        join pg_class as child on child.oid = heir.inhrelid
        where heir.inhparent = 'ops.items'::regclass and child.relname < v_oldest
        order by 1
        limit 10
    loop
        execute format('drop table ops.%I', v_name);
        v_dropped := v_dropped + 1;
    end loop;
    return v_dropped;
exception
    when lock_not_available then
        return 0;
end
$$;

comment on function ops.drop_item_days(jsonb, timestamptz) is
    'Drops partitions that are older than they are kept, at most ten, and returns how many; none while somebody reads one.';

create or replace function ops.forget_door_counts(p_now timestamptz)
returns void
language plpgsql
set search_path = ''
as $$
begin
    delete from ops.door_counts where span = 'minute' and begins_at < p_now - interval '1 hour';
    delete from ops.own_reports where hour < p_now - interval '48 hours';
    -- Totals never decline, whatever is deleted.
    with days as (
        delete from ops.door_counts
        where span = 'day' and begins_at < p_now - interval '400 days'
        returning key, taken
    ),
    hours as (
        delete from ops.door_drops where at < p_now - interval '400 days' returning source, items
    )
    insert into ops.door_totals as known (outcome, name, items)
    select outcome, name, sum(items)
    from (
        select 'taken' as outcome, key::text as name, taken as items from days
        union all
        select 'dropped', source, items from hours
    ) as forgotten
    group by outcome, name
    on conflict (outcome, name) do update
    set items = known.items + excluded.items;
    -- Whoever was hashed with it cannot be found any more.
    delete from ops.visitor_keys where day < (p_now at time zone 'UTC')::date;
end
$$;

comment on function ops.forget_door_counts(timestamptz) is
    'Deletes the counters of minutes and days that are long over, whose items stay in the door''s totals, and the keys of former days'' visitors.';
