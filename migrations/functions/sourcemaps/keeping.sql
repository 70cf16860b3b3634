-- Keeping source maps: contents first, in parts, and then which files of a version they are
-- of. An upload that was cut off is taken up where it was; whatever is sent twice changes
-- nothing.

create or replace function ops.check_content(p_content text)
returns void
language plpgsql
immutable
set search_path = ''
as $$
begin
    if p_content is null or p_content !~ '^[0-9a-f]{64}$' then
        perform ops.refuse('content', 'a SHA-256 in lower case', p_content);
    end if;
end
$$;

comment on function ops.check_content(text) is 'Refuses with SQLSTATE 22023 what is no name of a content.';

create or replace function public.ops_missing_source_maps(p_contents text[])
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
    perform ops.check_number('contents', coalesce(cardinality(p_contents), 0), 0, 1000);
    return jsonb_build_object(
        'missing', (
            select coalesce(jsonb_agg(distinct wanted.content), '[]')
            from unnest(p_contents) as wanted (content)
            where not exists (select from ops.source_maps as known where known.content = wanted.content)
        )
    );
end
$$;

comment on function public.ops_missing_source_maps(text[]) is
    'Returns those of these contents that no source map has yet, and that have to be uploaded.';

create or replace function public.ops_put_source_map_part(
    p_content text,
    p_part integer,
    p_bytes text,
    p_now timestamptz default null
)
returns jsonb
language plpgsql
set search_path = ''
as $$
begin
    perform ops.hold_functions();
    perform ops.check_content(p_content);
    perform ops.check_number('part', p_part, 0, 31);
    -- Refused before it is decoded.
    perform ops.check_number('bytes in base64', length(p_bytes), 1, 1500000);
    insert into ops.source_map_parts as known (content, part, bytes, uploaded_at)
    values (p_content, p_part, decode(p_bytes, 'base64'), coalesce(p_now, now()))
    on conflict (content, part) do update
    set bytes = excluded.bytes, uploaded_at = excluded.uploaded_at
    where not exists (select from ops.source_maps as named where named.content = excluded.content);
    return jsonb_build_object('part', p_part);
end
$$;

comment on function public.ops_put_source_map_part(text, integer, text, timestamptz) is
    'Keeps a part of a content, of at most 1 MiB and given in base64. Whatever a source map has is never changed.';

create or replace function ops.name_source_map(
    p_release text,
    p_map jsonb,
    p_by text,
    p_now timestamptz
)
returns text
language plpgsql
set search_path = ''
as $$
declare
    v_map ops.source_maps;
    v_whole text;
begin
    select * into v_map from jsonb_populate_record(null::ops.source_maps, p_map);
    v_map.release := p_release;
    v_map.uploaded_at := p_now;
    v_map.uploaded_by := p_by;
    if not exists (select from ops.source_maps as known where known.content = v_map.content) then
        select encode(sha256(string_agg(kept.bytes, '' order by kept.part)), 'hex')
        into v_whole
        from ops.source_map_parts as kept
        where kept.content = v_map.content and kept.part < v_map.parts;
        if v_whole is distinct from v_map.content then
            return 'its content is not there whole';
        end if;
    end if;
    insert into ops.source_maps as known values (v_map.*)
    on conflict (release, file, content) do update
    set uploaded_at = excluded.uploaded_at, uploaded_by = excluded.uploaded_by, debug_id = excluded.debug_id;
    return null;
exception
    when data_exception or integrity_constraint_violation then
        return 'a release, file, debug id or size that cannot be';
end
$$;

comment on function ops.name_source_map(text, jsonb, text, timestamptz) is
    'Notes which file of a version a content is the source map of. Returns null, or why it cannot be noted.';

create or replace function public.ops_name_source_maps(
    p_release text,
    p_maps jsonb,
    p_by text,
    p_now timestamptz default null
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_by text;
    v_refused jsonb;
begin
    perform ops.hold_functions();
    v_by := ops.check_by(p_by);
    perform ops.check_length('release', p_release, 100);
    if coalesce(jsonb_typeof(p_maps), 'null') <> 'array' or jsonb_array_length(p_maps) > 1000 then
        perform ops.refuse('maps', 'an array of at most 1000', ops.describe_size(p_maps));
    end if;
    select coalesce(jsonb_agg(jsonb_build_object('file', named.map -> 'file', 'reason', named.reason)), '[]')
    into v_refused
    from (
        select listed.map, ops.name_source_map(p_release, listed.map, v_by, coalesce(p_now, now())) as reason
        from jsonb_array_elements(p_maps) as listed (map)
    ) as named
    where named.reason is not null;
    return jsonb_build_object('refused', v_refused);
end
$$;

comment on function public.ops_name_source_maps(text, jsonb, text, timestamptz) is
    'Notes which files of a version contents are the source maps of, one by one, and returns those that cannot be noted, with why.';

create or replace function ops.forget_contents(p_limit integer, p_before timestamptz)
returns bigint
language plpgsql
set search_path = ''
as $$
declare
    v_deleted bigint;
begin
    delete from ops.source_map_parts
    where ctid = any (array(
        select kept.ctid
        from ops.source_map_parts as kept
        where kept.uploaded_at < p_before
            and not exists (select from ops.source_maps as named where named.content = kept.content)
        limit p_limit
    ));
    get diagnostics v_deleted = row_count;
    return v_deleted;
end
$$;

comment on function ops.forget_contents(integer, timestamptz) is
    'Deletes contents that no source map has and that were uploaded before a time. Returns how many parts it deleted.';

create or replace function public.ops_delete_source_maps(p_release text, p_now timestamptz default null)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_deleted bigint;
begin
    perform ops.hold_functions();
    delete from ops.source_maps where release = p_release;
    get diagnostics v_deleted = row_count;
    if v_deleted = 0 then
        perform ops.refuse('release', 'a release with source maps', p_release);
    end if;
    -- An upload that is under way names its contents within the hour.
    perform ops.forget_contents(1000, coalesce(p_now, now()) - interval '1 hour');
    return jsonb_build_object('release', p_release, 'deleted', v_deleted);
end
$$;

comment on function public.ops_delete_source_maps(text, timestamptz) is
    'Deletes the source maps of a version, and contents that no other version has.';

create or replace function ops.forget_source_maps(p_limit integer, p_now timestamptz)
returns bigint
language plpgsql
set search_path = ''
as $$
declare
    v_deleted bigint;
begin
    delete from ops.source_maps
    where ctid = any (array(
        select named.ctid
        from ops.source_maps as named
        where named.uploaded_at < p_now - interval '90 days'
            and not exists (
                select
                from ops.releases as known
                where known.release = named.release and known.last_error_at >= p_now - interval '90 days'
            )
        limit p_limit
    ));
    get diagnostics v_deleted = row_count;
    return greatest(v_deleted, ops.forget_contents(p_limit, p_now - interval '1 day'));
end
$$;

comment on function ops.forget_source_maps(integer, timestamptz) is
    'Deletes source maps that were uploaded 90 days ago and whose version had no error since, and contents that none has. Returns how many it deleted of either.';
