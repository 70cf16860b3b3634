-- Deleting by age, a bounded part a call. A part waits for nobody longer than a tenth of a
-- second, takes no row that somebody else holds, and says what kept it from deleting; the next
-- run tries again. What it deleted and the record of that are one transaction.

create or replace function ops.count_incident_users(p_limit integer, p_now timestamptz)
returns integer
language plpgsql
set search_path = ''
as $$
declare
    v_counted integer;
begin
    insert into ops.incident_users as known (incident, resolved_at, users, counted_at)
    select
        over.id, over.resolved_at,
        ops.users_hit(over.started_at, over.resolved_at, ops.incident_environment(over.id)), p_now
    from (
        select incident.id, incident.started_at, incident.resolved_at
        from ops.incidents as incident
        left join ops.incident_users as counted on counted.incident = incident.id
        where incident.resolved_at <= p_now and counted.resolved_at is distinct from incident.resolved_at
        order by incident.started_at
        limit p_limit
    ) as over
    on conflict (incident) do update
    set resolved_at = excluded.resolved_at, users = excluded.users, counted_at = excluded.counted_at;
    get diagnostics v_counted = row_count;
    return v_counted;
end
$$;

comment on function ops.count_incident_users(integer, timestamptz) is
    'Counts the users of incidents that are over, while their rows are there, and returns of how many.';

create or replace function ops.note_forgotten(
    p_table text,
    p_rows bigint,
    p_partitions integer,
    p_from timestamptz,
    p_to timestamptz,
    p_now timestamptz
)
returns void
language plpgsql
set search_path = ''
as $$
begin
    if p_rows = 0 and p_partitions = 0 then
        return;
    end if;
    insert into ops.forgotten_rows as known (day, table_name, rows, partitions, from_at, to_at)
    values ((p_now at time zone 'UTC')::date, p_table, p_rows, p_partitions, p_from, p_to)
    on conflict (day, table_name) do update
    set
        rows = known.rows + excluded.rows,
        partitions = known.partitions + excluded.partitions,
        from_at = least(known.from_at, excluded.from_at),
        to_at = greatest(known.to_at, excluded.to_at);
end
$$;

comment on function ops.note_forgotten(text, bigint, integer, timestamptz, timestamptz, timestamptz) is
    'Records that rows were deleted by age.';

create or replace function ops.forget_past_rows(
    p_kept ops.kept_tables,
    p_until timestamptz,
    p_limit integer,
    out forgotten bigint,
    out from_at timestamptz,
    out to_at timestamptz
)
language plpgsql
set search_path = ''
-- Whoever writes may wait behind this.
set lock_timeout = '100ms'
as $$
begin
    execute format(
        $statement$
        with gone as (
            delete from %1$s
            where ctid = any (array(select ctid from %2$s limit $3 for update skip locked))
            returning %3$s as at
        )
        select count(*), min(at), max(at) from gone
        $statement$,
        p_kept.table_name, ops.past_rows(p_kept.name), ops.row_time(p_kept.name)
    )
    into forgotten, from_at, to_at
    using coalesce(p_kept.reached_at, '-infinity'), p_until, p_limit;
end
$$;

comment on function ops.forget_past_rows(ops.kept_tables, timestamptz, integer) is
    'Deletes rows of before a time, at most so many, and none that somebody else has locked.';

create or replace function ops.retention_hindrance(p_kept ops.kept_tables, p_settings jsonb)
returns text
language plpgsql
stable
set search_path = ''
as $$
begin
    return case
        when p_kept.name = 'items' then null
        when not (p_settings ->> 'retention.application')::boolean then 'retention.application is false'
        when exists (
            select
            from ops.counted_tables
            where not finished and format('public.%s', name) = p_kept.table_name
        )
        then 'its rows of before the triggers are not all counted yet'
    end;
end
$$;

comment on function ops.retention_hindrance(ops.kept_tables, jsonb) is
    'Why nothing of a table may be deleted now; null where it may.';

create or replace function ops.oldest_kept(p_kept ops.kept_tables)
returns timestamptz
language plpgsql
stable
set search_path = ''
as $$
declare
    v_oldest timestamptz;
