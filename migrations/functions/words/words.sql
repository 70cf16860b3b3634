-- Closed sets of words are domains in tables/. Whatever checks a word, or lists the words
-- that there are, reads them here. A refusal names the field, what it must be, and what
-- it got.

create or replace function ops.words(p_domain regtype)
returns text[]
-- Its plan is kept from call to call: every tick asks several times.
language plpgsql
stable
parallel safe
set search_path = ''
as $$
begin
    return array(
        select word[1]
        from pg_catalog.pg_constraint as closed
        cross join lateral regexp_matches(pg_get_constraintdef(closed.oid), '''([^'']+)''', 'g')
            with ordinality as found (word, nth)
        where closed.contypid = p_domain::oid
        order by nth
    );
end
$$;

comment on function ops.words(regtype) is 'Returns the words of a domain, in the order in which the domain lists them.';

create or replace function ops.join_words(p_words text[])
returns text
language sql
immutable
parallel safe
set search_path = ''
as $$
    select concat_ws(
        ' or ',
        nullif(array_to_string(p_words[:cardinality(p_words) - 1], ', '), ''),
        p_words[cardinality(p_words)]
    )
$$;

comment on function ops.join_words(text[]) is 'Returns the words as a sentence lists them: a, b or c.';

create or replace function ops.refuse(p_field text, p_expected text, p_got text, p_hint text default null)
returns void
language plpgsql
stable
set search_path = ''
as $$
declare
    v_got text := case
        when ops.looks_like_secret(p_got) then 'something that looks like a secret'
        else coalesce(nullif(btrim(regexp_replace(left(p_got, 200), '[[:cntrl:]]+', ' ', 'g')), ''), 'nothing')
    end;
begin
    if p_hint is not null then
        raise exception '% must be %, got %', p_field, p_expected, v_got
            using errcode = 'invalid_parameter_value', hint = p_hint;
    end if;
    raise exception '% must be %, got %', p_field, p_expected, v_got
        using errcode = 'invalid_parameter_value';
end
$$;

comment on function ops.refuse(text, text, text, text) is
    'Refuses what a caller gave for a field with SQLSTATE 22023. p_expected completes the sentence "<field> must be …". A value that may hold a secret is not passed on as p_got.';

create or replace function ops.check_given(p_field text, p_value anyelement, p_expected text)
returns void
language plpgsql
stable
set search_path = ''
as $$
begin
    if p_value is null then
        perform ops.refuse(p_field, p_expected, null);
    end if;
end
$$;

comment on function ops.check_given(text, anyelement, text) is 'Refuses a missing value.';

create or replace function ops.check_id(p_field text, p_id uuid)
returns void
language plpgsql
stable
set search_path = ''
as $$
begin
    perform ops.check_given(p_field, p_id, 'a uuid that the caller made');
end
$$;

comment on function ops.check_id(text, uuid) is
    'Refuses a missing id. The caller makes the id, so that it can repeat the call.';

create or replace function ops.check_request(p_request uuid)
returns void
language plpgsql
stable
set search_path = ''
as $$
begin
    perform ops.check_id('request', p_request);
end
$$;

comment on function ops.check_request(uuid) is
    'Refuses a call without a request: the caller could not repeat it and get the same answer.';

create or replace function ops.check_word(p_field text, p_word text, p_words text[])
returns void
language plpgsql
stable
set search_path = ''
as $$
begin
    if p_word is null or p_word <> all (p_words) then
        perform ops.refuse(p_field, ops.join_words(p_words), p_word);
    end if;
end
$$;

comment on function ops.check_word(text, text, text[]) is
    'Refuses a word that is not among those that are known, and a missing one.';

create or replace function ops.check_words(p_field text, p_given text[], p_words text[])
returns void
language plpgsql
stable
set search_path = ''
as $$
begin
    if p_given is null or not p_given <@ p_words then
        perform ops.refuse(
            p_field,
            coalesce('a list of ' || nullif(ops.join_words(p_words), ''), 'an empty list'),
            array_to_string(p_given, ', ', 'null')
        );
    end if;
