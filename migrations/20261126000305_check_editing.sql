-- Checks as data: adding, changing, removing and listing them.
--
-- Why: a change is asked for by name and field, is refused with what was
-- expected, and says who makes it.
-- Read by: `pourtrait checks`.
-- Undo: drop the functions of this file.

set local search_path = '';

create function ops.name_changing_person(p_by text)
returns void
language plpgsql
set search_path = ''
as $$
begin
    if coalesce(length(btrim(p_by)), 0) not between 1 and 200 then
        raise exception 'a change needs the name of who makes it'
            using errcode = 'invalid_parameter_value';
    end if;
    perform set_config('ops.changed_by', btrim(p_by), true);
end
$$;

comment on function ops.name_changing_person(text) is
    'Says who makes this transaction''s changes; refuses a change that nobody makes.';

create function ops.refuse_unknown_check(p_name text)
returns void
language plpgsql
set search_path = ''
as $$
begin
    raise exception 'no check is called %', coalesce(p_name, 'null')
        using errcode = 'invalid_parameter_value',
              hint = 'See `pourtrait checks list`.';
end
$$;

comment on function ops.refuse_unknown_check(text) is 'What is said where a definition is not there, with SQLSTATE 22023.';

create function ops.check_definition_fields(p_fields jsonb)
returns void
language plpgsql
immutable
set search_path = ''
as $$
declare
    v_expected text := case
        when jsonb_typeof(p_fields) is distinct from 'object' then 'an object of fields'
        when p_fields ? 'kind' and not ops.is_text(p_fields -> 'kind', 9, '^(http|tls|dns|tcp|heartbeat|rule)$')
        then 'http, tls, dns, tcp, heartbeat or rule as kind'
        when p_fields ? 'everySeconds' and not ops.is_whole(p_fields -> 'everySeconds', 60, 86400)
        then 'an everySeconds from 60 to 86400'
        when p_fields ? 'timeoutMs' and not ops.is_whole(p_fields -> 'timeoutMs', 100, 10000)
        then 'a timeoutMs from 100 to 10000'
        when p_fields ? 'severity' and not ops.is_text(p_fields -> 'severity', 8, '^(critical|high|medium|low)$')
        then 'critical, high, medium or low as severity'
        when p_fields ? 'enabled' and jsonb_typeof(p_fields -> 'enabled') <> 'boolean' then 'true or false as enabled'
    end;
begin
    if v_expected is not null then
        raise exception 'a check expects %', v_expected
            using errcode = 'invalid_parameter_value';
    end if;
end
$$;

comment on function ops.check_definition_fields(jsonb) is
    'Refuses what every kind has in common and is not valid with SQLSTATE 22023; absent fields have defaults.';

create function public.ops_add_check(p_name text, p_check jsonb, p_by text)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_definition ops.check_definitions;
begin
    perform ops.name_changing_person(p_by);
    perform ops.check_definition_fields(p_check);
    if coalesce(p_name, '') !~ '^[a-z0-9][a-z0-9-]{0,49}$' or not p_check ? 'kind' then
        raise exception 'a check needs a name of at most 50 lower-case letters, digits and hyphens, and a kind (http, tls, dns, tcp, heartbeat or rule)'
            using errcode = 'invalid_parameter_value';
    end if;

    insert into ops.check_definitions (name, kind, spec, every_seconds, timeout_ms, severity, enabled)
    values (
        p_name,
        p_check ->> 'kind',
        p_check - '{name,kind,everySeconds,timeoutMs,severity,enabled}'::text[],
        coalesce((p_check ->> 'everySeconds')::integer, 60),
        coalesce((p_check ->> 'timeoutMs')::integer, 10000),
        coalesce(p_check ->> 'severity', 'high'),
        coalesce((p_check ->> 'enabled')::boolean, true)
    )
    on conflict (name) do nothing
    returning * into v_definition;
    if not found then
        raise exception 'there is a check called % already', p_name
            using errcode = 'invalid_parameter_value',
                  hint = 'Change it with `pourtrait checks edit`.';
    end if;
    return ops.definition_document(v_definition);
