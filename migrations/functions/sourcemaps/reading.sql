-- Reading source maps: what there is, and the one that a frame of an error needs.

create or replace function ops.source_map_document(p_map ops.source_maps)
returns jsonb
language sql
immutable
set search_path = ''
as $$
    select jsonb_build_object(
        'release', p_map.release,
        'file', p_map.file,
        'debugId', p_map.debug_id,
        'content', p_map.content,
        'parts', p_map.parts,
        'size', p_map.size,
        'uploadedAt', p_map.uploaded_at,
        'uploadedBy', p_map.uploaded_by
    )
$$;

comment on function ops.source_map_document(ops.source_maps) is 'Returns a source map as callers see it, without its content.';

create or replace function public.ops_list_source_maps(p_release text default null)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_build_object(
        'releases', (
            select coalesce(jsonb_agg(to_jsonb(listed) order by listed."uploadedAt" desc, listed.release), '[]')
            from (
                select
                    named.release,
                    count(*) as maps,
                    sum(named.size) as size,
                    max(named.uploaded_at) as "uploadedAt",
                    (
                        select max(known.last_error_at)
                        from ops.releases as known
                        where known.release = named.release
                    ) as "lastErrorAt"
                from ops.source_maps as named
                where p_release is null or named.release = p_release
                group by named.release
                order by 4 desc, named.release
                limit 200
            ) as listed
        ),
        'maps', (
            select coalesce(jsonb_agg(ops.source_map_document(listed) order by listed.file, listed.uploaded_at desc), '[]')
            from (
                select *
                from ops.source_maps as named
                where named.release = p_release
                order by named.file, named.uploaded_at desc
                limit 2000
            ) as listed
        )
    )
$$;

comment on function public.ops_list_source_maps(text) is
    'Lists the newest 200 versions that have source maps, or one, and of one its first 2,000 maps by name.';

create or replace function ops.find_source_map(p_debug_id text, p_release text, p_file text)
returns ops.source_maps
language plpgsql
stable
set search_path = ''
as $$
declare
    v_map ops.source_maps;
begin
    if p_debug_id ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then
        select *
        into v_map
        from ops.source_maps
        where debug_id = p_debug_id::uuid
        order by uploaded_at desc, content
        limit 1;
    end if;
    if v_map.content is null then
        select *
        into v_map
        from ops.source_maps
        where release = p_release and file = p_file
        order by uploaded_at desc, content
        limit 1;
    end if;
    return v_map;
end
$$;

comment on function ops.find_source_map(text, text, text) is
    'Returns the source map of a file: by its debug id, else the one that was uploaded last for that file of that version; null if there is none.';

create or replace function public.ops_find_source_maps(p_files jsonb)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
    if coalesce(jsonb_typeof(p_files), 'null') <> 'array' or jsonb_array_length(p_files) > 500 then
        perform ops.refuse('files', 'an array of at most 500', ops.describe_size(p_files));
    end if;
    return jsonb_build_object(
        'found', (
            select coalesce(
                jsonb_agg(
                    jsonb_build_object(
                        'map', case when nearest.content is not null then ops.source_map_document(nearest) end,
                        'mapsOfRelease', (
                            select count(*) from ops.source_maps as named where named.release = wanted.file ->> 'release'
                        )
                    )
                    order by wanted.nth
                ),
                '[]'
            )
            from jsonb_array_elements(p_files) with ordinality as wanted (file, nth)
            cross join lateral ops.find_source_map(
                lower(wanted.file ->> 'debugId'), wanted.file ->> 'release', wanted.file ->> 'file'
            ) as nearest
        )
    );
end
$$;

comment on function public.ops_find_source_maps(jsonb) is
    'Returns for each file, given as debugId, release and file, its source map or null, in the order in which they were asked for, and how many maps its version has.';

create or replace function public.ops_read_source_map(p_content text, p_part integer)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
    perform ops.check_content(p_content);
    return jsonb_build_object(
        'bytes', (
            select translate(encode(kept.bytes, 'base64'), E'\n', '')
            from ops.source_map_parts as kept
            where kept.content = p_content and kept.part = p_part
        )
    );
end
$$;

comment on function public.ops_read_source_map(text, integer) is
    'Returns a part of a content in base64; null if there is none.';
