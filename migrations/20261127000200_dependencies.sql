-- What depends on what: which alerts are only the consequence of another.
--
-- Why: when the database is down, everything that stands on it fails too, and
-- whoever is called needs to hear of the database. What the bundle's own rules
-- need are rows here; what a kept check needs is in its definition, as
-- dependsOn. Whatever needs itself in the end would never be told, so a circle
-- is refused where it would be closed.
-- Read by: ops.find_holds (the next file).
-- Undo: put back the former ops.known_spec_keys and ops.check_definition_spec;
-- drop the triggers on ops.check_definitions and the functions of this file, then
-- ops.dependencies; take the setting away.

set local search_path = '';

insert into ops.settings (key, kind, value, default_value, minimum, maximum, unit, description)
values
    ('dependency.grace_minutes', 'integer', '3', '3', 0, 60, 'min', 'How long after the end of an alert its consequences may still recover without being told.');

create table ops.dependencies (
    id bigint generated always as identity primary key,
    rule text not null references ops.rules (rule),
    subject text,
    needs_rule text not null references ops.rules (rule),
    needs_subject text,
    same_subject boolean not null default false,
    check (needs_subject is null or not same_subject)
);

comment on table ops.dependencies is 'Alerts that are consequences: those of rule (and subject) need that nothing is bad by needs_rule (and needs_subject).';
comment on column ops.dependencies.subject is 'Null means every subject of the rule, as needs_subject does.';
comment on column ops.dependencies.same_subject is 'Whether only the same subject is needed: a page that is slow needs that this page is not down.';

create index dependencies_rule_idx on ops.dependencies (rule);
create index dependencies_needs_rule_idx on ops.dependencies (needs_rule);

alter table ops.dependencies enable row level security;

create function ops.known_services()
returns text[]
language sql
immutable
parallel safe
set search_path = ''
as $$
    select '{app,database,ai,imageProcessing,email,storage}'::text[]
$$;

comment on function ops.known_services() is 'The services that are always watched, as a check may name them in dependsOn.';

create function ops.find_needed(p_name text)
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
    'By which rules, about which subject (null: any), that what a name in dependsOn stands for would be bad: the check of that name, and the service.';

create function ops.find_needs(p_definition ops.check_definitions)
returns table (rule text, subject text, needs_rule text, needs_subject text, same_subject boolean)
language sql
immutable
parallel safe
set search_path = ''
as $$
    select dependent.rule, p_definition.name, needed.rule, needed.subject, false
    from jsonb_array_elements_text(p_definition.spec -> 'dependsOn') as named (name)
    cross join lateral ops.find_needed(named.name) as needed
    cross join (values ('check_failing'), ('check_slow')) as dependent (rule)
$$;

comment on function ops.find_needs(ops.check_definitions) is 'What a kept check says that it depends on, as dependencies of its rules.';

create function ops.list_dependencies()
returns table (rule text, subject text, needs_rule text, needs_subject text, same_subject boolean)
language sql
stable
set search_path = ''
as $$
    select rule, subject, needs_rule, needs_subject, same_subject
    from ops.dependencies
    union all
    select needs.*
    from ops.check_definitions as definition
    cross join lateral ops.find_needs(definition) as needs
    where definition.spec ? 'dependsOn'
$$;

comment on function ops.list_dependencies() is 'All dependencies: the rows of ops.dependencies and what kept checks say.';

create function ops.find_dependencies(p_rule text, p_subject text)
returns table (needs_rule text, needs_subject text)
language sql
stable
set search_path = ''
as $$
    with found as (
        select subject, needs_rule, needs_subject, same_subject
        from ops.dependencies
        where rule = p_rule
        union all
        select needs.subject, needs.needs_rule, needs.needs_subject, needs.same_subject
        from ops.check_definitions as definition
        cross join lateral ops.find_needs(definition) as needs
        where definition.name = p_subject and needs.rule = p_rule
    )
    select needs_rule, case when same_subject then p_subject else needs_subject end
    from found
    where coalesce(subject = p_subject, true)
    union
    -- Whoever may be any check needs whatever any check needs.
    select needs_rule, needs_subject
    from ops.list_dependencies()
    where p_subject is null and rule = p_rule
