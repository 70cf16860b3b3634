-- Readings of the platforms' own APIs: a function asks what is due, reads it, and stores what
-- it found or why it could not. A row is written where something has changed.

create or replace function public.ops_claim_platform_readings(p_sources text[], p_now timestamptz default null)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_due text[];
begin
    perform ops.hold_functions();
    perform ops.check_word('source', named, ops.words('ops.platform_source')) from unnest(p_sources) as named;

    insert into ops.platform_watches as known (source, watched)
    select named, named = any (p_sources) from unnest(ops.words('ops.platform_source')) as named
    on conflict (source) do update
    set watched = excluded.watched
    where known.watched <> excluded.watched;

    with due as (
        update ops.platform_watches
        set asked_at = v_now
        where watched and coalesce(asked_at <= v_now - interval '55 minutes', true)
        returning source
    )
    select array_agg(source::text order by source) into v_due from due;
    return jsonb_build_object('sources', coalesce(v_due, '{}'));
end
$$;

comment on function public.ops_claim_platform_readings(text[], timestamptz) is
    'Notes what can be read of the platforms, and returns what of it is to be read now: nothing within 55 minutes of the last time.';

create or replace function public.ops_store_platform_reading(
    p_source text,
    p_document jsonb,
    p_error text,
    p_now timestamptz default null
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_newest ops.platform_readings;
    v_error text := case when p_document is null then left(coalesce(p_error, 'unknown'), 300) end;
begin
    perform ops.hold_functions();
    perform ops.check_word('source', p_source, ops.words('ops.platform_source'));
    perform ops.check_platform_document(p_source, p_document);

    perform from ops.platform_watches where source = p_source for update;
    select * into v_newest
    from ops.platform_readings
    where source = p_source
    order by id desc
    limit 1;
    if v_newest.document is not distinct from p_document and v_newest.error is not distinct from v_error
        and v_newest.id is not null
    then
        update ops.platform_readings set last_at = greatest(last_at, v_now) where id = v_newest.id;
        return jsonb_build_object('changed', false);
    end if;
    insert into ops.platform_readings (source, document, error, first_at, last_at)
    values (p_source, p_document, v_error, v_now, v_now);
    return jsonb_build_object('changed', true);
end
$$;

comment on function public.ops_store_platform_reading(text, jsonb, text, timestamptz) is
    'Stores what was read of a platform, or why it could not be read, and returns whether that is something new. The same again moves the time of the newest row.';

create or replace function ops.check_platform_document(p_source text, p_document jsonb)
returns void
language plpgsql
stable
set search_path = ''
as $$
begin
    -- Whoever reads it later casts these; what cannot be cast must not stand in their way.
    case
        when p_document is null then
            return;
        when p_source = 'provider_backups' then
            perform (p_document ->> 'latestPhysical')::timestamptz, (p_document ->> 'pitr')::boolean;
            perform (backup ->> 'at')::timestamptz, backup ->> 'status'
            from jsonb_array_elements(p_document -> 'backups') as backup;
        when p_source = 'database_host' then
            perform (p_document ->> named)::numeric
            from unnest('{cpuSeconds,cpuBusySeconds,memoryBytes,memoryFreeBytes,diskBytes,diskFreeBytes}'::text[]) as named;
        else
            perform
                (p_document ->> 'assigns')::boolean,
                (p_document #>> '{live,at}')::timestamptz,
                (p_document #>> '{change,at}')::timestamptz;
    end case;
exception
    when data_exception then
        perform ops.refuse('document', 'what ' || p_source || ' is read as', left(p_document::text, 200));
end
$$;

comment on function ops.check_platform_document(text, jsonb) is
    'Refuses what no reading of that source looks like with SQLSTATE 22023.';

create or replace function ops.newest_reading(p_source text)
returns ops.platform_readings
language sql
stable
set search_path = ''
as $$
    select *
    from ops.platform_readings
    where source = p_source and document is not null
    order by id desc
    limit 1
$$;

comment on function ops.newest_reading(text) is 'The newest reading of a source that could be read.';

create or replace function ops.reading_error(p_source text)
returns text
language sql
stable
set search_path = ''
as $$
    select error
    from ops.platform_readings
    where source = p_source
    order by id desc
    limit 1
$$;

comment on function ops.reading_error(text) is 'Why a source could not be read when it was last tried; null if it could.';

create or replace function ops.forget_platform_readings(p_limit integer, p_now timestamptz)
returns bigint
language plpgsql
set search_path = ''
as $$
declare
    v_deleted bigint;
begin
    delete from ops.platform_readings
    where id = any (array(
        select reading.id
        from ops.platform_readings as reading
        where reading.last_at < p_now - interval '35 days'
            and exists (
                select
                from ops.platform_readings as later
                where later.source = reading.source and later.id > reading.id and later.document is not null
            )
            -- Since when production is pinned must not be forgotten while it is.
            and reading.id < (select min(pin.id) from ops.pin_readings(reading.source) as pin)
        limit p_limit
    ));
    get diagnostics v_deleted = row_count;
    return v_deleted;
end
$$;

comment on function ops.forget_platform_readings(integer, timestamptz) is
    'Deletes readings that are older than 35 days and say nothing of what holds now; returns how many.';
