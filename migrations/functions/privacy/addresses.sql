-- Addresses of networks in the application's tables are shortened to their network once they
-- are older than privacy.address_days: what an attack looks like is still told, and who it was
-- is not.

create or replace function ops.shortened(p_address inet)
returns inet
language sql
immutable
parallel safe
set search_path = ''
as $$
    -- As a network, so that it is seen that it was shortened.
    select network(set_masklen(p_address, least(masklen(p_address), case family(p_address) when 4 then 24 else 48 end)))
$$;

comment on function ops.shortened(inet) is
    'An address without what names a household: the first 24 bits of an IPv4 address, the first 48 of an IPv6 one.';

create or replace function ops.has_addresses(p_kept ops.kept_tables)
returns boolean
language sql
stable
set search_path = ''
as $$
    select exists (
        select
        from pg_attribute
        where attrelid = to_regclass(p_kept.table_name) and attname = 'ip_address' and atttypid = 'inet'::regtype
            and not attisdropped
    )
$$;

comment on function ops.has_addresses(ops.kept_tables) is 'Whether rows of a kept table have addresses of networks.';

create or replace function ops.shorten_part(
    p_kept ops.kept_tables,
    p_until timestamptz,
    p_limit integer,
    out rows bigint,
    out reached timestamptz
)
language plpgsql
set search_path = ''
-- Whoever writes may wait behind this.
set lock_timeout = '100ms'
as $$
declare
    v_first timestamptz;
    v_to timestamptz;
    v_long bigint;
begin
    execute format(
        'select %s from %s limit 1', ops.row_time(p_kept.name), ops.past_rows(p_kept.name)
    )
    into v_first
    using coalesce(p_kept.shortened_to, '-infinity'), p_until;
    -- An hour at a time: whatever its rows are, they are looked at quickly.
    v_to := least(p_until, v_first + interval '1 hour');
    execute format(
        $statement$
        with long as materialized (
            select found.place
            from (select ctid as place, ip_address from %1$s) as found
            where found.ip_address <> ops.shortened(found.ip_address)
            limit $3
        ),
        changed as (
            update %2$s
            set ip_address = ops.shortened(ip_address)
            where ctid = any (
                array(
                    select held.ctid
                    from %2$s as held
                    where held.ctid = any (array(select place from long))
                    for update skip locked
                )
            )
            returning 1
        )
        select (select count(*) from long), (select count(*) from changed)
        $statement$,
        ops.past_rows(p_kept.name), p_kept.table_name
    )
    into v_long, rows
    using v_first, v_to, p_limit;
    reached := case
        when v_first is null then p_until
        -- There may be more, or rows that somebody else holds.
        when v_long = p_limit or rows < v_long then v_first
        else v_to
    end;
end
$$;

comment on function ops.shorten_part(ops.kept_tables, timestamptz, integer) is
    'Shortens addresses of rows of before a time, at most so many; reached is the time up to which none is left.';

create or replace function ops.shorten_kept(
    p_kept ops.kept_tables,
    p_until timestamptz,
    p_limit integer
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_began timestamptz := clock_timestamp();
    v_from timestamptz;
    v_part record;
begin
    loop
        v_from := p_kept.shortened_to;
        select * into v_part from ops.shorten_part(p_kept, p_until, p_limit);
        p_kept.shortened_to := v_part.reached;
        exit when v_part.rows > 0 or v_part.reached >= p_until or clock_timestamp() > v_began + interval '50 milliseconds';
        if v_part.reached is not distinct from v_from then
            return jsonb_build_object('outcome', 'hindered', 'table', p_kept.name, 'reason', 'somebody else holds its rows');
        end if;
    end loop;
    update ops.kept_tables
    -- Rows may come late: those of the last day are looked at by the next run again.
    set shortened_to = case when v_part.reached < p_until then v_part.reached else p_until - interval '24 hours' end
    where name = p_kept.name;
    return jsonb_build_object(
        'outcome', 'more',
        'table', p_kept.name,
        'rows', v_part.rows,
        'milliseconds', round(1000 * extract(epoch from clock_timestamp() - v_began))
    );
exception
    when lock_not_available then
        return jsonb_build_object('outcome', 'hindered', 'table', p_kept.name, 'reason', 'somebody else holds a lock on it');
    -- A trigger of the application that refuses; the other tables go on.
    when others then
        return jsonb_build_object('outcome', 'hindered', 'table', p_kept.name, 'reason', left(sqlerrm, 300));
end
$$;

comment on function ops.shorten_kept(ops.kept_tables, timestamptz, integer) is
    'Shortens a part of the addresses in a table, and says of how many rows, or what kept it from doing so.';

create or replace function public.ops_shorten_addresses(
    p_run uuid,
    p_fence bigint,
    p_skipped text[] default '{}',
    p_limit integer default 2000,
    p_now timestamptz default null
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_days integer := (ops.read_settings() ->> 'privacy.address_days')::integer;
    v_run ops.runs;
    v_until timestamptz;
    v_kept ops.kept_tables;
begin
    perform ops.hold_functions();
    perform ops.check_number('limit', p_limit, 1, 50000);
    v_run := ops.lock_run(p_run, p_fence);
    if v_run.outcome <> 'running' then
        return jsonb_build_object('outcome', 'superseded');
    end if;
    -- The same for all parts of a run, so that it comes to an end.
    v_until := coalesce(p_now, v_run.started_at) - make_interval(hours => 24 * v_days);
    select kept.* into v_kept
    from ops.kept_tables as kept
    where
        v_days > 0
        and kept.name <> all (p_skipped)
        and coalesce(kept.shortened_to, '-infinity') < v_until
        -- Where a table stands that this run is done with.
        and kept.shortened_to is distinct from v_until - interval '24 hours'
        and ops.has_addresses(kept)
    order by kept.place
    limit 1
    for update;
    if not found then
        return jsonb_build_object('outcome', 'done');
    end if;
    return ops.shorten_kept(v_kept, v_until, p_limit);
end
$$;

comment on function public.ops_shorten_addresses(uuid, bigint, text[], integer, timestamptz) is
    'Shortens at most p_limit addresses of networks that are older than privacy.address_days in the next table that is not among p_skipped. The answer is more with the table, done if nothing is left, hindered with table and reason if it could not, and superseded if another run has taken over.';