$$;

comment on function ops.find_dependencies(text, text) is
    'By what, about which subject (null: any), an alert of that rule and subject (null: any) may be caused directly.';

-- Circles --------------------------------------------------------------------

create function ops.needs_itself(p_rule text, p_subject text)
returns boolean
language sql
stable
set search_path = ''
-- Compiling a plan would take longer than running it.
set jit = off
as $$
    with recursive needed (rule, subject) as (
        select needs_rule, needs_subject
        from ops.find_dependencies(p_rule, p_subject)
        union
        select further.needs_rule, further.needs_subject
        from needed
        cross join lateral ops.find_dependencies(needed.rule, needed.subject) as further
    )
    select exists (
        select from needed where rule = p_rule and coalesce(subject = p_subject, true)
    )
$$;

comment on function ops.needs_itself(text, text) is
    'Whether an alert of that rule and subject (null: any) could be its own cause, by way of whatever it needs.';

create function ops.refuse_circle(p_rule text, p_subject text)
returns void
language plpgsql
set search_path = ''
as $$
begin
    -- Two halves of a circle must not be added side by side.
    perform pg_advisory_xact_lock(hashtextextended('ops.dependencies', 0));
    if ops.needs_itself(p_rule, p_subject) then
        raise exception '% would need itself in the end', concat_ws(' ', p_rule, p_subject)
            using errcode = 'invalid_parameter_value',
                  hint = 'What needs itself would never be told.';
    end if;
end
$$;

comment on function ops.refuse_circle(text, text) is 'Refuses what would need itself with SQLSTATE 22023.';

create function ops.check_dependency()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
    perform ops.refuse_circle(new.rule, new.subject);
    return null;
end
$$;

comment on function ops.check_dependency() is 'Refuses a dependency that closes a circle.';

create trigger check_dependency
    after insert or update on ops.dependencies
    for each row execute function ops.check_dependency();

insert into ops.dependencies (rule, subject, needs_rule, same_subject)
values
    -- What users measure says nothing new while pages or the database are away.
    ('error_rate_high', null, 'app_down', false),
    ('api_slow', null, 'app_down', false),
    ('api_average_slow', null, 'app_down', false),
    ('page_load_slow', null, 'app_down', false),
    ('web_vital_poor', null, 'app_down', false),
    ('endpoint_slow', null, 'app_down', false),
    ('slo_fast_burn', null, 'app_down', false),
    ('slo_slow_burn', null, 'app_down', false),
    ('app_slow', null, 'app_down', true),
    ('error_rate_high', null, 'database_failing', false),
    ('api_slow', null, 'database_failing', false),
    ('api_average_slow', null, 'database_failing', false),
    ('page_load_slow', null, 'database_failing', false),
    ('web_vital_poor', null, 'database_failing', false),
    ('endpoint_slow', null, 'database_failing', false),
    ('slo_fast_burn', null, 'database_failing', false),
    ('slo_slow_burn', null, 'database_failing', false),
    ('app_slow', null, 'database_failing', false),
    -- Supabase Storage keeps its objects' names in the database.
    ('service_degraded', 'storage', 'database_failing', false),
    ('service_degraded', 'database', 'database_failing', false),
    ('check_slow', null, 'check_failing', true);

-- Kept checks ----------------------------------------------------------------

create or replace function ops.known_spec_keys(p_kind text)
returns text[]
language sql
immutable
parallel safe
set search_path = ''
as $$
    select case p_kind
        when 'http' then '{url,method,headers,body,status,contains,json,redirects,maxLatencyMs,dependsOn}'
        when 'tls' then '{host,port,maxLatencyMs,dependsOn}'
        when 'dns' then '{host,address,maxLatencyMs,dependsOn}'
        when 'tcp' then '{host,port,maxLatencyMs,dependsOn}'
        when 'heartbeat' then '{periodSeconds,graceSeconds,dependsOn}'
        when 'rule' then '{event,windowMinutes,minimum,dependsOn}'
    end::text[]
