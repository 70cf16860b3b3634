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

create or replace function ops.item_days()
returns table (name text, day_from date, day_after date, rows bigint)
language plpgsql
stable
set search_path = ''
as $$
begin
    return query
    select
        child.relname::text,
        substring(span.bound from 'FROM \(''(\d+-\d\d-\d\d)''\)')::date,
        substring(span.bound from 'TO \(''(\d+-\d\d-\d\d)''\)')::date,
        greatest(pg_stat_get_live_tuples(child.oid), child.reltuples::bigint, 0)
    from pg_inherits as heir
    join pg_class as child on child.oid = heir.inhrelid
    cross join lateral (select pg_get_expr(child.relpartbound, child.oid) as bound) as span
    where heir.inhparent = 'ops.items'::regclass;
end
$$;

comment on function ops.item_days() is
    'The partitions of items with the first day of each, the day after its last, and about how many rows it holds. The days of one for whatever has no other are null.';

create or replace function ops.has_item_day(p_day date)
returns boolean
language plpgsql
volatile
set search_path = ''
as $$
declare
    v_default text;
    v_found boolean;
begin
    -- What was looked up by its name before would be remembered as absent.
    if exists (
        select
        from pg_inherits as heir
        join pg_class as child on child.oid = heir.inhrelid
        where heir.inhparent = 'ops.items'::regclass
            and child.relnamespace = 'ops'::regnamespace
            and child.relname = ops.item_day_name(p_day)
    ) then
        return true;
    end if;
    select known.name into v_default
    from ops.item_days() as known
    where known.day_from <= p_day and known.day_after > p_day or known.day_after is null and known.day_from is null
    order by known.day_after nulls last
    limit 1;
    if v_default is null then
        return false;
    end if;
    -- A partition that somebody made for several days, or one for whatever has no other.
    execute format('select exists (select from ops.%I where day = $1)', v_default) into v_found using p_day;
    return v_found or exists (select from ops.item_days() as known where known.name = v_default and known.day_after is not null);
end
$$;

comment on function ops.has_item_day(date) is
    'Whether items of a day have a place now, and another one cannot be made for them.';

create or replace function ops.set_loose_day_apart(p_day date)
returns void
language plpgsql
set search_path = ''
as $$
declare
    v_name text := ops.item_day_name(p_day);
begin
    if to_regclass(format('ops.%I', v_name)) is null then
        return;
    end if;
    begin
        execute format('alter table ops.items attach partition ops.%I for values from (%L) to (%L)', v_name, p_day, p_day + 1);
    exception
        -- It holds what is of another day, or is no table of items.
        when others then
            execute format('alter table ops.%I rename to %I', v_name, left('loose_' || v_name || '_' || txid_current(), 63));
    end;
exception
    when insufficient_privilege then
        raise warning 'ops.% stands where the partition of its day should be, and belongs to somebody else', v_name;
end
$$;

comment on function ops.set_loose_day_apart(date) is
    'Deals with a table that has the name of a day''s partition and is none, as one that was detached: it becomes that partition if it can, and else gets another name.';

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
            perform ops.set_loose_day_apart(v_day);
        end if;
        if not ops.has_item_day(v_day) and to_regclass(format('ops.%I', ops.item_day_name(v_day))) is null then
            execute format(
                'create table ops.%I partition of ops.items for values from (%L) to (%L)',
                ops.item_day_name(v_day), v_day, v_day + 1
            );
            v_made := v_made + 1;
        end if;
        if to_regclass(format('ops.%I', ops.item_day_name(v_day))) is not null then
            execute format('alter table ops.%I enable row level security', ops.item_day_name(v_day));
            execute format('drop policy if exists ops_server_alone on ops.%I', ops.item_day_name(v_day));
            execute format(
                'create policy ops_server_alone on ops.%I to service_role using (true) with check (true)',
                ops.item_day_name(v_day)
            );
        end if;
    end loop;
    return v_made;
end
$$;

comment on function ops.open_item_days(timestamptz) is
    'Makes the partitions of the last seven days and of the next three that are not there, and returns how many it made.';

create or replace function ops.drop_stray_items(
    p_until date,
    p_limit integer,
    out dropped bigint,
    out day_from timestamptz,
    out day_to timestamptz
)
language plpgsql
set search_path = ''
as $$
declare
    v_default text := (
        select known.name from ops.item_days() as known where known.day_from is null and known.day_after is null limit 1
    );
begin
    dropped := 0;
    if v_default is null then
        return;
    end if;
    execute format(
        'with gone as (
             delete from ops.%1$I
             where ctid = any (array(select ctid from ops.%1$I where day < $1 order by day limit $2 for update skip locked))
             returning day
         )
         select count(*), min(day)::timestamp at time zone ''UTC'', max(day)::timestamp at time zone ''UTC'' from gone',
        v_default
    )
    into dropped, day_from, day_to
    using p_until, p_limit;
end
$$;

comment on function ops.drop_stray_items(date, integer) is
    'Deletes items of before a day that lie in the partition for whatever has no other, at most so many.';

create or replace function ops.drop_item_day(
    p_until date,
    p_limit integer,
    out dropped bigint,
    out day_from timestamptz,
    out day_to timestamptz,
    out partitions integer,
    out is_left boolean
)
language plpgsql
-- The server's key may not drop tables.
security definer
set search_path = ''
-- Whoever writes waits behind this; the next call tries again.
set lock_timeout = '100ms'
as $$
declare
    v_day record;
begin
    partitions := 0;
    select known.* into v_day
    from ops.item_days() as known
    where known.day_after <= p_until
    order by known.day_after
    limit 1;
    if v_day.name is null then
        select * into dropped, day_from, day_to from ops.drop_stray_items(p_until, p_limit);
        is_left := dropped >= p_limit;
        return;
    end if;
    dropped := v_day.rows;
    -- To count what is very large would take longer than a part may.
    if dropped < 1000000 then
        execute format('select count(*) from ops.%I', v_day.name) into dropped;
    end if;
    execute format('drop table ops.%I', v_day.name);
    day_from := v_day.day_from::timestamp at time zone 'UTC';
    day_to := v_day.day_after::timestamp at time zone 'UTC';
    partitions := 1;
    -- Whether there are strays, the next part finds out.
    is_left := true;
end
$$;

comment on function ops.drop_item_day(date, integer) is
    'Drops the oldest partition that holds only days before p_until, or else deletes strays of before it. Says how many rows and partitions that were, of which time, and whether there may be more.';

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
