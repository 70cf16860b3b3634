-- Checks as data: what is watched beyond the application's own URLs.
--
-- Why: a team adds a check without a deployment; what it asks for is validated
-- where it is stored, and every change says who made it and when, whether by the
-- operator's command or by SQL. A definition never holds a secret; a header may
-- name an environment variable as ${CHECK_…}, which the function resolves.
-- Read by: claims of the monitor, the tick, `pourtrait checks`.
-- Undo: drop the functions, then ops.check_changes and ops.check_definitions.

set local search_path = '';

create table ops.check_definitions (
    name text primary key check (name ~ '^[a-z0-9][a-z0-9-]{0,49}$'),
    check_name text not null generated always as ('check:' || name) stored unique,
    kind text not null check (kind in ('http', 'tls', 'dns', 'tcp', 'heartbeat', 'rule')),
    spec jsonb not null,
    every_seconds integer not null default 60 check (every_seconds between 60 and 86400),
    timeout_ms integer not null default 10000 check (timeout_ms between 100 and 10000),
    severity text not null default 'high' check (severity in ('critical', 'high', 'medium', 'low')),
    enabled boolean not null default true,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    updated_by text not null default session_user
);

comment on table ops.check_definitions is 'What is checked beside the URLs of the settings, one row a check.';
comment on column ops.check_definitions.check_name is 'Its name among all checks; its history hangs on it.';
comment on column ops.check_definitions.kind is 'http, tls, dns and tcp are probed by the function; heartbeat and rule are read off the database by the tick.';
comment on column ops.check_definitions.spec is 'What is asked and expected; ops.check_definition_spec knows the rules of each kind.';
comment on column ops.check_definitions.every_seconds is 'How often it is probed, at most once a tick; heartbeats and rules are read by every tick.';
comment on column ops.check_definitions.severity is 'Of the alert that its failing opens.';

create table ops.check_changes (
    id bigint generated always as identity primary key,
    name text not null,
    change text not null check (change in ('added', 'edited', 'removed')),
    old_value jsonb,
    new_value jsonb,
    changed_at timestamptz not null,
    changed_by text not null
);

comment on table ops.check_changes is 'Every change of a definition: from what, to what, by whom and when. Outlives what it tells of.';

create index check_changes_name_idx on ops.check_changes (name, changed_at desc);

alter table ops.check_definitions enable row level security;
alter table ops.check_changes enable row level security;

-- Validation -----------------------------------------------------------------

create function ops.is_whole(p_value jsonb, p_minimum integer, p_maximum integer)
returns boolean
language sql
immutable
parallel safe
set search_path = ''
as $$
    select case jsonb_typeof(p_value)
        when 'number' then p_value::numeric % 1 = 0 and p_value::numeric between p_minimum and p_maximum
        else false
    end
$$;

comment on function ops.is_whole(jsonb, integer, integer) is 'Whether a value is a whole number within bounds.';

