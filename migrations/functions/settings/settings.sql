-- Settings: what an operator changes without a deployment. A value is validated where it is
-- stored, and every change is recorded with its author and its time. A setting never holds a
-- secret; it names an environment variable instead.

create or replace function ops.looks_like_secret(p_text text)
returns boolean
language sql
immutable
parallel safe
set search_path = ''
as $$
    select p_text ~ (
        '(^|[^A-Za-z0-9])(sk-|sb_secret_|xox[a-z]-)[A-Za-z0-9_-]{4}'
        '|(^|[\s"''=:])re_[A-Za-z0-9]{6}'
        '|eyJ[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]{4,}\.'
        '|https?://hooks\.slack\.com/services/'
        '|AIza[A-Za-z0-9_-]{30}'
        '|AGE-SECRET-KEY-'
        '|-----BEGIN'
        '|://[^/\s@]*:[^/\s@]*@'
    )
$$;

comment on function ops.looks_like_secret(text) is
    'Whether a text has the form of a known key, token, signed webhook or password in a URL.';

create or replace function ops.find_url_fault(p_field text, p_item jsonb)
returns ops.fault
language sql
immutable
parallel safe
set search_path = ''
as $$
    select case
        when jsonb_typeof(p_item) <> 'object'
        then ops.make_fault(p_field, 'an object {url, name?, status?, contains?, …}', ops.show(p_item))
        when p_item - known.keys <> '{}'
        then ops.make_fault(
            p_field,
            'an object without other keys than ' || ops.join_words(known.keys),
            ops.show_keys(p_item - known.keys)
        )
        when not ops.is_url(p_item -> 'url', true)
        then ops.make_fault(
            p_field || '.url',
            'a URL of at most 1000 ASCII characters that begins with http:// or https:// '
                || 'and names a host and a port that can exist',
            ops.show(p_item -> 'url')
        )
        when (ops.find_expectation_fault(p_field || '.', p_item)).field is not null
        then ops.find_expectation_fault(p_field || '.', p_item)
        when p_item ? 'name' and not ops.is_text(p_item -> 'name', 50, '^[a-z0-9][a-z0-9-]*$')
        then ops.make_fault(
            p_field || '.name',
            '1 to 50 lower-case letters, digits and hyphens, the first no hyphen',
            ops.show(p_item -> 'name')
        )
    end
    from (select '{url,name}'::text[] || ops.known_expectations() as keys) as known
$$;

comment on function ops.find_url_fault(text, jsonb) is
    'What is wrong with an item of a list of checked URLs, or null. p_field is how a refusal calls the item.';

create or replace function ops.find_urls_fault(p_field text, p_value jsonb)
returns ops.fault
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
declare
    v_item jsonb;
    v_name text;
    v_fault ops.fault;
    v_urls text[] := '{}'::text[];
    v_names text[] := '{}'::text[];
begin
    if jsonb_typeof(p_value) <> 'array' then
        return ops.make_fault(
            p_field, 'an array of at most 1000 objects {url, name?, status?, contains?, …}', ops.show(p_value)
        );
    end if;
    if jsonb_array_length(p_value) > 1000 then
        return ops.make_fault(p_field, 'an array of at most 1000 objects', jsonb_array_length(p_value)::text);
    end if;

    for v_item, v_name in
        select value, format('%s[%s]', p_field, nth - 1)
        from jsonb_array_elements(p_value) with ordinality as listed (value, nth)
    loop
        v_fault := ops.find_url_fault(v_name, v_item);
        if v_fault.field is not null then
            return v_fault;
        end if;
        if v_item ->> 'url' = any (v_urls) then
            return ops.make_fault(v_name || '.url', 'a URL that the list has once', ops.show(v_item -> 'url'));
        end if;
        v_urls := v_urls || (v_item ->> 'url');
        -- What is seen of two pages under one name would count once.
        if v_item ->> 'name' = any (v_names) then
            return ops.make_fault(v_name || '.name', 'a name that the list has once', ops.show(v_item -> 'name'));
        end if;
        v_names := v_names || (v_item ->> 'name');
    end loop;
    return null;
end
$$;

comment on function ops.find_urls_fault(text, jsonb) is
    'What is wrong with a list of checked URLs, or null. p_field is how a refusal calls the list.';

create or replace function ops.find_names_fault(p_field text, p_value jsonb)
returns ops.fault
language sql
immutable
parallel safe
set search_path = ''
as $$
    select case
        when jsonb_typeof(p_value) <> 'array'
        then ops.make_fault(p_field, 'an array of at most 1000 names', ops.show(p_value))
        when jsonb_array_length(p_value) > 1000
        then ops.make_fault(p_field, 'an array of at most 1000 names', jsonb_array_length(p_value)::text)
        else (
            select ops.make_fault(
                format('%s[%s]', p_field, nth - 1), 'a name of 1 to 1000 characters', ops.show(value)
            )
            from jsonb_array_elements(p_value) with ordinality as listed (value, nth)
            where not ops.is_text(value, 1000, '')
            order by nth
            limit 1
        )
    end
