-- The archive: rows that go are read a part at a time, written to a store by the function, and
-- deleted once they were read back there, if they are still as they were read.

create or replace function ops.is_clear(p_table text, p_column text)
returns boolean
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
begin
    if p_table = 'ops.items' then
        return p_column = any ('{day,id,kind,at,received_at,source,key,environment,release,name,method,status,value}'::text[]);
    end if;
    -- A column that the application adds tomorrow may be personal.
    return p_column = any ('{
        id,timestamp,created_at,environment,event_name,name,value,unit,severity,resolved,resolved_at,metric_name,
        metric_value,service_name,status,response_time,error_rate,uptime_percentage,session_start,session_end,
        duration_seconds,page_views,events_count,device_type,feature_name,usage_count,first_used,last_used,
        success_rate,average_duration,date,method,status_code,request_size,response_size
    }'::text[]);
end
$$;

comment on function ops.is_clear(text, text) is
    'Whether a column of a kept table is known to say nothing of a person. Ids of rows, times, numbers and names of what was counted are; free text, addresses, ids of people and whatever is not known are not.';

create or replace function ops.archive_columns(p_table text)
returns table (name text, kind text, scale integer, is_clear boolean, value text)
language plpgsql
stable
set search_path = ''
as $$
begin
    return query
    select
        att.attname::text,
        kept.kind,
        case kept.kind when 'decimal' then (att.atttypmod - 4) & 65535 end,
        ops.is_clear(p_table, att.attname),
        case kept.kind
            when 'timestamp' then format(
                'case when isfinite(%1$I) then (1000000 * extract(epoch from %1$I))::bigint::text end', att.attname
            )
            else format('%I::text', att.attname)
        end
    from pg_attribute as att
    join pg_type as typ on typ.oid = att.atttypid
    cross join lateral (
        select case
            when typ.typname in ('int2', 'int4', 'int8') then 'integer'
            when typ.typname = 'numeric' and att.atttypmod >= 4 and ((att.atttypmod - 4) >> 16) & 65535 <= 18 then 'decimal'
            when typ.typname in ('float4', 'float8', 'numeric') then 'double'
            when typ.typname = 'bool' then 'boolean'
            when typ.typname = 'timestamptz' then 'timestamp'
            else 'text'
        end as kind
    ) as kept
    where att.attrelid = p_table::regclass and att.attnum > 0 and not att.attisdropped
    order by att.attnum;
end
$$;

comment on function ops.archive_columns(text) is
    'The columns of a table as the archive has them, with the expression that makes a text of a value. A decimal is exact: of at most 18 digits, scale of them behind the point.';

create or replace function ops.read_past_rows(p_kept ops.kept_tables, p_until timestamptz, p_limit integer)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
    v_part jsonb;
begin
    execute format(
        $statement$
        with past as materialized (
            select id, %1$s as at, array[%2$s]::text[] as cells, %3$I::text as line from %4$s limit $3
        ),
        oldest as (select (min(at) at time zone 'UTC')::date as day from past),
        part as (select past.*, oldest.day from past join oldest on (past.at at time zone 'UTC')::date = oldest.day)
        select jsonb_build_object(
            'day', max(day),
            'rows', jsonb_agg(to_jsonb(cells) order by id),
            'ids', jsonb_agg(id order by id),
            'digest', md5(string_agg(line, chr(10) order by id))
        )
        from part
        having count(*) > 0
        $statement$,
        ops.row_time(p_kept.name),
        (select string_agg(value, ', ') from ops.archive_columns(p_kept.table_name)),
        split_part(p_kept.table_name, '.', 2),
        ops.past_rows(p_kept.name)
    )
    into v_part
    using '-infinity'::timestamptz, p_until, p_limit;
    return v_part;
end
$$;

comment on function ops.read_past_rows(ops.kept_tables, timestamptz, integer) is
    'The oldest rows of a table that are past, at most so many and all of one day, with a digest of what is in them; null where there are none.';

