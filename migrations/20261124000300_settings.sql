-- Settings: thresholds, checked URLs and contacts, as rows.
--
-- Why: what an operator changes must not need a deployment, must be validated
-- where it is stored, and must say who changed it and when. Settings never hold
-- secrets; they name environment variables instead.
-- Read by: claims of runs, the tick's rules, `pourtrait settings`.
-- Undo: drop the functions, then ops.setting_changes and ops.settings.

set local search_path = '';

create table ops.settings (
    key text primary key check (key ~ '^[a-z]+(\.[a-z0-9_]+)?$'),
    value jsonb not null,
    default_value jsonb not null,
    kind text not null
        check (kind in ('number', 'integer', 'boolean', 'text', 'checked_urls', 'contacts')),
    minimum numeric,
    maximum numeric,
    unit text,
    description text not null,
    updated_at timestamptz not null default now(),
    updated_by text not null default 'migration'
);

comment on table ops.settings is 'What an operator may change, one row a setting; the rows are made by migrations.';
comment on column ops.settings.kind is 'What a value must be; ops.check_setting knows the rules.';
comment on column ops.settings.unit is 'Unit of a number: %, ms, s, min, h, d; null for what has none.';

create table ops.setting_changes (
    id bigint generated always as identity primary key,
    key text not null references ops.settings (key),
    old_value jsonb not null,
    new_value jsonb not null,
    changed_at timestamptz not null,
    changed_by text not null
);

comment on table ops.setting_changes is 'Every change of a setting: from what, to what, by whom and when.';

create index setting_changes_key_idx on ops.setting_changes (key, changed_at desc);

alter table ops.settings enable row level security;
alter table ops.setting_changes enable row level security;

-- Validation -----------------------------------------------------------------

create function ops.looks_like_secret(p_text text)
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

create function ops.check_checked_urls(p_value jsonb)
returns text
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
declare
    v_item jsonb;
    v_url text;
    v_urls text[] := '{}';
begin
    if jsonb_typeof(p_value) <> 'array' or jsonb_array_length(p_value) > 1000 then
        return 'an array of at most 1000 objects {url, status?, contains?, name?}';
    end if;

    for v_item in select value from jsonb_array_elements(p_value) loop
        if jsonb_typeof(v_item) <> 'object' then
            return 'an array of objects {url, status?, contains?, name?}';
        end if;
        if v_item - '{url,status,contains,name}'::text[] <> '{}' then
            return 'no other keys than url, status, contains and name';
        end if;

        v_url := v_item ->> 'url';
        if jsonb_typeof(v_item -> 'url') is distinct from 'string'
            or v_url !~ '^https?://[^\s/?#@]+([/?#]\S*)?$'
            or length(v_url) > 1000
        then
            return 'a url of at most 1000 characters that begins with http:// or https:// in every item';
        end if;
        if v_url = any (v_urls) then
            return 'every url once';
        end if;
        v_urls := v_urls || v_url;

        if v_item ? 'status' and exists (
            select
            from jsonb_array_elements(
                case jsonb_typeof(v_item -> 'status')
                    when 'array' then
                        case when v_item -> 'status' = '[]' then '[null]' else v_item -> 'status' end
                    else jsonb_build_array(v_item -> 'status')
                end
            ) as code (value)
            where case jsonb_typeof(code.value)
                when 'number' then
                    code.value::numeric not between 100 and 599 or code.value::numeric % 1 <> 0
                else true
            end
        ) then
            return 'a status from 100 to 599, or an array of such, in every item that has one';
        end if;
        if v_item ? 'contains' and (
            jsonb_typeof(v_item -> 'contains') <> 'string'
            or length(v_item ->> 'contains') not between 1 and 500
        ) then
            return 'a text of 1 to 500 characters as contains';
        end if;
        if v_item ? 'name' and (
            jsonb_typeof(v_item -> 'name') <> 'string'
            or v_item ->> 'name' !~ '^[a-z0-9][a-z0-9-]{0,49}$'
        ) then
            return 'a name of at most 50 lower-case letters, digits and hyphens';
        end if;
    end loop;

    return null;
end
$$;

comment on function ops.check_checked_urls(jsonb) is
    'What a list of checked URLs should have been, or null if it is one.';

create function ops.check_contacts(p_value jsonb)
returns text
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
declare
    v_item jsonb;
