-- What alerts depend on: custom checks say it in their key dependsOn, rules in
-- ops.dependencies. An alert that depended on itself in the end would never be sent, so a
-- dependency that closes a circle is refused.

create or replace function ops.known_services()
returns text[]
language sql
immutable
parallel safe
set search_path = ''
as $$
    select '{app,database,ai,imageProcessing,email,storage}'::text[]
$$;

comment on function ops.known_services() is
    'The services that are always watched, which a check may name in dependsOn.';

create or replace function ops.find_needed(p_name text)
returns table (rule text, subject text)
language sql
immutable
parallel safe
set search_path = ''
as $$
    select 'check_failing', p_name
    union all
    select
        case p_name when 'app' then 'app_down' when 'database' then 'database_failing' else 'service_degraded' end,
        case when p_name not in ('app', 'database') then p_name end
    where p_name = any (ops.known_services())
$$;

comment on function ops.find_needed(text) is
    'The alerts that a name in dependsOn stands for, by rule and subject (null: any subject): those about the custom check of that name, and those about the service.';

create or replace function ops.find_needs(p_check ops.custom_checks)
returns table (rule text, subject text, needs_rule text, needs_subject text, same_subject boolean)
language sql
immutable
parallel safe
set search_path = ''
as $$
    select dependent.rule, p_check.name, needed.rule, needed.subject, false
    from jsonb_array_elements_text(p_check.spec -> 'dependsOn') as named (name)
    cross join lateral ops.find_needed(named.name) as needed
    cross join (values ('check_failing'), ('check_slow')) as dependent (rule)
$$;

comment on function ops.find_needs(ops.custom_checks) is
    'What a custom check names in dependsOn, in the form of dependencies of its two rules.';

create or replace function ops.list_dependencies()
returns table (rule text, subject text, needs_rule text, needs_subject text, same_subject boolean)
language sql
stable
set search_path = ''
as $$
    select rule, subject, needs_rule, needs_subject, same_subject
    from ops.dependencies
    where enabled
    union all
    select needs.*
    from ops.custom_checks as custom
    cross join lateral ops.find_needs(custom) as needs
    where custom.spec ? 'dependsOn'
$$;

comment on function ops.list_dependencies() is
    'All dependencies: the rows of ops.dependencies, and what custom checks name in dependsOn.';

create or replace function ops.find_dependents(p_rule text, p_subject text)
returns table (rule text, subject text)
language plpgsql
stable
set search_path = ''
as $$
declare
    v_names text[] := array(
        select name
        from unnest(ops.known_services() || p_subject) as name
        cross join lateral ops.find_needed(name) as needed
        where name is not null and needed.rule = p_rule and coalesce(needed.subject = p_subject, true)
    );
    -- A subject that may be any check is needed by whatever needs any check.
    v_any_check boolean := p_rule = 'check_failing' and p_subject is null;
begin
    return query
    select
        dependency.rule,
        case when dependency.same_subject then coalesce(dependency.subject, p_subject) else dependency.subject end
    from ops.dependencies as dependency
    where dependency.enabled
        and dependency.needs_rule = p_rule
        and coalesce(
            case when dependency.same_subject then dependency.subject else dependency.needs_subject end = p_subject,
            true
        )
    union
    select dependent.rule, custom.name
    from ops.custom_checks as custom
    cross join (values ('check_failing'), ('check_slow')) as dependent (rule)
    where custom.spec -> 'dependsOn' ?| v_names or v_any_check and custom.spec ? 'dependsOn';
end
$$;

comment on function ops.find_dependents(text, text) is
    'The alerts, by rule and subject (null: any), that an alert of this rule and subject (null: any) may directly cause.';

create or replace function ops.needs_itself(p_rule text, p_subject text)
returns boolean
language plpgsql
stable
set search_path = ''
-- Compiling a plan would take longer than running it.
set jit = off
as $$
begin
    return (
        -- Few alerts cause others, and many have a cause, so the way goes from cause to
        -- consequence: what is new causes nothing yet.
        with recursive caused (rule, subject) as (
            select * from ops.find_dependents(p_rule, p_subject)
            union
            select further.*
            from caused
            cross join lateral ops.find_dependents(caused.rule, caused.subject) as further
        )
        select exists (
            select from caused where rule = p_rule and coalesce(subject = p_subject, true)
        )
    );
end
$$;

comment on function ops.needs_itself(text, text) is
    'Whether an alert of that rule and subject (null: any) could be its own cause, through the alerts that it causes.';

create or replace function ops.refuse_circle(p_rule text, p_subject text)
returns void
language plpgsql
set search_path = ''
as $$
begin
    -- Two sessions must not add the two halves of a circle at the same time.
    perform pg_advisory_xact_lock(hashtextextended('ops.dependencies', 0));
    if ops.needs_itself(p_rule, p_subject) then
        perform ops.refuse(
            'what ' || concat_ws(' ', p_rule, p_subject) || ' depends on',
            'free of circles',
            'one by which it would need itself',
            'An alert that depends on itself would never be sent.'
        );
    end if;
end
$$;

comment on function ops.refuse_circle(text, text) is
    'Refuses a dependency with SQLSTATE 22023 if an alert would depend on itself by it.';

create or replace function ops.check_dependency()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
    perform ops.refuse_circle(new.rule, new.subject);
    return null;
end
$$;

comment on function ops.check_dependency() is 'Refuses a row of ops.dependencies that closes a circle.';

create or replace function ops.check_needs()
returns trigger
language plpgsql
set search_path = ''
as $$
declare
    v_unknown text;
begin
    select named.name into v_unknown
    from jsonb_array_elements_text(new.spec -> 'dependsOn') as named (name)
    where named.name <> all (ops.known_services())
        and not exists (select from ops.custom_checks where name = named.name)
    limit 1;
    if found then
        perform ops.refuse(
            format('dependsOn of check %s', new.name),
            'names of checks and services',
            v_unknown,
            format(
                'Services: %s; for checks see `pourtrait checks list`.', array_to_string(ops.known_services(), ', ')
            )
        );
    end if;
    perform ops.refuse_circle('check_failing', new.name);
    return null;
end
$$;

comment on function ops.check_needs() is
    'Refuses with SQLSTATE 22023 a custom check that depends on something that does not exist, or on itself.';

create or replace function ops.keep_needed_check()
returns trigger
language plpgsql
set search_path = ''
as $$
declare
    v_dependent text;
begin
    select name into v_dependent
    from ops.custom_checks
    where spec -> 'dependsOn' ? old.name
    order by name
    limit 1;
    if found and old.name <> all (ops.known_services()) then
        perform ops.refuse(
            'name',
            'the name of a check that no other check depends on',
            format('%s, which is needed by check %s', old.name, v_dependent),
            'Change dependsOn of the other check first, or remove that check.'
        );
    end if;
    return null;
end
$$;

comment on function ops.keep_needed_check() is
    'Refuses with SQLSTATE 22023 to remove a check that another one names in dependsOn.';
