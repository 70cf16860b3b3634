-- Outdated dependencies, as whoever builds the application found them. Nothing is looked up
-- here: without a list nothing is known.

create or replace function ops.find_packages_fault(p_packages jsonb)
returns ops.fault
language sql
immutable
parallel safe
set search_path = ''
as $$
    select case
        when jsonb_typeof(p_packages) is distinct from 'array'
        then ops.make_fault('packages', 'an array of at most 2000 objects {name, version, latest}', ops.show(p_packages))
        when jsonb_array_length(p_packages) > 2000
        then ops.make_fault('packages', 'an array of at most 2000 objects', jsonb_array_length(p_packages)::text)
        else (
            select ops.make_fault(
                format('packages[%s]', nth - 1), 'an object {name, version, latest} of texts of at most 200 characters',
                ops.describe_size(value)
            )
            from jsonb_array_elements(p_packages) with ordinality as listed (value, nth)
            where jsonb_typeof(value) <> 'object'
                or not ops.is_text(value -> 'name', 200, '')
                or not ops.is_text(value -> 'version', 200, '')
                or not ops.is_text(value -> 'latest', 200, '')
            order by nth
            limit 1
        )
    end
$$;

comment on function ops.find_packages_fault(jsonb) is 'What is wrong with a list of outdated packages, or null.';

create or replace function ops.check_packages(p_packages jsonb)
returns void
language plpgsql
immutable
set search_path = ''
as $$
declare
    v_fault ops.fault := ops.find_packages_fault(p_packages);
begin
    if v_fault.field is not null then
        perform ops.refuse(v_fault.field, v_fault.expected, v_fault.got);
    end if;
end
$$;

comment on function ops.check_packages(jsonb) is
    'Refuses what is no list of dependencies.';

create or replace function public.ops_hand_in_outdated(
    p_request uuid,
    p_tool text,
    p_packages jsonb,
    p_by text,
    p_now timestamptz default null
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
begin
    perform ops.hold_functions();
    perform ops.check_request(p_request);
    perform ops.check_word('tool', p_tool, ops.words('ops.package_tool'));
    perform ops.check_packages(p_packages);

    insert into ops.outdated_lists (request, tool, packages, received_at, received_by)
    select p_request, p_tool, coalesce(jsonb_agg(jsonb_build_object(
        'name', package -> 'name', 'version', package -> 'version', 'latest', package -> 'latest'
    )), '[]'), v_now, ops.check_by(p_by)
    from jsonb_array_elements(p_packages) as package
    on conflict (request) do nothing;
    delete from ops.outdated_lists where received_at < v_now - interval '400 days';
    return (
        select jsonb_build_object(
            'tool', handed.tool, 'outdated', jsonb_array_length(handed.packages), 'receivedAt', handed.received_at
        )
        from ops.outdated_lists as handed
        where handed.request = p_request
    );
end
$$;

comment on function public.ops_hand_in_outdated(uuid, text, jsonb, text, timestamptz) is
    'Keeps a list of outdated dependencies, once however often it is sent, and returns how many they are.';
