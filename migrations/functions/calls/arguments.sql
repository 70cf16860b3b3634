-- What functions ask of documents that a caller gives them, beside the words, texts and
-- numbers of functions/words/. A document is examined by a function that returns an
-- ops.fault, and refused by the function that knows what the document is called.

create or replace function ops.without_secrets(p_text text)
returns text
language sql
immutable
parallel safe
set search_path = ''
as $$
    select case
        when ops.looks_like_secret(p_text) then 'something that looks like a secret'
        else regexp_replace(
            regexp_replace(p_text, '//[^/?#@\s"]*@', '//…@', 'g'), '(https?://[^?\s"]*)\?[^\s"]*', '\1?…', 'g'
        )
    end
$$;

comment on function ops.without_secrets(text) is
    'A text as a refusal may repeat it: without users and queries of URLs, and not at all if it looks like a secret.';

create or replace function ops.make_fault(p_field text, p_expected text, p_got text)
returns ops.fault
language sql
immutable
parallel safe
set search_path = ''
as $$
    select row(p_field, p_expected, ops.without_secrets(p_got))::ops.fault
$$;

comment on function ops.make_fault(text, text, text) is
    'A fault of a document. Of what the field got, nothing is repeated that may be a secret.';

create or replace function ops.show(p_value jsonb)
returns text
language sql
immutable
parallel safe
set search_path = ''
as $$
    select case jsonb_typeof(p_value) when 'object' then 'an object' else p_value::text end
$$;

comment on function ops.show(jsonb) is
    'A value as a refusal repeats it. An object is not repeated, because it may be one of headers.';

create or replace function ops.show_keys(p_value jsonb)
returns text
language sql
immutable
parallel safe
set search_path = ''
as $$
    select case jsonb_typeof(p_value)
        when 'object' then (select string_agg(key, ', ') from jsonb_object_keys(p_value) as key)
        else p_value::text
    end
$$;

comment on function ops.show_keys(jsonb) is 'A value as a refusal repeats it that is about keys; of an object, its keys alone.';

create or replace function ops.describe_size(p_value jsonb)
returns text
language sql
immutable
parallel safe
set search_path = ''
as $$
    select case jsonb_typeof(p_value)
        when 'string' then length(p_value #>> '{}') || ' characters'
        else jsonb_typeof(p_value)
    end
$$;

comment on function ops.describe_size(jsonb) is
    'What a refusal says of a value that it does not repeat: how long a text is, or of which type the value is.';

create or replace function ops.is_word(p_value jsonb, p_words text[])
returns boolean
language sql
immutable
parallel safe
set search_path = ''
as $$
    select coalesce(jsonb_typeof(p_value) = 'string' and p_value #>> '{}' = any (p_words), false)
$$;

comment on function ops.is_word(jsonb, text[]) is 'Whether a value is a text that is one of these words.';

create or replace function ops.is_whole(p_value jsonb, p_minimum integer, p_maximum integer)
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

create or replace function ops.is_text(p_value jsonb, p_maximum integer, p_pattern text)
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

comment on function ops.is_text(jsonb, integer, text) is
    'Whether a value is a text that is not empty, that is not too long, and that matches a pattern.';

create or replace function ops.is_status(p_value jsonb)
returns boolean
language sql
immutable
parallel safe
set search_path = ''
as $$
    select case jsonb_typeof(p_value)
        when 'array' then jsonb_array_length(p_value) > 0 and not exists (
            select from jsonb_array_elements(p_value) as code (value) where not ops.is_whole(code.value, 100, 599)
        )
        else ops.is_whole(p_value, 100, 599)
    end
$$;

comment on function ops.is_status(jsonb) is
    'Whether a value is a status code of HTTP, or an array of at least one.';

create or replace function ops.is_list_of_texts(p_value jsonb, p_maximum integer, p_length integer)
returns boolean
language sql
immutable
parallel safe
set search_path = ''
as $$
    select case jsonb_typeof(p_value)
        when 'array' then jsonb_array_length(p_value) between 1 and p_maximum and not exists (
            select from jsonb_array_elements(p_value) as listed (item) where not ops.is_text(listed.item, p_length, '')
        )
        else false
    end
$$;

comment on function ops.is_list_of_texts(jsonb, integer, integer) is
    'Whether a value is an array of at least one text, at most so many and so long.';

create or replace function ops.is_list_of_names(p_value jsonb, p_maximum integer)
returns boolean
language sql
immutable
parallel safe
set search_path = ''
as $$
    select ops.is_list_of_texts(p_value, p_maximum, 50)
$$;

comment on function ops.is_list_of_names(jsonb, integer) is 'Whether a value is an array of at least one name.';

create or replace function ops.with_plain_numbers(p_value jsonb)
returns jsonb
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
begin
    return case jsonb_typeof(p_value)
        when 'number' then to_jsonb(trim_scale(p_value::numeric))
        when 'array' then (
            select coalesce(jsonb_agg(ops.with_plain_numbers(value) order by nth), '[]')
            from jsonb_array_elements(p_value) with ordinality as listed (value, nth)
        )
        when 'object' then (
            select coalesce(jsonb_object_agg(key, ops.with_plain_numbers(value)), '{}')
            from jsonb_each(p_value)
        )
        else p_value
    end;
end
$$;

comment on function ops.with_plain_numbers(jsonb) is
    'A document in which a whole number is written as one: 2 for 2.0 and 2e0, which not every reader takes for a whole number.';