$$;

comment on function ops.find_names_fault(text, jsonb) is
    'What is wrong with a list of names, or null. p_field is how a refusal calls the list.';

create or replace function ops.find_queries_fault(p_field text, p_value jsonb)
returns ops.fault
language sql
immutable
parallel safe
set search_path = ''
as $$
    select case
        when jsonb_typeof(p_value) <> 'array'
        then ops.make_fault(p_field, 'an array of at most 50 objects {name, query}', ops.show(p_value))
        when jsonb_array_length(p_value) > 50
        then ops.make_fault(p_field, 'an array of at most 50 objects {name, query}', jsonb_array_length(p_value)::text)
        else coalesce((
            select ops.make_fault(
                format('%s[%s]', p_field, nth - 1),
                'an object {name, query}: a name of 1 to 100 characters and a query of 1 to 4000 that begins with select or with',
                ops.show(value)
            )
            from jsonb_array_elements(p_value) with ordinality as listed (value, nth)
            where jsonb_typeof(value) <> 'object'
                or not ops.is_text(value -> 'name', 100, '')
                or not coalesce(length(value ->> 'query') <= 4000 and value ->> 'query' ~* '^\s*(select|with)\s', false)
                or value - '{name,query}'::text[] <> '{}'
            order by nth
            limit 1
        ), (
            select ops.make_fault(p_field, 'a name of its own for each', ops.show(p_value))
            from jsonb_array_elements(p_value)
            having count(distinct value -> 'name') < count(*)
        ))
    end
$$;

comment on function ops.find_queries_fault(text, jsonb) is
    'What is wrong with a list of queries {name, query}, or null. p_field is how a refusal calls the list.';

create or replace function ops.find_channels_fault(p_field text, p_value jsonb)
returns ops.fault
language sql
immutable
parallel safe
set search_path = ''
as $$
    select case
        when jsonb_typeof(p_value) <> 'array'
        then ops.make_fault(p_field, 'an array of email and slack, each at most once', ops.show(p_value))
        when exists (
            select
            from jsonb_array_elements(p_value) as listed (value)
            where not ops.is_word(listed.value, array['email', 'slack'])
        )
            or (select count(distinct value) from jsonb_array_elements(p_value)) < jsonb_array_length(p_value)
        then ops.make_fault(p_field, 'an array of email and slack, each at most once', ops.show(p_value))
    end
$$;

comment on function ops.find_channels_fault(text, jsonb) is
    'What is wrong with a list of channels by which reports are sent, or null. p_field is how a refusal calls the list.';

create or replace function ops.is_number(p_value jsonb, p_minimum numeric, p_maximum numeric, p_whole boolean)
returns boolean
language sql
immutable
parallel safe
set search_path = ''
as $$
    select case jsonb_typeof(p_value)
        when 'number' then
            coalesce(p_value::numeric >= p_minimum, true)
            and coalesce(p_value::numeric <= p_maximum, true)
            and (not p_whole or p_value::numeric % 1 = 0)
        else false
    end
$$;

comment on function ops.is_number(jsonb, numeric, numeric, boolean) is
    'Whether a value is a number within bounds, and a whole one if that is asked for. A bound that is null does not count.';