begin
    if jsonb_typeof(p_value) <> 'array' or jsonb_array_length(p_value) > 50 then
        return 'an array of at most 50 objects {name, role, email?}';
    end if;

    for v_item in select value from jsonb_array_elements(p_value) loop
        if jsonb_typeof(v_item) <> 'object'
            or v_item - '{name,role,email}'::text[] <> '{}'
        then
            return 'an array of objects with no other keys than name, role and email';
        end if;
        if jsonb_typeof(v_item -> 'name') is distinct from 'string'
            or jsonb_typeof(v_item -> 'role') is distinct from 'string'
            or length(v_item ->> 'name') not between 1 and 100
            or length(v_item ->> 'role') not between 1 and 100
        then
            return 'a name and a role of 1 to 100 characters in every item';
        end if;
        if v_item ? 'email' and (
            jsonb_typeof(v_item -> 'email') <> 'string'
            or v_item ->> 'email' !~ '^[^\s@]+@[^\s@]+\.[^\s@]+$'
        ) then
            return 'an email address as email';
        end if;
    end loop;

    return null;
end
$$;

comment on function ops.check_contacts(jsonb) is
    'What a list of contacts should have been, or null if it is one.';

create function ops.check_setting(p_setting ops.settings)
returns text
language sql
immutable
parallel safe
set search_path = ''
as $$
    select case
        when p_setting.kind in ('number', 'integer') then case
            when jsonb_typeof(p_setting.value) <> 'number'
                or (p_setting.kind = 'integer' and p_setting.value::numeric % 1 <> 0)
                or p_setting.value::numeric < p_setting.minimum
                or p_setting.value::numeric > p_setting.maximum
            then concat_ws(
                ' ',
                case p_setting.kind when 'integer' then 'a whole number' else 'a number' end,
                'from ' || p_setting.minimum,
                'to ' || p_setting.maximum
            )
        end
        when p_setting.kind = 'boolean' then
            case when jsonb_typeof(p_setting.value) <> 'boolean' then 'true or false' end
        when p_setting.kind = 'text' then case
            when jsonb_typeof(p_setting.value) <> 'string' or length(p_setting.value #>> '{}') > 2000
            then 'a text of at most 2000 characters'
        end
        when p_setting.kind = 'checked_urls' then ops.check_checked_urls(p_setting.value)
        when p_setting.kind = 'contacts' then ops.check_contacts(p_setting.value)
    end
$$;

comment on function ops.check_setting(ops.settings) is
    'What the setting''s value should have been, or null if it is valid.';

create function ops.validate_setting()
returns trigger
language plpgsql
set search_path = ''
as $$
declare
    v_expected text := ops.check_setting(new);
begin
    -- A secret is refused first, and not repeated into a log.
    if exists (
        select
        from jsonb_path_query(new.value, 'strict $.** ? (@.type() == "string")') as leaf (value)
        where ops.looks_like_secret(leaf.value #>> '{}')
    ) then
        raise exception 'setting % must not hold a secret', new.key
            using errcode = 'invalid_parameter_value',
                  hint = 'Name an environment variable instead.';
    end if;
    if v_expected is not null then
        raise exception 'setting % expects %, not %', new.key, v_expected, left(new.value::text, 200)
            using errcode = 'invalid_parameter_value';
    end if;

    if tg_op = 'UPDATE' and new.value is distinct from old.value then
        insert into ops.setting_changes (key, old_value, new_value, changed_at, changed_by)
        values (new.key, old.value, new.value, new.updated_at, new.updated_by);
    end if;
    return new;
end
$$;

comment on function ops.validate_setting() is
    'Refuses a value that holds a secret or is not of its kind with SQLSTATE 22023, and writes the history of changes.';

create trigger validate_setting
    before insert or update on ops.settings
    for each row execute function ops.validate_setting();

-- The settings ---------------------------------------------------------------

insert into ops.settings (key, kind, value, default_value, minimum, maximum, unit, description)
select key, kind, value, value, minimum, maximum, unit, description
from (values
    ('app.urls', 'checked_urls', '[]'::jsonb, null::numeric, null::numeric, null, 'URLs of the application to check: {url, status?, contains?, name?}; empty means NEXT_PUBLIC_APP_URL.'),
    ('contacts', 'contacts', '[]', null, null, null, 'Who is responsible: {name, role, email?}.'),
    ('alert.bad_after', 'integer', '3', 1, 60, null, 'Bad observations in a row that open an alert.'),
    ('alert.good_after', 'integer', '2', 1, 60, null, 'Good observations in a row that resolve an alert.'),
    ('alert.event_quiet_minutes', 'integer', '60', 1, 10080, 'min', 'Silence after which an alert about an event resolves.'),
    ('threshold.error_rate_percent', 'number', '5', 0, 100, '%', 'Share of requests answered with status 500 or above.'),
    ('threshold.app_latency_ms', 'number', '5000', 1, 600000, 'ms', 'Response time of a checked URL.'),
    ('threshold.api_p95_ms', 'number', '5000', 1, 600000, 'ms', '95th percentile of API response times.'),
    ('threshold.api_average_ms', 'number', '500', 1, 600000, 'ms', 'Average of API response times.'),
    ('threshold.page_load_ms', 'number', '2000', 1, 600000, 'ms', 'Average page load time.'),
    ('threshold.slow_endpoint_p95_ms', 'number', '2000', 1, 600000, 'ms', '95th percentile of one endpoint''s response times.'),
    ('threshold.certificate_warning_days', 'integer', '30', 1, 365, 'd', 'Days left of a TLS certificate that call for attention.'),
    ('threshold.certificate_urgent_days', 'integer', '7', 0, 365, 'd', 'Days left of a TLS certificate that are urgent.'),
    ('threshold.minimum_samples', 'integer', '30', 1, 100000, null, 'Measurements below which nothing is called bad.'),
    ('window.error_rate_minutes', 'integer', '5', 1, 1440, 'min', 'Period of the error rate.'),
    ('window.latency_minutes', 'integer', '5', 1, 1440, 'min', 'Period of the 95th percentile of API response times.'),
    ('window.performance_minutes', 'integer', '15', 1, 1440, 'min', 'Period of the averages of API and page load times.'),
    ('window.endpoint_minutes', 'integer', '60', 1, 1440, 'min', 'Period of one endpoint''s 95th percentile.'),
    ('window.critical_error_minutes', 'integer', '5', 1, 1440, 'min', 'How far back a tick looks for critical errors and alerts of the application; never less than since the last tick.'),
    ('digest.hour_utc', 'integer', '9', 0, 23, 'h', 'Hour of the day, UTC, at which the digest is sent.'),
    ('delivery.maximum_attempts', 'integer', '8', 1, 20, null, 'Attempts to deliver a message before it is given up.'),
    ('delivery.lease_seconds', 'integer', '60', 5, 900, 's', 'How long a worker may hold a message that it delivers.'),
    ('links.runbook', 'text', '""', null, null, null, 'Address of the runbook; empty means the bundle''s own page.')
) as seed (key, kind, value, minimum, maximum, unit, description);

-- Functions ------------------------------------------------------------------

create function ops.read_settings()
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_object_agg(key, value) from ops.settings
$$;

comment on function ops.read_settings() is 'All settings as one object, key to value.';

create function ops.setting_document(p_setting ops.settings)
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

create function public.ops_list_settings()
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

comment on function public.ops_list_settings() is 'All settings with kind, bounds and who changed them last, by key.';

create function public.ops_set_setting(p_key text, p_value jsonb, p_by text)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_setting ops.settings;
begin
    if coalesce(length(btrim(p_by)), 0) not between 1 and 200 then
        raise exception 'a change of setting % needs the name of who makes it', p_key
            using errcode = 'invalid_parameter_value';
    end if;

    update ops.settings
    set
        -- SQL's and JSON's null both ask for the default.
        value = coalesce(nullif(p_value, 'null'), default_value),
        updated_at = now(),
        updated_by = btrim(p_by)
    where key = p_key
    returning * into v_setting;

    if not found then
        raise exception 'unknown setting %', coalesce(p_key, 'null')
            using errcode = 'invalid_parameter_value',
                  hint = 'known settings: ' || (
                      select string_agg(key, ', ' order by key)
                      from ops.settings
                      -- Those of the same group, if there is such a group.
                      where split_part(key, '.', 1) = split_part(p_key, '.', 1)
                          or not exists (
                              select
                              from ops.settings as sibling
                              where split_part(sibling.key, '.', 1) = split_part(p_key, '.', 1)
                          )
                  );
    end if;
    return ops.setting_document(v_setting);
end
$$;

comment on function public.ops_set_setting(text, jsonb, text) is
    'Changes one setting, or puts its default back if the value is null; refuses what is not valid with SQLSTATE 22023.';

revoke all on all functions in schema ops from public, anon, authenticated;
grant execute on all functions in schema ops to service_role;
revoke all on function public.ops_list_settings() from public, anon, authenticated;
grant execute on function public.ops_list_settings() to service_role;
revoke all on function public.ops_set_setting(text, jsonb, text) from public, anon, authenticated;
grant execute on function public.ops_set_setting(text, jsonb, text) to service_role;
