-- What the spec of a custom check must be, kind by kind. Each function examines a part and
-- returns the first fault that it finds. A check never holds a secret; a header may name an
-- environment variable as ${CHECK_…}, which the function that probes resolves. Whatever is
-- admitted here can be probed: a test holds it against what the function that probes reads.

create or replace function ops.find_header_fault(p_name text, p_value jsonb)
returns ops.fault
language sql
immutable
parallel safe
set search_path = ''
as $$
    select case
        when p_name !~ '^[A-Za-z0-9-]{1,100}$'
        then ops.make_fault(
            'headers', 'an object whose names are 1 to 100 letters, digits and hyphens', p_name
        )
        when lower(p_name) in ('connection', 'content-length', 'te', 'trailer', 'transfer-encoding', 'upgrade')
        then ops.make_fault('headers', 'an object without the headers that frame a request', p_name)
        when not ops.is_text(p_value, 1000, '^[\x20-\x7e]+$')
        then ops.make_fault(
            'headers.' || p_name, 'a text of 1 to 1000 printable characters', ops.describe_size(p_value)
        )
        when regexp_replace(p_value #>> '{}', '\$\{CHECK_[A-Z0-9_]{1,60}\}', '', 'g') ~ '\$\{'
        then ops.make_fault(
            'headers.' || p_name, 'a text that names no other variable than ${CHECK_…}', 'another one'
        )
        when p_name ~* '(authorization|cookie|token|secret|password|api-?key)' and p_value #>> '{}' !~ '\$\{CHECK_'
        then ops.make_fault(
            'headers.' || p_name,
            'a text that comes from a variable, as ${CHECK_…}, because it proves who asks',
            'a text without one'
        )
    end
$$;

comment on function ops.find_header_fault(text, jsonb) is
    'What is wrong with a header of a check, or null. A value that proves who asks has to come from the environment of the function that probes, under a name that begins with CHECK_.';

create or replace function ops.find_headers_fault(p_headers jsonb)
returns ops.fault
language sql
immutable
parallel safe
set search_path = ''
as $$
    select case
        when jsonb_typeof(p_headers) <> 'object'
        then ops.make_fault('headers', 'an object of texts', jsonb_typeof(p_headers))
        else (
            select found
            from jsonb_each(p_headers) as header (name, value)
            cross join lateral ops.find_header_fault(header.name, header.value) as found
            where found.field is not null
            limit 1
        )
    end
$$;

comment on function ops.find_headers_fault(jsonb) is 'What is wrong with the headers of a check, or null.';

create or replace function ops.is_expected_json(p_value jsonb)
returns boolean
language sql
immutable
parallel safe
set search_path = ''
as $$
    select case jsonb_typeof(p_value)
        when 'object' then not exists (
            select
            from jsonb_each(p_value) as expected (path, value)
            where expected.path !~ '^\$(\.[A-Za-z_][A-Za-z0-9_-]*|\[\d{1,4}\])*$'
                or length(expected.path) > 200
                or jsonb_typeof(expected.value) in ('object', 'array')
                -- A greater number, or one of more digits, is not the same to every reader.
                or jsonb_typeof(expected.value) = 'number'
                and (abs(expected.value::numeric) > 1e15 or length(expected.value::text) > 40)
        )
        else false
    end
$$;

comment on function ops.is_expected_json(jsonb) is
    'Whether a value is an object of paths into a JSON answer and of single values that are expected there.';

create or replace function ops.find_http_fault(p_spec jsonb)
returns ops.fault
language sql
immutable
parallel safe
set search_path = ''
as $$
    select case
        when not ops.is_url(p_spec -> 'url', false)
        then ops.make_fault(
            'url',
            'a URL of at most 1000 ASCII characters that begins with https:// '
                || '(http:// for loopback hosts only) and names a host and a port that can exist',
            ops.show(p_spec -> 'url')
        )
        when p_spec ? 'method' and not ops.is_word(p_spec -> 'method', methods)
        then ops.make_fault('method', ops.join_words(methods), ops.show(p_spec -> 'method'))
        when p_spec ? 'headers' and (ops.find_headers_fault(p_spec -> 'headers')).field is not null
        then ops.find_headers_fault(p_spec -> 'headers')
        when p_spec ? 'body' and not ops.is_text(p_spec -> 'body', 10000, '')
        then ops.make_fault('body', 'a text of 1 to 10000 characters', ops.describe_size(p_spec -> 'body'))
        when p_spec ? 'status' and not ops.is_status(p_spec -> 'status')
        then ops.make_fault(
            'status', 'a whole number from 100 to 599 or an array of such numbers', ops.show(p_spec -> 'status')
        )
        when p_spec ? 'contains' and not ops.is_text(p_spec -> 'contains', 500, '')
        then ops.make_fault('contains', 'a text of 1 to 500 characters', ops.describe_size(p_spec -> 'contains'))
        when p_spec ? 'json' and not ops.is_expected_json(p_spec -> 'json')
        then ops.make_fault(
            'json',
            'an object of paths like $.a.b[0] and the single values expected there, numbers up to 1e15',
            ops.show_keys(p_spec -> 'json')
        )
        when p_spec ? 'redirects' and not ops.is_whole(p_spec -> 'redirects', 0, 5)
        then ops.make_fault('redirects', 'a whole number from 0 to 5', ops.show(p_spec -> 'redirects'))
    end
    from (select '{GET,HEAD,POST,PUT,PATCH,DELETE,OPTIONS}'::text[] as methods) as known
$$;

comment on function ops.find_http_fault(jsonb) is 'What is wrong with the spec of a check over HTTP, or null.';

create or replace function ops.find_network_fault(p_kind text, p_spec jsonb)
returns ops.fault
language sql
immutable
parallel safe
set search_path = ''
as $$
    select case
        when not (ops.is_text(p_spec -> 'host', 253, '') and ops.is_host(p_spec ->> 'host'))
        then ops.make_fault('host', 'the name or the address of a host', ops.show(p_spec -> 'host'))
        when (p_kind = 'tcp' or p_spec ? 'port') and not ops.is_whole(p_spec -> 'port', 1, 65535)
        then ops.make_fault('port', 'a whole number from 1 to 65535', ops.show(p_spec -> 'port'))
        when p_spec ? 'address' and not (
            ops.is_text(p_spec -> 'address', 45, '')
            and (ops.is_ipv4(p_spec ->> 'address') or ops.is_ipv6(p_spec ->> 'address'))
        )
        then ops.make_fault('address', 'an IP address', ops.show(p_spec -> 'address'))
    end
$$;

comment on function ops.find_network_fault(text, jsonb) is
    'What is wrong with the spec of a check over TLS, DNS or TCP, or null.';

create or replace function ops.find_heartbeat_fault(p_spec jsonb)
returns ops.fault
language sql
immutable
parallel safe
set search_path = ''
as $$
    select ops.make_fault(field, 'a whole number from 60 to 31622400', ops.show(p_spec -> field))
    from unnest('{periodSeconds,graceSeconds,maxRunSeconds}'::text[]) with ordinality as bound (field, nth)
    where (field <> 'maxRunSeconds' or p_spec ? field) and not ops.is_whole(p_spec -> field, 60, 31622400)
    order by nth
    limit 1
$$;

comment on function ops.find_heartbeat_fault(jsonb) is 'What is wrong with the spec of a heartbeat, or null.';

create or replace function ops.find_rule_fault(p_spec jsonb)
returns ops.fault
language sql
immutable
parallel safe
set search_path = ''
as $$
    select case
        when not ops.is_text(p_spec -> 'event', 100, '')
        then ops.make_fault(
            'event', 'the name of an event of the application, in 1 to 100 characters', ops.show(p_spec -> 'event')
        )
        when not ops.is_whole(p_spec -> 'windowMinutes', 1, 10080)
        then ops.make_fault('windowMinutes', 'a whole number from 1 to 10080', ops.show(p_spec -> 'windowMinutes'))
        when not ops.is_whole(p_spec -> 'minimum', 1, 1000000)
        then ops.make_fault('minimum', 'a whole number from 1 to 1000000', ops.show(p_spec -> 'minimum'))
    end
$$;

comment on function ops.find_rule_fault(jsonb) is 'What is wrong with the spec of a business rule, or null.';

create or replace function ops.known_spec_keys(p_kind text)
returns text[]
language sql
immutable
parallel safe
set search_path = ''
as $$
    select keys || '{opensAfter,resolvesAfter,dependsOn}'::text[]
    from (select case p_kind
        when 'http' then '{url,method,headers,body,status,contains,json,redirects,maxLatencyMs,retries}'
        when 'tls' then '{host,port,maxLatencyMs,retries}'
        when 'dns' then '{host,address,maxLatencyMs,retries}'
        when 'tcp' then '{host,port,maxLatencyMs,retries}'
        when 'heartbeat' then '{periodSeconds,graceSeconds,maxRunSeconds}'
        when 'rule' then '{event,windowMinutes,minimum}'
    end::text[] as keys) as own
    where keys is not null
$$;

comment on function ops.known_spec_keys(text) is
    'The keys that the spec of a custom check of that kind may have; null if custom checks are never of that kind.';

create or replace function ops.custom_kinds()
returns text[]
language sql
stable
parallel safe
set search_path = ''
as $$
    select array_agg(kind order by nth)
    from unnest(ops.words('ops.check_kind')) with ordinality as known (kind, nth)
    where ops.known_spec_keys(kind) is not null
$$;

comment on function ops.custom_kinds() is 'The kinds that a custom check may be of.';

create or replace function ops.find_spec_fault(p_kind text, p_spec jsonb)
returns ops.fault
language sql
immutable
parallel safe
set search_path = ''
as $$
    select coalesce(
        case
            when jsonb_typeof(p_spec) <> 'object' then ops.make_fault('spec', 'an object', jsonb_typeof(p_spec))
            when p_spec - ops.known_spec_keys(p_kind) <> '{}'
            then ops.make_fault(
                'keys',
                'among ' || array_to_string(ops.known_spec_keys(p_kind), ', '),
                ops.show_keys(p_spec - ops.known_spec_keys(p_kind))
            )
            when p_spec ? 'dependsOn' and not ops.is_list_of_names(p_spec -> 'dependsOn', 20)
            then ops.make_fault(
                'dependsOn', 'an array of 1 to 20 names of checks and services', ops.show(p_spec -> 'dependsOn')
            )
        end,
        case
            when p_kind = 'http' then ops.find_http_fault(p_spec)
            when p_kind in ('tls', 'dns', 'tcp') then ops.find_network_fault(p_kind, p_spec)
            when p_kind = 'heartbeat' then ops.find_heartbeat_fault(p_spec)
            when p_kind = 'rule' then ops.find_rule_fault(p_spec)
        end,
        (
            select ops.make_fault(bound.field, 'a whole number from 1 to 60', ops.show(p_spec -> bound.field))
            from (values ('opensAfter'), ('resolvesAfter')) as bound (field)
            where p_spec ? bound.field and not ops.is_whole(p_spec -> bound.field, 1, 60)
            order by bound.field
            limit 1
        ),
        case
            when p_spec ? 'retries' and not ops.is_whole(p_spec -> 'retries', 0, 3)
            then ops.make_fault('retries', 'a whole number from 0 to 3', ops.show(p_spec -> 'retries'))
        end,
        case
            when p_spec ? 'maxLatencyMs' and not ops.is_whole(p_spec -> 'maxLatencyMs', 1, 10000)
            then ops.make_fault('maxLatencyMs', 'a whole number from 1 to 10000', ops.show(p_spec -> 'maxLatencyMs'))
        end
    )
$$;

comment on function ops.find_spec_fault(text, jsonb) is
    'What is wrong with the spec of a custom check of that kind, or null.';