end
$$;

comment on function ops.check_words(text, text[], text[]) is
    'Refuses a list with a word that is not among those that are known, and a missing list. An empty list passes.';

create or replace function ops.check_channels(p_channels text[])
returns void
language plpgsql
stable
set search_path = ''
as $$
begin
    perform ops.check_words('channels', p_channels, ops.known_channels());
end
$$;

comment on function ops.check_channels(text[]) is
    'Refuses a list with a channel that is not known, at once and not only when there is a message to send.';

create or replace function ops.check_list(p_field text, p_list jsonb, p_limit integer default null)
returns void
language plpgsql
stable
set search_path = ''
as $$
declare
    v_expected text := concat(
        'a list', case when p_limit is not null then format(' of at most %s entries', p_limit) end
    );
begin
    if jsonb_typeof(p_list) is distinct from 'array' then
        perform ops.refuse(p_field, v_expected, jsonb_typeof(p_list));
    end if;
    if jsonb_array_length(p_list) > p_limit then
        perform ops.refuse(p_field, v_expected, jsonb_array_length(p_list) || ' entries');
    end if;
end
$$;

comment on function ops.check_list(text, jsonb, integer) is
    'Refuses JSON that is not an array, and an array with more entries than the limit, if there is one.';

create or replace function ops.check_number(p_field text, p_value bigint, p_minimum bigint, p_maximum bigint)
returns void
language plpgsql
stable
set search_path = ''
as $$
begin
    if p_value is null or p_value not between p_minimum and p_maximum then
        perform ops.refuse(
            p_field, format('a whole number from %s to %s', p_minimum, p_maximum), p_value::text
        );
    end if;
end
$$;

comment on function ops.check_number(text, bigint, bigint, bigint) is
    'Refuses a number outside these bounds, and a missing one.';

create or replace function ops.check_time(p_field text, p_value timestamptz)
returns void
language plpgsql
stable
set search_path = ''
as $$
begin
    if p_value is null or p_value < '2000-01-01 00:00+00' or p_value >= '2200-01-01 00:00+00' then
        perform ops.refuse(p_field, 'a time from 2000 to 2199', p_value::text);
    end if;
end
$$;

comment on function ops.check_time(text, timestamptz) is
    'Refuses a missing time, and one that no clock has told: programs that read it may not know it.';

create or replace function ops.check_length(p_field text, p_text text, p_limit integer)
returns void
language plpgsql
stable
set search_path = ''
as $$
begin
    if coalesce(length(p_text), 0) not between 1 and p_limit then
        perform ops.refuse(
            p_field, format('a text of 1 to %s characters', p_limit), nullif(length(p_text), 0) || ' characters'
        );
    end if;
end
$$;

comment on function ops.check_length(text, text, integer) is
    'Refuses a missing, an empty and a long text. The text itself is not repeated in the refusal.';

create or replace function ops.check_by(p_by text)
returns text
language plpgsql
stable
set search_path = ''
as $$
begin
    if coalesce(length(btrim(p_by)), 0) not between 1 and 200 then
        perform ops.refuse(
            'by',
            'the name of who asks for this, in 1 to 200 characters',
            nullif(length(btrim(p_by)), 0) || ' characters'
        );
    end if;
    return btrim(p_by);
end
$$;

comment on function ops.check_by(text) is
    'Returns the name of who asks for a change, without the blanks around it. Refuses a change that nobody asks for.';

create or replace function ops.check_text(p_field text, p_text text, p_limit integer)
returns text
language plpgsql
stable
set search_path = ''
as $$
begin
    if ops.looks_like_secret(p_text) then
        raise exception '% must not hold a secret', p_field using errcode = 'invalid_parameter_value';
    end if;
    perform ops.check_length(p_field, btrim(p_text), p_limit);
    return btrim(p_text);
end
$$;

comment on function ops.check_text(text, text, integer) is
    'Returns a text without the blanks around it. Refuses a missing, an empty and a long text, and one that holds a secret.';
