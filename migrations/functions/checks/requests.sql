-- A request over HTTP: what a check asks for, and what it asks for before. It never holds a
-- secret; it may name an environment variable as ${CHECK_…}, which the function that probes
-- resolves, or as ${name} what was kept of an answer before.

create or replace function ops.has_other_placeholder(p_text text, p_kept text[])
returns boolean
language sql
immutable
parallel safe
set search_path = ''
as $$
    select exists (
        select
        from regexp_matches(p_text, '\$\{([^}]*)(\}?)', 'g') as found
        where found[2] = ''
            or found[1] !~ '^CHECK_[A-Z0-9_]{1,60}$' and found[1] <> all (p_kept)
    )
$$;

comment on function ops.has_other_placeholder(text, text[]) is
    'Whether a text has a placeholder that stands for neither an environment variable of checks nor something that was kept.';

create or replace function ops.find_header_fault(p_prefix text, p_name text, p_value jsonb, p_kept text[])
returns ops.fault
language sql
immutable
parallel safe
set search_path = ''
as $$
    select case
        when p_name !~ '^[A-Za-z0-9-]{1,100}$'
        then ops.make_fault(
            p_prefix || 'headers', 'an object whose names are 1 to 100 letters, digits and hyphens', p_name
        )
        when lower(p_name) in ('connection', 'content-length', 'te', 'trailer', 'transfer-encoding', 'upgrade')
        then ops.make_fault(p_prefix || 'headers', 'an object without the headers that frame a request', p_name)
        when not ops.is_text(p_value, 1000, '^[\x20-\x7e]+$')
        then ops.make_fault(
            p_prefix || 'headers.' || p_name,
            'a text of 1 to 1000 printable characters',
            ops.describe_size(p_value)
        )
        when ops.has_other_placeholder(p_value #>> '{}', p_kept)
        then ops.make_fault(
            p_prefix || 'headers.' || p_name,
            'a text that names no other variable than ${CHECK_…} and what was kept before',
            'another one'
        )
        when p_name ~* '(authorization|cookie|token|secret|password|api-?key)' and p_value #>> '{}' !~ '\$\{'
        then ops.make_fault(
            p_prefix || 'headers.' || p_name,
            'a text that comes from a variable, as ${CHECK_…}, because it proves who asks',
            'a text without one'
        )
    end
$$;

comment on function ops.find_header_fault(text, text, jsonb, text[]) is
    'What is wrong with a header of a request, or null. A value that proves who asks has to come from the environment of the function that probes, under a name that begins with CHECK_, or from an answer before.';

create or replace function ops.find_headers_fault(p_prefix text, p_headers jsonb, p_kept text[])
returns ops.fault
language sql
immutable
parallel safe
set search_path = ''
as $$
    select case
        when jsonb_typeof(p_headers) <> 'object'
        then ops.make_fault(p_prefix || 'headers', 'an object of texts', jsonb_typeof(p_headers))
        else (
            select found
            from jsonb_each(p_headers) as header (name, value)
            cross join lateral ops.find_header_fault(p_prefix, header.name, header.value, p_kept) as found
            where found.field is not null
            limit 1
        )
    end
$$;

comment on function ops.find_headers_fault(text, jsonb, text[]) is
    'What is wrong with the headers of a request, or null.';

create or replace function ops.find_credentials_fault(p_prefix text, p_spec jsonb)
returns ops.fault
language sql
immutable
parallel safe
set search_path = ''
as $$
    select case
        when unnamed.key is not null
        then ops.make_fault(
            p_prefix || unnamed.key,
            'a variable of the environment that holds a PEM text, as ${CHECK_…}',
            'something else'
        )
        when (p_spec ? 'certificate') <> (p_spec ? 'key')
        then ops.make_fault(p_prefix || 'certificate', 'given with its key, or neither of both', 'one of them')
    end
    from (
        select min(key) as key
        from unnest('{ca,certificate,key}'::text[]) as known (key)
        where p_spec ? key and not ops.is_text(p_spec -> key, 100, '^\$\{CHECK_[A-Z0-9_]{1,60}\}$')
    ) as unnamed
$$;

comment on function ops.find_credentials_fault(text, jsonb) is
    'What is wrong with the roots that a check trusts or with the certificate that it shows, or null. They come from the environment of the function that probes.';

create or replace function ops.is_request_url(p_value jsonb, p_kept text[], p_everywhere boolean)
returns boolean
language sql
immutable
parallel safe
set search_path = ''
as $$
    select ops.is_url(
            case
                when cardinality(p_kept) = 0 then p_value
                else to_jsonb(
                    regexp_replace(p_value #>> '{}', '\$\{(' || array_to_string(p_kept, '|') || ')\}', 'x', 'g')
                )
            end,
            p_everywhere
        )
        -- What was kept chooses what is asked for, never who is asked.
        and p_value #>> '{}' !~ '^[^/]*//[^/?#]*\$'
$$;

comment on function ops.is_request_url(jsonb, text[], boolean) is
    'Whether a value is a URL that a check may ask for. Behind its host it may have placeholders for what was kept. One with http:// leads to this machine, unless it may lead everywhere.';

create or replace function ops.find_request_fault(p_prefix text, p_request jsonb, p_kept text[])
returns ops.fault
language sql
stable
parallel safe
set search_path = ''
as $$
    select case
        when not ops.is_request_url(p_request -> 'url', p_kept, everywhere)
        then ops.make_fault(
            p_prefix || 'url',
            'a URL of at most 1000 ASCII characters that begins with https:// '
                || '(http:// for loopback hosts, and for others where checks.private_addresses is on) '
                || 'and names a host and a port that can exist',
            ops.show(p_request -> 'url')
        )
        when p_request ? 'method' and not ops.is_word(p_request -> 'method', methods)
        then ops.make_fault(p_prefix || 'method', ops.join_words(methods), ops.show(p_request -> 'method'))
        when p_request ? 'headers'
            and (ops.find_headers_fault(p_prefix, p_request -> 'headers', p_kept)).field is not null
        then ops.find_headers_fault(p_prefix, p_request -> 'headers', p_kept)
        when p_request ? 'body' and not ops.is_text(p_request -> 'body', 10000, '')
        then ops.make_fault(
            p_prefix || 'body', 'a text of 1 to 10000 characters', ops.describe_size(p_request -> 'body')
        )
        when (ops.find_expectation_fault(p_prefix, p_request)).field is not null
        then ops.find_expectation_fault(p_prefix, p_request)
        when p_request ? 'redirects' and not ops.is_whole(p_request -> 'redirects', 0, 5)
        then ops.make_fault(
            p_prefix || 'redirects', 'a whole number from 0 to 5', ops.show(p_request -> 'redirects')
        )
        else ops.find_credentials_fault(p_prefix, p_request)
    end
    from (
        select
            '{GET,HEAD,POST,PUT,PATCH,DELETE,OPTIONS}'::text[] as methods,
            -- In a network of one's own plain http is common.
            coalesce((ops.read_settings() ->> 'checks.private_addresses')::boolean, false) as everywhere
    ) as known
$$;

comment on function ops.find_request_fault(text, jsonb, text[]) is
    'What is wrong with a request over HTTP, or null. p_prefix is what a refusal puts before a field, p_kept what was kept of answers before.';

create or replace function ops.known_request_keys()
returns text[]
language sql
immutable
parallel safe
set search_path = ''
as $$
    select '{url,method,headers,body,redirects,ca,certificate,key}'::text[] || ops.known_expectations()
$$;

comment on function ops.known_request_keys() is 'The keys of a request over HTTP.';

create or replace function ops.is_keep(p_value jsonb)
returns boolean
language sql
immutable
parallel safe
set search_path = ''
as $$
    select case jsonb_typeof(p_value)
        when 'object' then not exists (
            select
            from jsonb_each(p_value) as kept (name, source)
            where kept.name !~ '^[a-z][A-Za-z0-9_]{0,29}$'
                or jsonb_typeof(kept.source) <> 'object'
                or (select count(*) from jsonb_object_keys(kept.source)) <> 1
                or not (
                    ops.is_text(kept.source -> 'json', 200, '^\$(\.[A-Za-z_][A-Za-z0-9_-]*|\[\d{1,4}\])*$')
                    or ops.is_text(kept.source -> 'matches', 500, '')
                    or ops.is_text(kept.source -> 'header', 100, '^[A-Za-z0-9-]+$')
                )
        )
        else false
    end
$$;

comment on function ops.is_keep(jsonb) is
    'Whether a value says what is kept of an answer: an object of names, each with {json}, {matches} or {header}.';

create or replace function ops.names_kept(p_before jsonb)
returns text[]
language sql
immutable
parallel safe
set search_path = ''
as $$
    select array(
        select kept.name
        from jsonb_array_elements(p_before) as step (request)
        cross join lateral jsonb_object_keys(step.request -> 'keep') as kept (name)
    )
$$;

comment on function ops.names_kept(jsonb) is
    'The names of what requests keep of their answers.';

create or replace function ops.find_step_fault(p_name text, p_step jsonb, p_kept text[])
returns ops.fault
language sql
stable
parallel safe
set search_path = ''
as $$
    select case
        when jsonb_typeof(p_step) <> 'object' then ops.make_fault(p_name, 'an object', jsonb_typeof(p_step))
        when p_step - keys <> '{}'
        then ops.make_fault(
            p_name, 'an object without other keys than ' || ops.join_words(keys), ops.show_keys(p_step - keys)
        )
        when p_step ? 'keep' and not ops.is_keep(p_step -> 'keep')
        then ops.make_fault(
            p_name || '.keep',
            'an object of names, each with {json}, {matches} or {header}',
            ops.show_keys(p_step -> 'keep')
        )
        else ops.find_request_fault(p_name || '.', p_step, p_kept)
    end
    from (select ops.known_request_keys() || '{keep}'::text[] as keys) as known
$$;

comment on function ops.find_step_fault(text, jsonb, text[]) is
    'What is wrong with a request that a check makes first, or null. p_name is how a refusal calls it.';

create or replace function ops.find_before_fault(p_before jsonb)
returns ops.fault
language plpgsql
stable
parallel safe
set search_path = ''
as $$
declare
    v_fault ops.fault;
    v_step jsonb;
    v_nth bigint;
begin
    if jsonb_typeof(p_before) <> 'array' or jsonb_array_length(p_before) not between 1 and 10 then
        return ops.make_fault('before', 'an array of 1 to 10 requests', jsonb_typeof(p_before));
    end if;
    for v_step, v_nth in
        select value, nth
        from jsonb_array_elements(p_before) with ordinality as listed (value, nth)
    loop
        -- A name stands for something from the next request on.
        v_fault := ops.find_step_fault(
            format('before[%s]', v_nth - 1),
            v_step,
            ops.names_kept(jsonb_path_query_array(p_before, '$[0 to $last]', jsonb_build_object('last', v_nth - 2)))
        );
        exit when v_fault.field is not null;
    end loop;
    return v_fault;
end
$$;

comment on function ops.find_before_fault(jsonb) is
    'What is wrong with the requests that a check makes first, or null.';

create or replace function ops.find_http_fault(p_spec jsonb)
returns ops.fault
language sql
stable
parallel safe
set search_path = ''
as $$
    select case
        when p_spec ? 'before' and (ops.find_before_fault(p_spec -> 'before')).field is not null
        then ops.find_before_fault(p_spec -> 'before')
        else ops.find_request_fault('', p_spec, ops.names_kept(coalesce(p_spec -> 'before', '[]')))
    end
$$;

comment on function ops.find_http_fault(jsonb) is 'What is wrong with the spec of a check over HTTP, or null.';