begin
    if p_kept.name = 'items' then
        return (select min(day_from)::timestamp at time zone 'UTC' from ops.item_days());
    end if;
    execute format('select min(%s) from %s%s',
        ops.row_time(p_kept.name), p_kept.table_name, case p_kept.name when 'error_logs' then ' where resolved' when 'unresolved_errors' then ' where resolved is not true' end)
    into v_oldest;
    return v_oldest;
end
$$;

comment on function ops.oldest_kept(ops.kept_tables) is 'The time of the oldest row of a kept table.';

create or replace function ops.forget_kept(p_kept ops.kept_tables, p_limit integer, p_now timestamptz)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_settings jsonb := ops.read_settings();
    v_began timestamptz := clock_timestamp();
    v_until timestamptz := ops.kept_from(p_kept.class, v_settings, p_now);
    v_hindrance text := ops.retention_hindrance(p_kept, v_settings);
    v_rows bigint := 0;
    v_from timestamptz;
    v_to timestamptz;
    v_partitions integer := 0;
    v_left boolean := false;
begin
    if v_hindrance is null then
        begin
            if p_kept.name = 'items' then
                select dropped, day_from, day_to, partitions, is_left
                into v_rows, v_from, v_to, v_partitions, v_left
                from ops.drop_item_day((v_until at time zone 'UTC')::date, p_limit);
            else
                select forgotten, from_at, to_at into v_rows, v_from, v_to
                from ops.forget_past_rows(p_kept, v_until, p_limit);
                v_left := v_rows >= p_limit;
            end if;
            perform ops.note_forgotten(
                p_kept.table_name, v_rows, v_partitions, v_from, v_to, p_now
            );
        exception
            when lock_not_available then
                v_hindrance := 'somebody else holds a lock on it';
            -- A trigger or a key of the application that refuses; the other tables go on.
            when others then
                v_hindrance := left(sqlerrm, 300);
        end;
    end if;
    update ops.kept_tables
    set
        tried_at = p_now,
        hindrance = v_hindrance,
        reached_at = case when v_left then coalesce(v_to, reached_at) end,
        ended_at = case when v_left or v_hindrance is not null then ended_at else p_now end,
        oldest_at = case when v_left or v_hindrance is not null then oldest_at else ops.oldest_kept(p_kept) end
    where name = p_kept.name;
    return jsonb_build_object(
        'outcome', case when v_hindrance is not null then 'hindered' when v_left then 'more' else 'done' end,
        'rows', case when v_hindrance is null then v_rows else 0 end,
        'partitions', case when v_hindrance is null then v_partitions else 0 end,
        'milliseconds', round(1000 * extract(epoch from clock_timestamp() - v_began)),
        'reason', v_hindrance
    );
end
$$;

comment on function ops.forget_kept(ops.kept_tables, integer, timestamptz) is
    'Deletes a part of what is past of a table, notes it, and says whether there is more, or what kept it from deleting.';

create or replace function public.ops_forget_rows(
    p_run uuid,
    p_fence bigint,
    p_name text,
    p_limit integer default 2000,
    p_now timestamptz default null
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_run ops.runs;
    v_kept ops.kept_tables;
begin
    perform ops.hold_functions();
    perform ops.check_number('limit', p_limit, 1, 50000);
    v_run := ops.lock_run(p_run, p_fence);
    if v_run.outcome <> 'running' then
        return jsonb_build_object('outcome', 'superseded');
    end if;
    select * into v_kept from ops.kept_tables where name = p_name for update;
    if not found then
        perform ops.refuse('name', 'the name of a kept table', p_name);
    end if;
    -- Whom incidents hit is known from rows that may be deleted next.
    if ops.count_incident_users(20, v_now) = 20 then
        return jsonb_build_object('outcome', 'more', 'rows', 0, 'partitions', 0, 'milliseconds', 0, 'reason', null);
    end if;
    return ops.forget_kept(v_kept, p_limit, v_now);
end
$$;

comment on function public.ops_forget_rows(uuid, bigint, text, integer, timestamptz) is
    'Deletes at most p_limit rows of a table that are older than they are kept, or one partition. The answer is more if there is work left, done if there is none, hindered with the reason if it could not, and superseded if another run has taken over.';