end
$$;

comment on function public.ops_add_check(text, jsonb, text) is
    'Adds a check: kind, everySeconds, timeoutMs, severity, enabled, and what its kind asks for, in one object; refuses what is not valid with SQLSTATE 22023.';

create function public.ops_edit_check(p_name text, p_changes jsonb, p_by text)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_definition ops.check_definitions;
    v_next jsonb;
begin
    perform ops.name_changing_person(p_by);
    select * into v_definition from ops.check_definitions where name = p_name for update;
    if not found then
        perform ops.refuse_unknown_check(p_name);
    end if;

    -- Null takes a field away, which for the common ones is the default.
    select jsonb_object_agg(key, value) into v_next
    from jsonb_each(ops.definition_document(v_definition) || p_changes)
    where p_changes -> key is distinct from 'null';
    perform ops.check_definition_fields(v_next);
    if v_next ->> 'kind' is distinct from v_definition.kind or v_next ->> 'name' is distinct from p_name then
        raise exception 'the kind and the name of check % stay as they are: its history hangs on them', p_name
            using errcode = 'invalid_parameter_value',
                  hint = 'Remove it, and add another.';
    end if;

    update ops.check_definitions
    set
        spec = v_next - '{name,kind,everySeconds,timeoutMs,severity,enabled}'::text[],
        every_seconds = coalesce((v_next ->> 'everySeconds')::integer, 60),
        timeout_ms = coalesce((v_next ->> 'timeoutMs')::integer, 10000),
        severity = coalesce(v_next ->> 'severity', 'high'),
        enabled = coalesce((v_next ->> 'enabled')::boolean, true)
    where name = p_name
    returning * into v_definition;
    return ops.definition_document(v_definition);
end
$$;

comment on function public.ops_edit_check(text, jsonb, text) is
    'Changes the named fields of a check, and takes away those that are null; refuses what is not valid with SQLSTATE 22023.';

create function public.ops_remove_check(p_name text, p_by text)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_definition ops.check_definitions;
begin
    perform ops.name_changing_person(p_by);
    delete from ops.check_definitions where name = p_name returning * into v_definition;
    if not found then
        perform ops.refuse_unknown_check(p_name);
    end if;
    return ops.definition_document(v_definition);
end
$$;

comment on function public.ops_remove_check(text, text) is
    'Removes a check; its samples stay, and what is open of it resolves with the next ticks.';

create function public.ops_list_checks()
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_build_object(
        'checks', coalesce(
            jsonb_agg(
                jsonb_build_object(
                    'definition', ops.definition_document(definition),
                    'updatedAt', definition.updated_at,
                    'updatedBy', definition.updated_by,
                    'status', newest.status,
                    'reason', newest.reason,
                    'latencyMs', newest.latency_ms,
                    'at', newest.at
                )
                order by definition.name
            ),
            '[]'
        )
    )
    from ops.check_definitions as definition
    left join lateral (
        select sample.status, sample.reason, sample.latency_ms, sample.at
        from ops.samples as sample
        where sample.check_name = definition.check_name
        order by sample.at desc, sample.id desc
        limit 1
    ) as newest on true
$$;

comment on function public.ops_list_checks() is
    'All definitions by name, with who changed them last and what was seen last; null before the first sample.';

revoke all on all functions in schema ops from public, anon, authenticated;
grant execute on all functions in schema ops to service_role;
revoke all on function public.ops_add_check(text, jsonb, text) from public, anon, authenticated;
grant execute on function public.ops_add_check(text, jsonb, text) to service_role;
revoke all on function public.ops_edit_check(text, jsonb, text) from public, anon, authenticated;
grant execute on function public.ops_edit_check(text, jsonb, text) to service_role;
revoke all on function public.ops_remove_check(text, text) from public, anon, authenticated;
grant execute on function public.ops_remove_check(text, text) to service_role;
revoke all on function public.ops_list_checks() from public, anon, authenticated;
grant execute on function public.ops_list_checks() to service_role;
