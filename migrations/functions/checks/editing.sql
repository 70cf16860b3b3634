-- Adding, changing, removing and listing custom checks. A caller names the check, the
-- fields that change, and the person who changes them; whatever is not valid is refused.

create or replace function ops.name_changing_person(p_by text)
returns void
language plpgsql
set search_path = ''
as $$
begin
    perform ops.check_length('by', btrim(p_by), 200);
    perform set_config('ops.changed_by', btrim(p_by), true);
end
$$;

comment on function ops.name_changing_person(text) is
    'Remembers for the rest of this transaction who makes its changes; refuses a change that nobody makes.';

create or replace function ops.refuse_unknown_check(p_name text)
returns void
language plpgsql
set search_path = ''
as $$
begin
    perform ops.refuse('name', 'the name of a check', p_name, 'See `pourtrait checks list`.');
end
$$;

comment on function ops.refuse_unknown_check(text) is
    'Refuses the name of a custom check that does not exist, with SQLSTATE 22023.';

create or replace function ops.find_field_fault(p_fields jsonb)
returns ops.fault
language sql
stable
set search_path = ''
as $$
    select case
        when jsonb_typeof(p_fields) is distinct from 'object'
        then ops.make_fault('check', 'an object of fields', jsonb_typeof(p_fields))
        when p_fields ? 'kind' and not ops.is_word(p_fields -> 'kind', ops.custom_kinds())
        then ops.make_fault('kind', ops.join_words(ops.custom_kinds()), ops.show(p_fields -> 'kind'))
        when p_fields ? 'everySeconds' and not ops.is_whole(p_fields -> 'everySeconds', 60, 86400)
        then ops.make_fault('everySeconds', 'a whole number from 60 to 86400', ops.show(p_fields -> 'everySeconds'))
        when p_fields ? 'timeoutMs' and not ops.is_whole(p_fields -> 'timeoutMs', 100, 10000)
        then ops.make_fault('timeoutMs', 'a whole number from 100 to 10000', ops.show(p_fields -> 'timeoutMs'))
        when p_fields ? 'severity' and not ops.is_word(p_fields -> 'severity', ops.words('ops.severity'))
        then ops.make_fault('severity', ops.join_words(ops.words('ops.severity')), ops.show(p_fields -> 'severity'))
        when p_fields ? 'enabled' and jsonb_typeof(p_fields -> 'enabled') <> 'boolean'
        then ops.make_fault('enabled', 'true or false', ops.show(p_fields -> 'enabled'))
    end
$$;

comment on function ops.find_field_fault(jsonb) is
    'What is wrong with the fields that checks of every kind have, or null. An absent field has a default, so it is no fault.';

create or replace function ops.read_check(p_name text, p_fields jsonb)
returns ops.custom_checks
language plpgsql
stable
set search_path = ''
as $$
declare
    v_fields jsonb := ops.with_plain_numbers(p_fields);
    v_fault ops.fault := ops.find_field_fault(v_fields);
    v_check ops.custom_checks;
begin
    if coalesce(p_name, '') !~ '^[a-z0-9][a-z0-9-]{0,49}$' then
        perform ops.refuse(
            'name',
            '1 to 50 lower-case letters, digits and hyphens, the first no hyphen',
            ops.without_secrets(nullif(p_name, ''))
        );
    end if;
    if v_fault.field is not null then
        perform ops.refuse(format('%s of check %s', v_fault.field, p_name), v_fault.expected, v_fault.got);
    end if;
    perform ops.check_word('kind', v_fields ->> 'kind', ops.custom_kinds());

    v_check.name := p_name;
    v_check.kind := v_fields ->> 'kind';
    v_check.spec := v_fields - '{name,kind,everySeconds,timeoutMs,severity,enabled}'::text[];
    v_check.every_seconds := coalesce((v_fields ->> 'everySeconds')::integer, 60);
    v_check.timeout_ms := coalesce((v_fields ->> 'timeoutMs')::integer, 10000);
    v_check.severity := coalesce(v_fields ->> 'severity', 'high');
    v_check.enabled := coalesce((v_fields ->> 'enabled')::boolean, true);
    return v_check;
end
$$;

comment on function ops.read_check(text, jsonb) is
    'A custom check from its name and its fields, as far as those of every kind go; what is not valid is refused with SQLSTATE 22023. A field that is absent has its default.';

