-- Custom checks: what an operator adds beside the application's own URLs. A check is
-- validated where it is stored, and every change is recorded with its author, whether it
-- was made by the operator's command or by SQL.

create or replace function ops.custom_check_document(p_check ops.custom_checks)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_build_object(
        'name', p_check.name,
        'kind', p_check.kind,
        'everySeconds', p_check.every_seconds,
        'timeoutMs', p_check.timeout_ms,
        'severity', p_check.severity,
        'enabled', p_check.enabled
    ) || p_check.spec
$$;

comment on function ops.custom_check_document(ops.custom_checks) is
    'A custom check as one object: the fields that every kind has, and those of its spec.';

create or replace function ops.changing_person()
returns text
language sql
stable
set search_path = ''
as $$
    select coalesce(nullif(current_setting('ops.changed_by', true), ''), session_user)
$$;

comment on function ops.changing_person() is
    'Who makes the changes of this transaction: the name that ops.name_changing_person was given, else the role of the session.';

create or replace function ops.validate_custom_check()
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
        from jsonb_path_query(new.spec, 'strict $.** ? (@.type() == "string")') as leaf (value)
        where ops.looks_like_secret(leaf.value #>> '{}')
    ) then
        raise exception 'check % must not hold a secret', new.name
            using errcode = 'invalid_parameter_value',
                  hint = 'Name an environment variable that begins with CHECK_ instead, as ${CHECK_…}.';
    end if;
    new.spec := ops.with_plain_numbers(new.spec);
    v_fault := ops.find_spec_fault(new.kind, new.spec);
    if v_fault.field is not null then
        perform ops.refuse(format('%s of check %s', v_fault.field, new.name), v_fault.expected, v_fault.got);
    end if;
    if tg_op = 'INSERT' and (select count(*) from ops.custom_checks) >= 1000 then
        perform ops.refuse('the number of checks', 'at most 1000', '1001');
    end if;

    new.updated_at := now();
    new.updated_by := ops.changing_person();
    return new;
end
$$;

comment on function ops.validate_custom_check() is
    'Refuses with SQLSTATE 22023 a custom check that holds a secret or whose spec does not fit its kind, and notes who changed it.';

create or replace function ops.record_check_change()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
    insert into ops.check_changes (name, change, old_value, new_value, changed_at, changed_by)
    select
        coalesce(new.name, old.name),
        case tg_op when 'INSERT' then 'added' when 'UPDATE' then 'edited' else 'removed' end,
        case when tg_op <> 'INSERT' then ops.custom_check_document(old) end,
        case when tg_op <> 'DELETE' then ops.custom_check_document(new) end,
        now(),
        ops.changing_person();
    perform ops.write_audit(
        'check.changed', ops.changing_person(), coalesce(new.name, old.name),
        jsonb_build_object('change', case tg_op when 'INSERT' then 'added' when 'UPDATE' then 'edited' else 'removed' end)
    );
    return null;
end
$$;

comment on function ops.record_check_change() is
    'Records every change of a custom check in ops.check_changes, and that there was one in the audit log.';
