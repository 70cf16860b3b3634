-- Components: what the status page is about, in the words of those who use the app. Until
-- somebody names any, they are the services that are watched.

create or replace function ops.default_components(p_environment text)
returns setof ops.components
language sql
stable
set search_path = ''
as $$
    select
        usual.slug, usual.name, null::text, usual.position, null::text, array[usual.service], '{}'::text[],
        null::ops.component_state, null::text, null::timestamptz, null::text, null::timestamptz,
        watched.created_at, watched.created_at, 'default'
    from (values
        ('app', 'app', 'The app', 1),
        ('database', 'sign-in', 'Sign in and your data', 2),
        ('storage', 'photos', 'Photos and files', 3),
        ('ai', 'recommendations', 'Recommendations', 4),
        ('imageProcessing', 'recognition', 'Photo recognition', 5),
        ('email', 'email', 'Email', 6)
    ) as usual (service, slug, name, position)
    join ops.checks as watched on watched.name = usual.service
    where watched.environment = p_environment
        and watched.kind in ('aggregate', 'dependency')
        -- A service that is no longer configured is no longer reported with the others.
        and watched.last_seen_at >= (select max(last_seen_at) from ops.checks) - interval '24 hours'
$$;

comment on function ops.default_components(text) is
    'The components of a page for which nobody has named any: the services that are watched in an environment.';

create or replace function ops.known_components(p_environment text)
returns setof ops.components
language sql
stable
set search_path = ''
as $$
    select * from ops.components
    union all
    select * from ops.default_components(p_environment) where not exists (select from ops.components)
$$;

comment on function ops.known_components(text) is 'The components that the page of an environment shows.';

create or replace function ops.component_document(p_component ops.components)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_build_object(
        'slug', p_component.slug,
        'name', p_component.name,
        'description', p_component.description,
        'position', p_component.position,
        'group', p_component.in_group,
        'services', to_jsonb(p_component.services),
        'checks', to_jsonb(p_component.checks),
        'said', p_component.state,
        'note', p_component.note,
        'saidBy', p_component.said_by,
        'saidUntil', p_component.said_until,
        'updatedAt', p_component.updated_at,
        'updatedBy', p_component.updated_by
    )
$$;

comment on function ops.component_document(ops.components) is 'A component as operators see it.';

create or replace function public.ops_list_components(p_environment text, p_now timestamptz default null)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_build_object(
        'components', coalesce(
            jsonb_agg(
                ops.component_document(component)
                    || jsonb_build_object('state', reading.state, 'measured', reading.measured)
                order by component.position, component.slug
            ),
            '[]'
        )
    )
    from ops.known_components(p_environment) as component
    cross join lateral ops.read_component(component, p_environment, coalesce(p_now, now())) as reading
$$;

comment on function public.ops_list_components(text, timestamptz) is
    'Lists the components of the status page with their state and what feeds them.';

create or replace function ops.adopt_components(p_environment text)
returns void
language sql
set search_path = ''
as $$
    insert into ops.components
    select * from ops.default_components(p_environment) where not exists (select from ops.components)
    on conflict (slug) do nothing
$$;

comment on function ops.adopt_components(text) is
    'Makes rows of the components that the page shows by default, before somebody changes one of them.';

create or replace function ops.check_component(p_component ops.components)
returns void
language plpgsql
stable
set search_path = ''
as $$
begin
    if coalesce(p_component.slug, '') !~ '^[a-z0-9][a-z0-9-]{0,49}$' then
        perform ops.refuse(
            'slug', '1 to 50 lower-case letters, digits and hyphens, the first no hyphen', p_component.slug
        );
    end if;
    perform ops.check_text('name', p_component.name, 100);
    if p_component.description is not null then
        perform ops.check_text('description', p_component.description, 500);
    end if;
    if p_component.in_group is not null then
        perform ops.check_text('group', p_component.in_group, 100);
    end if;
    perform ops.check_number('position', p_component.position, 0, 10000);
end
$$;

comment on function ops.check_component(ops.components) is
    'Refuses what is no component with SQLSTATE 22023.';

create or replace function ops.check_feeds(p_change jsonb)
returns void
language plpgsql
stable
set search_path = ''
as $$
begin
    -- What feeds a component may be removed later; it is looked at when it is named.
    perform ops.check_words(
        'services', ops.list_names(p_change -> 'services'),
        array(select name from ops.checks where kind in ('aggregate', 'dependency') order by 1)
    );
    perform ops.check_words(
        'checks', ops.list_names(p_change -> 'checks'), array(select name from ops.custom_checks order by 1)
    );
end
$$;

comment on function ops.check_feeds(jsonb) is
    'Refuses services and custom checks that are not watched, with SQLSTATE 22023.';

create or replace function ops.merge_component(
    p_former ops.components,
    p_change jsonb,
    p_by text,
    p_now timestamptz
)
returns ops.components
language plpgsql
stable
set search_path = ''
as $$
declare
    v_component ops.components := p_former;
begin
    v_component.name := btrim(coalesce(p_change ->> 'name', p_former.name));
    v_component.position := coalesce((p_change ->> 'position')::integer, p_former.position, 100);
    -- An empty text takes away what was there.
    if p_change ? 'description' then
        v_component.description := nullif(btrim(p_change ->> 'description'), '');
    end if;
    if p_change ? 'group' then
        v_component.in_group := nullif(btrim(p_change ->> 'group'), '');
    end if;
    v_component.services := case
        when jsonb_typeof(p_change -> 'services') = 'array' then ops.list_names(p_change -> 'services')
        else coalesce(p_former.services, '{}')
    end;
    v_component.checks := case
        when jsonb_typeof(p_change -> 'checks') = 'array' then ops.list_names(p_change -> 'checks')
        else coalesce(p_former.checks, '{}')
    end;
    v_component.created_at := coalesce(p_former.created_at, p_now);
    v_component.updated_at := p_now;
    v_component.updated_by := p_by;
    return v_component;