create function ops.is_text(p_value jsonb, p_maximum integer, p_pattern text)
returns boolean
language sql
immutable
parallel safe
set search_path = ''
as $$
    select coalesce(
        jsonb_typeof(p_value) = 'string'
            and length(p_value #>> '{}') between 1 and p_maximum
            and p_value #>> '{}' ~ p_pattern,
        false
    )
$$;

comment on function ops.is_text(jsonb, integer, text) is 'Whether a value is a text that is not empty, not too long, and of a pattern.';

create function ops.check_http_headers(p_headers jsonb)
returns text
language sql
immutable
parallel safe
set search_path = ''
as $$
    select case
        when jsonb_typeof(p_headers) <> 'object' then 'headers as an object of texts'
        when exists (
            select
            from jsonb_each(p_headers) as header (name, value)
            where header.name !~ '^[A-Za-z0-9-]{1,100}$'
                or not ops.is_text(header.value, 1000, '^[\x20-\x7e]+$')
        ) then 'header names of letters, digits and hyphens, with values of at most 1000 printable characters'
        when exists (
            select
            from jsonb_each_text(p_headers) as header (name, value)
            where regexp_replace(header.value, '\$\{CHECK_[A-Z0-9_]{1,60}\}', '', 'g') ~ '\$\{'
        ) then 'no other variable in a header than ${CHECK_…}'
        when exists (
            select
            from jsonb_each_text(p_headers) as header (name, value)
            where header.name ~* '(authorization|cookie|token|secret|password|api-?key)'
                and header.value !~ '\$\{CHECK_'
        ) then 'the value of a header that proves who asks to come from a variable, as ${CHECK_…}'
    end
$$;

comment on function ops.check_http_headers(jsonb) is
    'What a check''s headers should have been, or null if they are valid. Whatever proves who asks comes from the function''s environment, under names that begin with CHECK_.';

create function ops.check_http_spec(p_spec jsonb)
returns text
language sql
immutable
parallel safe
set search_path = ''
as $$
    select case
        when not ops.is_text(
            p_spec -> 'url', 1000,
            '^(https://[A-Za-z0-9._:\[\]-]+|http://(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?)([/?#]\S*)?$'
        ) then 'a url that begins with https:// (http:// for loopback hosts only)'
        when p_spec ? 'method' and not ops.is_text(p_spec -> 'method', 7, '^(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS)$')
        then 'GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS as method'
        when p_spec ? 'headers' and ops.check_http_headers(p_spec -> 'headers') is not null
        then ops.check_http_headers(p_spec -> 'headers')
        when p_spec ? 'body' and not ops.is_text(p_spec -> 'body', 10000, '') then 'a body of 1 to 10000 characters'
        when p_spec ? 'status' and (
            p_spec -> 'status' = '[]'
            or exists (
                select
                from jsonb_array_elements(
                    case jsonb_typeof(p_spec -> 'status')
                        when 'array' then p_spec -> 'status'
                        else jsonb_build_array(p_spec -> 'status')
                    end
                ) as code (value)
                where not ops.is_whole(code.value, 100, 599)
            )
        ) then 'a status from 100 to 599, or an array of such'
        when p_spec ? 'contains' and not ops.is_text(p_spec -> 'contains', 500, '') then 'a text of 1 to 500 characters as contains'
        when p_spec ? 'json' and (
            jsonb_typeof(p_spec -> 'json') <> 'object'
            or exists (
                select
                from jsonb_each(p_spec -> 'json') as expected (path, value)
                where expected.path !~ '^\$(\.[A-Za-z_][A-Za-z0-9_-]*|\[\d{1,4}\])*$'
                    or length(expected.path) > 200
                    or jsonb_typeof(expected.value) in ('object', 'array')
            )
        ) then 'json as an object of paths like $.a.b[0] and the single values expected there'
        when p_spec ? 'redirects' and not ops.is_whole(p_spec -> 'redirects', 0, 5) then 'from 0 to 5 redirects'
        when p_spec ? 'maxLatencyMs' and not ops.is_whole(p_spec -> 'maxLatencyMs', 1, 10000)
        then 'a maxLatencyMs from 1 to 10000'
    end
$$;

comment on function ops.check_http_spec(jsonb) is 'What the spec of a check over HTTP should have been, or null if it is valid.';

create function ops.check_network_spec(p_kind text, p_spec jsonb)
returns text
language sql
immutable
parallel safe
set search_path = ''
as $$
    select case
        when not ops.is_text(p_spec -> 'host', 253, '^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$|^[0-9A-Fa-f:.]+$')
        then 'a name or an address as host'
        when p_kind = 'tcp' and not p_spec ? 'port' then 'a port'
        when p_spec ? 'port' and not ops.is_whole(p_spec -> 'port', 1, 65535) then 'a port from 1 to 65535'
        when p_spec ? 'address' and not ops.is_text(p_spec -> 'address', 45, '^[0-9A-Fa-f:.]+$') then 'an address as address'
        when p_spec ? 'maxLatencyMs' and not ops.is_whole(p_spec -> 'maxLatencyMs', 1, 10000)
        then 'a maxLatencyMs from 1 to 10000'
    end
$$;

comment on function ops.check_network_spec(text, jsonb) is 'What the spec of a TLS, DNS or TCP check should have been, or null if it is valid.';

create function ops.known_spec_keys(p_kind text)
returns text[]
language sql
immutable
parallel safe
set search_path = ''
as $$
    select case p_kind
        when 'http' then '{url,method,headers,body,status,contains,json,redirects,maxLatencyMs}'
        when 'tls' then '{host,port,maxLatencyMs}'
        when 'dns' then '{host,address,maxLatencyMs}'
        when 'tcp' then '{host,port,maxLatencyMs}'
        when 'heartbeat' then '{periodSeconds,graceSeconds}'
        when 'rule' then '{event,windowMinutes,minimum}'
    end::text[]
$$;

comment on function ops.known_spec_keys(text) is 'What a definition of that kind may say.';

create function ops.check_definition_spec(p_kind text, p_spec jsonb)
returns text
language sql
immutable
parallel safe
set search_path = ''
as $$
    select case
        when jsonb_typeof(p_spec) <> 'object' then 'an object'
        when p_spec - ops.known_spec_keys(p_kind) <> '{}'
        then 'no other keys than ' || array_to_string(ops.known_spec_keys(p_kind), ', ')
        when p_kind = 'http' then ops.check_http_spec(p_spec)
        when p_kind in ('tls', 'dns', 'tcp') then ops.check_network_spec(p_kind, p_spec)
        when p_kind = 'heartbeat' then case
            when not ops.is_whole(p_spec -> 'periodSeconds', 60, 31622400) then 'a periodSeconds from 60 to 31622400'
            when not ops.is_whole(p_spec -> 'graceSeconds', 60, 31622400) then 'a graceSeconds from 60 to 31622400'
        end
        when p_kind = 'rule' then case
            when not ops.is_text(p_spec -> 'event', 100, '') then 'the name of an event of the application as event'
            when not ops.is_whole(p_spec -> 'windowMinutes', 1, 10080) then 'a windowMinutes from 1 to 10080'
            when not ops.is_whole(p_spec -> 'minimum', 1, 1000000) then 'a minimum from 1 to 1000000'
        end
    end
$$;

comment on function ops.check_definition_spec(text, jsonb) is
    'What the spec of a definition of that kind should have been, or null if it is valid.';

create function ops.definition_document(p_definition ops.check_definitions)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_build_object(
        'name', p_definition.name,
        'kind', p_definition.kind,
        'everySeconds', p_definition.every_seconds,
        'timeoutMs', p_definition.timeout_ms,
        'severity', p_definition.severity,
        'enabled', p_definition.enabled
    ) || p_definition.spec
$$;

comment on function ops.definition_document(ops.check_definitions) is
    'A definition in one object: what every kind has, and its own.';

create function ops.changing_person()
returns text
language sql
stable
set search_path = ''
as $$
    select coalesce(nullif(current_setting('ops.changed_by', true), ''), session_user)
$$;

comment on function ops.changing_person() is
    'Who makes this transaction''s changes: the caller that a function of ours was given, else the session''s role.';

create function ops.validate_definition()
returns trigger
language plpgsql
set search_path = ''
as $$
declare
    v_expected text := ops.check_definition_spec(new.kind, new.spec);
begin
    -- A secret is refused first, and not repeated into a log.
    if exists (
        select
        from jsonb_path_query(new.spec, 'strict $.** ? (@.type() == "string")') as leaf (value)
        where ops.looks_like_secret(leaf.value #>> '{}')
    ) then
        raise exception 'check % must not hold a secret', new.name
            using errcode = 'invalid_parameter_value',
                  hint = 'Name an environment variable that begins with CHECK_ instead, as ${CHECK_…}.';
    end if;
    if v_expected is not null then
        raise exception 'check % expects %', new.name, v_expected
            using errcode = 'invalid_parameter_value';
    end if;
    if tg_op = 'INSERT' and (select count(*) from ops.check_definitions) >= 1000 then
        raise exception 'there are 1000 checks already'
            using errcode = 'invalid_parameter_value';
    end if;

    new.updated_at := now();
    new.updated_by := ops.changing_person();
    return new;
end
$$;

comment on function ops.validate_definition() is
    'Refuses a definition that holds a secret or is not of its kind with SQLSTATE 22023, and writes down who made it.';

create trigger validate_definition
    before insert or update on ops.check_definitions
    for each row execute function ops.validate_definition();

create function ops.record_definition_change()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
    insert into ops.check_changes (name, change, old_value, new_value, changed_at, changed_by)
    select
        coalesce(new.name, old.name),
        case tg_op when 'INSERT' then 'added' when 'UPDATE' then 'edited' else 'removed' end,
        case when tg_op <> 'INSERT' then ops.definition_document(old) end,
        case when tg_op <> 'DELETE' then ops.definition_document(new) end,
        now(),
        ops.changing_person();
    return null;
end
$$;

comment on function ops.record_definition_change() is 'Writes the history of definitions.';

create trigger record_definition_change
    after insert or update or delete on ops.check_definitions
    for each row execute function ops.record_definition_change();

revoke all on all functions in schema ops from public, anon, authenticated;
grant execute on all functions in schema ops to service_role;