$$;

create function ops.is_list_of_names(p_value jsonb, p_maximum integer)
returns boolean
language sql
immutable
parallel safe
set search_path = ''
as $$
    select case jsonb_typeof(p_value)
        when 'array' then jsonb_array_length(p_value) between 1 and p_maximum and not exists (
            select from jsonb_array_elements(p_value) as named (name) where not ops.is_text(named.name, 50, '')
        )
        else false
    end
$$;

comment on function ops.is_list_of_names(jsonb, integer) is 'Whether a value is an array of names, of one at least.';

create or replace function ops.check_definition_spec(p_kind text, p_spec jsonb)
returns text
language sql
immutable
parallel safe
set search_path = ''
as $$
    select case
        when jsonb_typeof(p_spec) <> 'object' then 'an object'
        when p_spec - ops.known_spec_keys(p_kind) <> '{}'
        then 'no other keys than ' || array_to_string(ops.known_spec_keys(p_kind), ', ')
        when p_spec ? 'dependsOn' and not ops.is_list_of_names(p_spec -> 'dependsOn', 20)
        then 'an array of 1 to 20 names of checks and services as dependsOn'
        when p_kind = 'http' then ops.check_http_spec(p_spec)
        when p_kind in ('tls', 'dns', 'tcp') then ops.check_network_spec(p_kind, p_spec)
        when p_kind = 'heartbeat' then case
            when not ops.is_whole(p_spec -> 'periodSeconds', 60, 31622400) then 'a periodSeconds from 60 to 31622400'
            when not ops.is_whole(p_spec -> 'graceSeconds', 60, 31622400) then 'a graceSeconds from 60 to 31622400'
        end
        when p_kind = 'rule' then case
            when not ops.is_text(p_spec -> 'event', 100, '') then 'the name of an event of the application as event'
            when not ops.is_whole(p_spec -> 'windowMinutes', 1, 10080) then 'a windowMinutes from 1 to 10080'
            when not ops.is_whole(p_spec -> 'minimum', 1, 1000000) then 'a minimum from 1 to 1000000'
        end
    end
$$;

create function ops.check_definition_dependencies()
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
        and not exists (select from ops.check_definitions where name = named.name)
    limit 1;
    if found then
        raise exception 'check % depends on %, which is neither a check nor a service', new.name, v_unknown
            using errcode = 'invalid_parameter_value',
                  hint = 'Services: ' || array_to_string(ops.known_services(), ', ')
                      || '; for checks see `pourtrait checks list`.';
    end if;
    perform ops.refuse_circle('check_failing', new.name);
    return null;
end
$$;

comment on function ops.check_definition_dependencies() is
    'Refuses a definition that depends on what is not there, or on itself, with SQLSTATE 22023.';

-- After the row, so that checks that are added together may name each other.
create trigger check_definition_dependencies
    after insert or update on ops.check_definitions
    for each row
    when (new.spec ? 'dependsOn')
    execute function ops.check_definition_dependencies();

create function ops.keep_needed_definition()
returns trigger
language plpgsql
set search_path = ''
as $$
declare
    v_dependent text;
begin
    select name into v_dependent
    from ops.check_definitions
    where spec -> 'dependsOn' ? old.name
    order by name
    limit 1;
    if found and old.name <> all (ops.known_services()) then
        raise exception 'check % is needed by check %', old.name, v_dependent
            using errcode = 'invalid_parameter_value',
                  hint = 'Change dependsOn of that one first, or remove it.';
    end if;
    return null;
end
$$;

comment on function ops.keep_needed_definition() is 'Refuses to remove what another check names in dependsOn, with SQLSTATE 22023.';

create trigger keep_needed_definition
    after delete on ops.check_definitions
    for each row execute function ops.keep_needed_definition();

revoke all on all functions in schema ops from public, anon, authenticated;
grant execute on all functions in schema ops to service_role;
