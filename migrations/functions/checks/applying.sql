-- Custom checks as a whole, as a file names them: what the file has and the database lacks
-- is added, what differs is changed, and on demand what the file does not name is removed;
-- all of it, or nothing.

create or replace function ops.read_checks_of_file(p_checks jsonb)
returns setof ops.custom_checks
language plpgsql
stable
set search_path = ''
as $$
declare
    v_twice text;
begin
    if jsonb_typeof(p_checks) is distinct from 'array' then
        perform ops.refuse('checks', 'an array of checks', jsonb_typeof(p_checks));
    end if;
    select given.definition ->> 'name' into v_twice
    from jsonb_array_elements(p_checks) as given (definition)
    group by given.definition ->> 'name'
    having count(*) > 1
    limit 1;
    if found then
        perform ops.refuse('the name of a check', 'one that no other check of the file has', v_twice);
    end if;
    return query
    select read.*
    from jsonb_array_elements(p_checks) as given (definition)
    cross join lateral ops.read_check(given.definition ->> 'name', given.definition) as read;
end
$$;

comment on function ops.read_checks_of_file(jsonb) is
    'The custom checks that a file names; what is not valid is refused with SQLSTATE 22023.';

create or replace function ops.write_checks(p_checks jsonb, p_remove boolean)
returns void
language plpgsql
set search_path = ''
as $$
declare
    v_given ops.custom_checks[] := array(select given from ops.read_checks_of_file(p_checks) as given);
begin
    perform ops.check_unchanged(format('kind of check %s', given.name), kept.kind, given.kind)
    from unnest(v_given) as given
    join ops.custom_checks as kept on kept.name = given.name;

    -- One statement each, so that checks that are added together may need each other.
    insert into ops.custom_checks (name, kind, spec, every_seconds, timeout_ms, severity, enabled)
    select name, kind, spec, every_seconds, timeout_ms, severity, enabled
    from unnest(v_given) as given
    where not exists (select from ops.custom_checks as kept where kept.name = given.name)
    order by name;

    update ops.custom_checks as kept
    set
        spec = given.spec,
        every_seconds = given.every_seconds,
        timeout_ms = given.timeout_ms,
        severity = given.severity,
        enabled = given.enabled
    from unnest(v_given) as given
    where given.name = kept.name
        and (given.spec, given.every_seconds, given.timeout_ms, given.severity, given.enabled)
            is distinct from (kept.spec, kept.every_seconds, kept.timeout_ms, kept.severity, kept.enabled);

    delete from ops.custom_checks as kept
    where p_remove and not exists (select from unnest(v_given) as given where given.name = kept.name);
end
$$;

comment on function ops.write_checks(jsonb, boolean) is
    'Makes the custom checks what a file names; those that it does not name stay, unless they are to be removed. What is as it should be is not touched.';

create or replace function public.ops_apply_checks(p_checks jsonb, p_remove boolean, p_dry_run boolean, p_by text)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_last bigint;
    v_changes jsonb;
begin
    perform ops.hold_functions();
    perform ops.name_changing_person(p_by);
    select coalesce(max(id), 0) into v_last from ops.check_changes;
    begin
        perform ops.write_checks(p_checks, p_remove);
        select jsonb_agg(
            jsonb_build_object('name', name, 'change', change, 'from', old_value, 'to', new_value) order by name
        ) into v_changes
        from ops.check_changes
        where id > v_last and changed_at = now();
        if p_dry_run then
            -- What was done is known; this block takes it back.
            raise exception using errcode = 'PT000';
        end if;
    exception
        when sqlstate 'PT000' then
            null;
    end;
    return jsonb_build_object(
        'changes', coalesce(v_changes, '[]'),
        'unnamed', (
            select coalesce(jsonb_agg(name order by name), '[]')
            from ops.custom_checks
            where not p_remove and name <> all (
                select given.definition ->> 'name' from jsonb_array_elements(p_checks) as given (definition)
            )
        ),
        'dryRun', p_dry_run
    );
end
$$;

comment on function public.ops_apply_checks(jsonb, boolean, boolean, text) is
    'Makes the custom checks what a file names, all at once, and returns what was changed from what to what, and which checks the file does not name; those are removed only on demand. A dry run returns the same and changes nothing. Refuses what is not valid with SQLSTATE 22023.';