create or replace function ops.find_setting_fault(p_setting ops.settings)
returns ops.fault
language sql
immutable
parallel safe
set search_path = ''
as $$
    select case
        when p_setting.kind in ('number', 'integer') then case
            when not ops.is_number(
                p_setting.value, p_setting.minimum, p_setting.maximum, p_setting.kind = 'integer'
            )
            then ops.make_fault(
                p_setting.key,
                concat_ws(
                    ' ',
                    case p_setting.kind when 'integer' then 'a whole number' else 'a number' end,
                    'from ' || p_setting.minimum,
                    'to ' || p_setting.maximum
                ),
                ops.show(p_setting.value)
            )
        end
        when p_setting.kind = 'boolean' then case
            when jsonb_typeof(p_setting.value) <> 'boolean'
            then ops.make_fault(p_setting.key, 'true or false', ops.show(p_setting.value))
        end
        when p_setting.kind = 'text' then case
            when jsonb_typeof(p_setting.value) <> 'string' or length(p_setting.value #>> '{}') > 2000
            then ops.make_fault(p_setting.key, 'a text of at most 2000 characters', ops.show(p_setting.value))
        end
        when p_setting.kind = 'checked_urls' then ops.find_urls_fault(p_setting.key, p_setting.value)
        when p_setting.kind = 'names' then ops.find_names_fault(p_setting.key, p_setting.value)
        when p_setting.kind = 'queries' then ops.find_queries_fault(p_setting.key, p_setting.value)
        when p_setting.kind = 'channels' then ops.find_channels_fault(p_setting.key, p_setting.value)
    end
$$;

comment on function ops.find_setting_fault(ops.settings) is
    'What is wrong with the value of a setting, or null.';

create or replace function ops.validate_setting()
returns trigger
language plpgsql
set search_path = ''
as $$
declare
    v_fault ops.fault;
begin
    -- A secret is refused first, so that no other refusal repeats it.
    if exists (
        select
        from jsonb_path_query(new.value, 'strict $.** ? (@.type() == "string")') as leaf (value)
        where ops.looks_like_secret(leaf.value #>> '{}')
    ) then
        raise exception 'setting % must not hold a secret', new.key
            using errcode = 'invalid_parameter_value',
                  hint = 'Name an environment variable instead.';
    end if;
    new.value := ops.with_plain_numbers(new.value);
    v_fault := ops.find_setting_fault(new);
    if v_fault.field is not null then
        perform ops.refuse('setting ' || v_fault.field, v_fault.expected, v_fault.got);
    end if;

    if tg_op = 'UPDATE' and new.value is distinct from old.value then
        insert into ops.setting_changes (key, old_value, new_value, changed_at, changed_by)
        values (new.key, old.value, new.value, new.updated_at, new.updated_by);
        perform ops.write_audit(
            'setting.changed', new.updated_by, new.key, jsonb_build_object('from', old.value, 'to', new.value)
        );
    end if;
    return new;
end
$$;

comment on function ops.validate_setting() is
    'Refuses with SQLSTATE 22023 a value that holds a secret or does not fit its kind, and records the change, in the audit log as well.';

create or replace function ops.read_settings()
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
    return jsonb_object_agg(key, value) from ops.settings;
end
$$;

comment on function ops.read_settings() is 'All settings as one object of keys and values.';

create or replace function ops.setting_document(p_setting ops.settings)
returns jsonb
language sql
immutable
set search_path = ''
as $$
    select jsonb_build_object(
        'key', p_setting.key,
        'value', p_setting.value,
        'default', p_setting.default_value,
        'kind', p_setting.kind,
        'minimum', p_setting.minimum,
        'maximum', p_setting.maximum,
        'unit', p_setting.unit,
        'description', p_setting.description,
        'updatedAt', p_setting.updated_at,
        'updatedBy', p_setting.updated_by
    )
$$;

comment on function ops.setting_document(ops.settings) is 'A setting as callers see it.';

create or replace function public.ops_list_settings()
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_build_object(
        'settings', coalesce(jsonb_agg(ops.setting_document(setting) order by setting.key), '[]')
    )
    from ops.settings as setting
$$;

comment on function public.ops_list_settings() is
    'Lists all settings by key, each with its kind, its bounds, and who changed it last.';

create or replace function ops.refuse_unknown_setting(p_key text)
returns void
language plpgsql
set search_path = ''
as $$
begin
    perform ops.refuse('key', 'the key of a setting', p_key, 'known settings: ' || (
        select string_agg(key, ', ' order by key)
        from ops.settings
        -- If there is a group of that name, its settings are the near ones.
        where split_part(key, '.', 1) = split_part(p_key, '.', 1)
            or not exists (
                select
                from ops.settings as sibling
                where split_part(sibling.key, '.', 1) = split_part(p_key, '.', 1)
            )
    ));
end
$$;

comment on function ops.refuse_unknown_setting(text) is
    'Refuses the key of a setting that does not exist with SQLSTATE 22023; the hint names those that are near.';

create or replace function public.ops_set_setting(p_key text, p_value jsonb, p_by text)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_setting ops.settings;
begin
    perform ops.hold_functions();
    perform ops.check_length('by', btrim(p_by), 200);
    update ops.settings
    set
        -- SQL's and JSON's null both ask for the default.
        value = coalesce(nullif(p_value, 'null'), default_value),
        updated_at = now(),
        updated_by = btrim(p_by)
    where key = p_key
    returning * into v_setting;

    if not found then
        perform ops.refuse_unknown_setting(p_key);
    end if;
    return ops.setting_document(v_setting);
end
$$;

comment on function public.ops_set_setting(text, jsonb, text) is
    'Changes a setting, or puts its default back if the value is null; what is not valid is refused with SQLSTATE 22023.';

create or replace function ops.minutes(p_settings jsonb, p_key text)
returns interval
language plpgsql
immutable
set search_path = ''
as $$
begin
    return make_interval(mins => (p_settings ->> p_key)::integer);
end
$$;

comment on function ops.minutes(jsonb, text) is 'A setting that counts minutes, as an interval.';
