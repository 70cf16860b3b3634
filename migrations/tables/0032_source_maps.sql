-- Source maps: by which the frames of an error in a build lead to the code that somebody
-- wrote. They are kept here and nowhere in public; and since when a version of the app has
-- had no error, so that its maps go.

alter table ops.releases add column last_seen timestamptz;
alter table ops.releases add column last_error_at timestamptz;

comment on column ops.releases.last_seen is 'When it sent something last, to the day; null where nothing came since this is noted.';
comment on column ops.releases.last_error_at is 'When it sent an error last, to the day; null for never.';

create index releases_first_seen_idx on ops.releases (environment, first_seen);
create index releases_release_idx on ops.releases (release);

create table ops.source_map_parts (
    content text not null check (content ~ '^[0-9a-f]{64}$'),
    part integer not null check (part between 0 and 31),
    bytes bytea not null check (octet_length(bytes) between 1 and 1048576),
    uploaded_at timestamptz not null,
    primary key (content, part)
);

comment on table ops.source_map_parts is 'The contents of source maps, compressed, in parts. What several versions of the app have in common is here once.';
comment on column ops.source_map_parts.content is 'The SHA-256 of all parts together.';

create index source_map_parts_time_idx on ops.source_map_parts (uploaded_at);

alter table ops.source_map_parts enable row level security;

create table ops.source_maps (
    release text not null check (length(release) between 1 and 100),
    file text not null check (length(file) between 1 and 300),
    content text not null,
    debug_id uuid,
    parts integer not null check (parts between 1 and 32),
    size bigint not null check (size > 0),
    uploaded_at timestamptz not null,
    uploaded_by text not null,
    primary key (release, file, content)
);

comment on table ops.source_maps is 'Which source map belongs to which file of a version of the app.';
comment on column ops.source_maps.file is 'The file as the build made it, such as ~/_next/static/chunks/app.js, where ~ stands for the host.';
comment on column ops.source_maps.debug_id is 'The id that the build gave the file and its map; null where it gave none.';
comment on column ops.source_maps.size is 'How large the map is in bytes, uncompressed.';

create index source_maps_debug_id_idx on ops.source_maps (debug_id);
create index source_maps_content_idx on ops.source_maps (content);

alter table ops.source_maps enable row level security;