create or replace function public.ops_read_past_rows(
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
    v_settings jsonb;
    v_hindrance text;
    v_part jsonb;
begin
    perform ops.hold_functions();
    perform ops.check_number('limit', p_limit, 1, 10000);
    v_run := ops.lock_run(p_run, p_fence);
    if v_run.outcome <> 'running' then
        return jsonb_build_object('outcome', 'superseded');
    end if;
    select * into v_kept from ops.kept_tables where name = p_name for update;
    if not found then
        perform ops.refuse('name', 'the name of a kept table', p_name);
    end if;
    v_settings := ops.read_settings();
    v_hindrance := ops.retention_hindrance(v_kept, v_settings);
    if v_hindrance is not null then
        perform ops.note_hindrance(v_kept, v_hindrance, v_now);
        return jsonb_build_object('outcome', 'hindered', 'reason', v_hindrance);
    end if;
    -- Whom incidents hit is known from rows that may be deleted next.
    perform ops.count_incident_users(20, v_now);
    v_part := ops.read_past_rows(v_kept, ops.kept_from(v_kept.class, v_settings, v_now), p_limit);
    if v_part is null and v_kept.name = 'items' then
        -- Partitions that hold nothing any more are dropped one by one.
        return jsonb_build_object('outcome', 'done');
    elsif v_part is null then
        -- What is left for the others of a part to do, and when it ended.
        perform ops.forget_kept(v_kept, 1, v_now);
        return jsonb_build_object('outcome', 'done');
    end if;
    return v_part || jsonb_build_object(
        'outcome', 'rows',
        'table', split_part(v_kept.table_name, '.', 2),
        'columns', (
            select jsonb_agg(
                jsonb_build_object('name', known.name, 'kind', known.kind, 'scale', known.scale, 'clear', known.is_clear)
            )
            from ops.archive_columns(v_kept.table_name) as known
        )
    );
end
$$;

comment on function public.ops_read_past_rows(uuid, bigint, text, integer, timestamptz) is
    'Reads the oldest rows of a table that are older than they are kept, all of one day, so that they can be archived. The answer is rows with them, done if there are none, hindered with the reason if they may not go, and superseded if another run has taken over.';

create or replace function ops.note_hindrance(p_kept ops.kept_tables, p_reason text, p_now timestamptz)
returns void
language plpgsql
set search_path = ''
as $$
begin
    update ops.kept_tables set tried_at = p_now, hindrance = left(p_reason, 300) where name = p_kept.name;
end
$$;

comment on function ops.note_hindrance(ops.kept_tables, text, timestamptz) is 'Notes why nothing of a table could be deleted.';

create or replace function ops.forget_archived(
    p_kept ops.kept_tables,
    p_ids uuid[],
    p_digest text,
    p_now timestamptz
)
returns bigint
language plpgsql
set search_path = ''
-- Whoever writes may wait behind this.
set lock_timeout = '100ms'
as $$
declare
    v_rows bigint;
    v_from timestamptz;
    v_to timestamptz;
    v_digest text;
begin
    execute format(
        $statement$
        with gone as (
            delete from %1$s where id = any ($1) and %4$s returning id, %2$s as at, %3$I::text as line
        )
        select count(*) as rows, min(at) as from_at, max(at) as to_at, md5(string_agg(line, chr(10) order by id)) as digest
        from gone
        $statement$,
        p_kept.table_name, ops.row_time(p_kept.name), split_part(p_kept.table_name, '.', 2),
        -- A part is of the oldest day, and other partitions need not be looked at.
        case p_kept.name when 'items' then 'day = (select min(day) from ops.items)' else 'true' end
    )
    into v_rows, v_from, v_to, v_digest
    using p_ids;
    if v_digest is distinct from p_digest then
        raise exception 'the rows changed since they were archived' using errcode = 'OPS01';
    end if;
    perform ops.note_forgotten(p_kept.table_name, v_rows, 0, v_from, v_to, p_now);
    update ops.forgotten_rows
    set archived = archived + v_rows
    where day = (p_now at time zone 'UTC')::date and table_name = p_kept.table_name;
    return v_rows;
end
$$;

comment on function ops.forget_archived(ops.kept_tables, uuid[], text, timestamptz) is
    'Deletes rows that lie in the archive, all of them or none: none if they are not as they were archived.';

create or replace function public.ops_forget_archived(
    p_run uuid,
    p_fence bigint,
    p_name text,
    p_ids uuid[],
    p_digest text,
    p_reason text default null,
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
    v_rows bigint := 0;
    v_hindrance text := p_reason;
begin
    perform ops.hold_functions();
    v_run := ops.lock_run(p_run, p_fence);
    if v_run.outcome <> 'running' then
        return jsonb_build_object('outcome', 'superseded');
    end if;
    select * into v_kept from ops.kept_tables where name = p_name for update;
    if not found then
        perform ops.refuse('name', 'the name of a kept table', p_name);
    end if;
    if v_hindrance is null then
        begin
            v_rows := ops.forget_archived(v_kept, p_ids, p_digest, v_now);
        exception
            when lock_not_available then
                v_hindrance := 'somebody else holds a lock on it';
            when others then
                v_hindrance := left(sqlerrm, 300);
        end;
    end if;
    perform ops.note_hindrance(v_kept, v_hindrance, v_now);
    return jsonb_build_object(
        'outcome', case when v_hindrance is null then 'done' else 'hindered' end, 'rows', v_rows, 'reason', v_hindrance
    );
end
$$;

comment on function public.ops_forget_archived(uuid, bigint, text, uuid[], text, text, timestamptz) is
    'Deletes rows that were archived and read back, if they are as they were; p_reason notes instead why they could not be archived. The answer is done with how many, or hindered with the reason.';
