-- What an operator knows of and accepts, by its name in the settings: gaps of backups, and
-- what a restore cannot make.

create or replace function ops.is_accepted(p_what text, p_settings jsonb)
returns boolean
language sql
immutable
set search_path = ''
as $$
    select coalesce(p_settings -> 'backup.accepted' ? p_what, false)
$$;

comment on function ops.is_accepted(text, jsonb) is
    'Whether a gap or a missing object is named in the setting backup.accepted.';

create or replace function ops.unaccepted_names(p_missing jsonb, p_settings jsonb)
returns text[]
language sql
immutable
set search_path = ''
as $$
    select array(
        select entry ->> 'what'
        from jsonb_array_elements(p_missing) with ordinality as listed (entry, nth)
        where not ops.is_accepted(entry ->> 'what', p_settings)
        order by nth
    )
$$;

comment on function ops.unaccepted_names(jsonb, jsonb) is
    'Returns the names of a list of {what, …} that nobody has accepted, in the list''s order.';

create or replace function ops.with_acceptance(p_list jsonb, p_settings jsonb)
returns jsonb
language sql
immutable
set search_path = ''
as $$
    select coalesce(
        jsonb_agg(
            entry || jsonb_build_object('accepted', ops.is_accepted(entry ->> 'what', p_settings))
            order by nth
        ),
        '[]'
    )
    from jsonb_array_elements(p_list) with ordinality as listed (entry, nth)
$$;

comment on function ops.with_acceptance(jsonb, jsonb) is
    'Returns a list of {what, …} in which each entry says whether it is accepted.';

create or replace function ops.named_list(p_list jsonb, p_text text)
returns jsonb
language sql
immutable
set search_path = ''
as $$
    select coalesce(
        jsonb_agg(
            jsonb_build_object('what', left(entry ->> 'what', 1000), p_text, left(entry ->> p_text, 1000))
            order by nth
        ),
        '[]'
    )
    from jsonb_array_elements(case jsonb_typeof(p_list) when 'array' then p_list else '[]' end)
        with ordinality as listed (entry, nth)
    where entry ->> 'what' <> ''
$$;

comment on function ops.named_list(jsonb, text) is
    'Returns a list of {what, …} with nothing else in its entries than the name and the text of that key, both cut to 1000 characters. What is no list is an empty one, and an entry without a name is left out.';