create or replace function public.ops_add_check(p_name text, p_check jsonb, p_by text)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_check ops.custom_checks;
begin
    perform ops.hold_functions();
    perform ops.name_changing_person(p_by);
    v_check := ops.read_check(p_name, p_check);
    insert into ops.custom_checks (name, kind, spec, every_seconds, timeout_ms, severity, enabled)
    values (
        v_check.name,
        v_check.kind,
        v_check.spec,
        v_check.every_seconds,
        v_check.timeout_ms,
        v_check.severity,
        v_check.enabled
    )
    on conflict (name) do nothing
    returning * into v_check;
    if not found then
        perform ops.refuse(
            'name', 'a name that no check has yet', p_name, 'Change that check with `pourtrait checks edit`.'
        );
    end if;
    return ops.custom_check_document(v_check);
end
$$;

comment on function public.ops_add_check(text, jsonb, text) is
    'Adds a custom check. Its kind, everySeconds, timeoutMs, severity, enabled and the keys of its kind''s spec are given as one object; what is not valid is refused with SQLSTATE 22023.';

create or replace function ops.check_unchanged(p_field text, p_former text, p_next text)
returns void
language plpgsql
set search_path = ''
as $$
begin
    if p_next is distinct from p_former then
        perform ops.refuse(
            p_field,
            p_former || ' as before',
            ops.without_secrets(p_next),
            'The history of the check belongs to its name and kind: remove the check, and add another one.'
        );
    end if;
end
$$;

comment on function ops.check_unchanged(text, text, text) is
    'Refuses another name or kind for a check that exists, with SQLSTATE 22023.';

create or replace function public.ops_edit_check(p_name text, p_changes jsonb, p_by text)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_check ops.custom_checks;
    v_fields jsonb;
    v_next ops.custom_checks;
begin
    perform ops.hold_functions();
    perform ops.name_changing_person(p_by);
    if jsonb_typeof(p_changes) is distinct from 'object' then
        perform ops.refuse('changes', 'an object of fields', jsonb_typeof(p_changes));
    end if;
    select * into v_check from ops.custom_checks where name = p_name for update;
    if not found then
        perform ops.refuse_unknown_check(p_name);
    end if;

    -- Null takes a field away; a field that every kind has falls back to its default then.
    select jsonb_object_agg(key, value) into v_fields
    from jsonb_each(ops.custom_check_document(v_check) || p_changes)
    where p_changes -> key is distinct from 'null';
    perform ops.check_unchanged('name', p_name, v_fields ->> 'name');
    perform ops.check_unchanged('kind', v_check.kind, v_fields ->> 'kind');
    v_next := ops.read_check(p_name, v_fields);

    update ops.custom_checks
    set
        spec = v_next.spec,
        every_seconds = v_next.every_seconds,
        timeout_ms = v_next.timeout_ms,
        severity = v_next.severity,
        enabled = v_next.enabled
    where name = p_name
    returning * into v_check;
    return ops.custom_check_document(v_check);
end
$$;

comment on function public.ops_edit_check(text, jsonb, text) is
    'Changes the named fields of a custom check, and takes away those that are null; what is not valid is refused with SQLSTATE 22023.';

create or replace function public.ops_remove_check(p_name text, p_by text)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_check ops.custom_checks;
begin
    perform ops.hold_functions();
    perform ops.name_changing_person(p_by);
    delete from ops.custom_checks where name = p_name returning * into v_check;
    if not found then
        perform ops.refuse_unknown_check(p_name);
    end if;
    return ops.custom_check_document(v_check);
end
$$;

comment on function public.ops_remove_check(text, text) is
    'Removes a custom check. Its samples stay, and the next ticks resolve the alerts that are open about it.';

create or replace function public.ops_list_checks()
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_build_object(
        'checks', coalesce(
            jsonb_agg(
                jsonb_build_object(
                    'definition', ops.custom_check_document(custom),
                    'updatedAt', custom.updated_at,
                    'updatedBy', custom.updated_by,
                    'status', newest.status,
                    'reason', newest.reason,
                    'latencyMs', newest.latency_ms,
                    'at', newest.at
                )
                order by custom.name
            ),
            '[]'
        )
    )
    from ops.custom_checks as custom
    left join lateral (
        select sample.status, sample.reason, sample.latency_ms, sample.at
        from ops.samples as sample
        where sample.check_name = custom.check_name
        order by sample.at desc, sample.id desc
        limit 1
    ) as newest on true
$$;

comment on function public.ops_list_checks() is
    'Lists all custom checks by name, with the person who changed each of them last and its newest sample; the sample''s fields are null before the first one.';
