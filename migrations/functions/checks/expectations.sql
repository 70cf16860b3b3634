-- What an answer has to be, as checks over HTTP and the application's own pages say it.

create or replace function ops.is_read_exactly(p_value jsonb)
returns boolean
language sql
immutable
parallel safe
set search_path = ''
as $$
    select case
        when jsonb_typeof(p_value) <> 'number' then true
        when p_value::numeric % 1 = 0
        then p_value::numeric between -9223372036854775808 and 18446744073709551615
        else length(translate(trim_scale(p_value::numeric)::text, '-.', '')) <= 15
    end
$$;

comment on function ops.is_read_exactly(jsonb) is
    'Whether the function that probes reads a value as it stands here: whole numbers of 64 bits, others of 15 digits.';

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
                or not ops.is_read_exactly(expected.value)
        )
        else false
    end
$$;

comment on function ops.is_expected_json(jsonb) is
    'Whether a value is an object of paths into a JSON answer and of single values that are expected there.';

create or replace function ops.is_expected_header(p_name text, p_value jsonb)
returns boolean
language sql
immutable
parallel safe
set search_path = ''
as $$
    select p_name ~ '^[A-Za-z0-9-]{1,100}$' and case jsonb_typeof(p_value)
        when 'boolean' then true
        when 'string' then ops.is_text(p_value, 1000, '')
        when 'object' then p_value - 'matches' = '{}' and ops.is_text(p_value -> 'matches', 500, '')
        else false
    end
$$;

comment on function ops.is_expected_header(text, jsonb) is
    'Whether that can be expected of a header: true and false that it is there or not, a text that it is just that, {matches} that a regular expression is found in it.';

create or replace function ops.find_expectation_fault(p_prefix text, p_expected jsonb)
returns ops.fault
language sql
immutable
parallel safe
set search_path = ''
as $$
    select case
        when p_expected ? 'status' and not ops.is_status(p_expected -> 'status')
        then ops.make_fault(
            p_prefix || 'status',
            'a whole number from 100 to 599 or an array of such numbers',
            ops.show(p_expected -> 'status')
        )
        when texts.field is not null
        then ops.make_fault(
            p_prefix || texts.field, 'a text of 1 to 500 characters', ops.describe_size(p_expected -> texts.field)
        )
        when headers.name is not null
        then ops.make_fault(
            p_prefix || 'answerHeaders',
            'an object of names and what is expected: true, false, a text, or {"matches": …}',
            headers.name
        )
        when p_expected ? 'json' and not ops.is_expected_json(p_expected -> 'json')
        then ops.make_fault(
            p_prefix || 'json',
            'an object of paths like $.a.b[0] and the single values expected there, numbers of at most 15 digits or whole ones of 64 bits',
            ops.show_keys(p_expected -> 'json')
        )
    end
    from (
        select min(field) as field
        from unnest('{contains,notContains,matches,notMatches}'::text[]) as known (field)
        where p_expected ? field and not ops.is_text(p_expected -> field, 500, '')
    ) as texts
    cross join (
        select case
            when not p_expected ? 'answerHeaders' then null
            when jsonb_typeof(p_expected -> 'answerHeaders') <> 'object' then ops.show(p_expected -> 'answerHeaders')
            else (
                select min(name)
                from jsonb_each(p_expected -> 'answerHeaders') as header (name, value)
                where not ops.is_expected_header(name, value)
            )
        end as name
    ) as headers
$$;

comment on function ops.find_expectation_fault(text, jsonb) is
    'What is wrong with what is expected of an answer, or null. p_prefix is what a refusal puts before a field.';

create or replace function ops.known_expectations()
returns text[]
language sql
immutable
parallel safe
set search_path = ''
as $$
    select '{status,contains,notContains,matches,notMatches,answerHeaders,json}'::text[]
$$;

comment on function ops.known_expectations() is 'The keys by which something is expected of an answer.';