end
$$;

comment on function ops.merge_component(ops.components, jsonb, text, timestamptz) is
    'A component after a change: what the change does not name stays as it is.';

create or replace function ops.store_component(p_component ops.components)
returns void
language plpgsql
set search_path = ''
as $$
begin
    perform ops.check_component(p_component);
    if (select count(*) from ops.components where slug <> p_component.slug) >= 50 then
        perform ops.refuse('the number of components', 'at most 50', '51');
    end if;
    delete from ops.components where slug = p_component.slug;
    insert into ops.components values (p_component.*);
end
$$;

comment on function ops.store_component(ops.components) is 'Writes a component in place of the one of its slug.';

create or replace function ops.find_component(p_slug text)
returns ops.components
language plpgsql
stable
set search_path = ''
as $$
declare
    v_component ops.components;
begin
    select * into v_component from ops.components where slug = p_slug;
    if not found then
        perform ops.refuse('slug', 'the slug of a component', p_slug, 'See `pourtrait components list`.');
    end if;
    return v_component;
end
$$;

comment on function ops.find_component(text) is 'Returns a component. Refuses with SQLSTATE 22023 what is none.';

create or replace function public.ops_set_component(
    p_slug text,
    p_component jsonb,
    p_is_new boolean,
    p_environment text,
    p_by text,
    p_now timestamptz default null
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_component ops.components;
begin
    perform ops.hold_functions();
    perform ops.check_word('environment', p_environment, ops.words('ops.environment'));
    perform pg_advisory_xact_lock(hashtextextended('ops.components', 0));
    perform ops.check_feeds(p_component);
    perform ops.adopt_components(p_environment);
    if p_is_new then
        if exists (select from ops.components where slug = p_slug) then
            perform ops.refuse('slug', 'one that no other component has', p_slug);
        end if;
        v_component.slug := p_slug;
    else
        v_component := ops.find_component(p_slug);
    end if;
    v_component := ops.merge_component(v_component, p_component, ops.check_by(p_by), v_now);
    perform ops.store_component(v_component);
    perform ops.write_audit('status.written', p_by, p_slug, jsonb_build_object('component', p_component));
    return ops.component_document(v_component);
end
$$;

comment on function public.ops_set_component(text, jsonb, boolean, text, text, timestamptz) is
    'Adds a component, or changes one, and returns it. The first change makes those that are shown by default rows of their own.';

create or replace function public.ops_say_component(
    p_slug text,
    p_state text,
    p_note text,
    p_until timestamptz,
    p_environment text,
    p_by text,
    p_now timestamptz default null
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_component ops.components;
    v_note text := nullif(btrim(p_note), '');
    v_measured text;
begin
    perform ops.hold_functions();
    perform ops.check_word('environment', p_environment, ops.words('ops.environment'));
    perform pg_advisory_xact_lock(hashtextextended('ops.components', 0));
    perform ops.adopt_components(p_environment);
    v_component := ops.find_component(p_slug);
    perform ops.check_word(
        'state', p_state, array_remove(ops.words('ops.component_state'), 'unknown') || '{measured}'
    );
    if p_state <> 'measured' then
        if p_until is null or p_until <= v_now or p_until > v_now + interval '30 days' then
            perform ops.refuse('until', 'a time within the next 30 days', p_until::text);
        end if;
        v_measured := (select measured.state from ops.measure_component(v_component, p_environment, v_now) as measured);
        if v_note is not null then
            perform ops.check_text('note', v_note, 500);
        elsif ops.is_better(p_state, v_measured) then
            perform ops.refuse(
                'note', format('given, because the checks say %s: the page shows it beside what you say', v_measured), null
            );
        end if;
    end if;
    update ops.components
    set
        state = nullif(p_state, 'measured'),
        note = case when p_state <> 'measured' then v_note end,
        said_at = case when p_state <> 'measured' then v_now end,
        said_by = case when p_state <> 'measured' then ops.check_by(p_by) end,
        said_until = case when p_state <> 'measured' then p_until end,
        updated_at = v_now,
        updated_by = ops.check_by(p_by)
    where slug = p_slug
    returning * into v_component;
    perform ops.write_audit(
        'status.written', p_by, p_slug, jsonb_build_object('state', p_state, 'note', v_note, 'until', p_until)
    );
    return ops.component_document(v_component);
end
$$;

comment on function public.ops_say_component(text, text, text, timestamptz, text, text, timestamptz) is
    'Says how a component is until a time; measured takes that back. What is worse than measured shows at once, what is better needs a note, which the page shows.';

create or replace function public.ops_remove_component(p_slug text, p_environment text, p_by text)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_component ops.components;
begin
    perform ops.hold_functions();
    perform ops.check_by(p_by);
    perform ops.check_word('environment', p_environment, ops.words('ops.environment'));
    perform pg_advisory_xact_lock(hashtextextended('ops.components', 0));
    perform ops.adopt_components(p_environment);
    v_component := ops.find_component(p_slug);
    delete from ops.components where slug = p_slug;
    perform ops.write_audit('status.written', p_by, p_slug, '{"component": null}');
    return ops.component_document(v_component);
end
$$;

comment on function public.ops_remove_component(text, text, text) is
    'Removes a component, and returns it. Without any left the page shows the services that are watched.';
