-- Which funnels there are, and who changed them. A funnel is validated where it is stored,
-- whether it comes by the operator's command or by SQL.

create or replace function ops.funnel_document(p_funnel ops.funnels)
returns jsonb
language sql
immutable
set search_path = ''
as $$
    select jsonb_build_object(
        'name', p_funnel.name,
        'steps', to_jsonb(p_funnel.steps),
        'withinSeconds', 60 * p_funnel.within_minutes,
        'updatedAt', p_funnel.updated_at,
        'updatedBy', p_funnel.updated_by
    )
$$;

comment on function ops.funnel_document(ops.funnels) is 'A funnel as callers see it.';

create or replace function ops.is_funnel_step(p_step text)
returns boolean
language sql
immutable
parallel safe
set search_path = ''
as $$
    select coalesce(
        p_step !~ '[[:cntrl:]]' and not ops.looks_like_secret(p_step) and case
            -- The door keeps no query and cuts paths there.
            when p_step like 'page:%' then length(p_step) <= 205 and p_step ~ '^page:/[^?#]*$'
            when p_step like 'feature:%' then length(p_step) between 9 and 108 and p_step ~ '^feature:\S'
            else length(p_step) between 1 and 100 and p_step ~ '^\S'
        end,
        false
    )
$$;

comment on function ops.is_funnel_step(text) is
    'Whether a text names what people do: an event, page: with a path, or feature: with a name.';

create or replace function ops.find_funnel_fault(p_funnel ops.funnels)
returns ops.fault
language sql
immutable
parallel safe
set search_path = ''
as $$
    select case
        when coalesce(p_funnel.name, '') !~ '^[a-z0-9][a-z0-9-]{0,49}$'
        then ops.make_fault(
            'name', '1 to 50 lower-case letters, digits and hyphens, the first no hyphen', nullif(p_funnel.name, '')
        )
        when coalesce(cardinality(p_funnel.steps), 0) not between 2 and 10 or array_ndims(p_funnel.steps) <> 1
        then ops.make_fault('steps', 'a list of 2 to 10 steps', coalesce(cardinality(p_funnel.steps), 0)::text)
        when exists (select from unnest(p_funnel.steps) as listed (step) where not ops.is_funnel_step(listed.step))
        then (
            select ops.make_fault(
                'step ' || nth,
                'the name of an event in 1 to 100 characters, page: with a path and without a query such as '
                    || 'page:/wines, or feature: with a name',
                listed.step
            )
            from unnest(p_funnel.steps) with ordinality as listed (step, nth)
            where not ops.is_funnel_step(listed.step)
            order by nth
            limit 1
        )
        when coalesce(p_funnel.within_minutes, 0) not between 1 and 132480
        then ops.make_fault('within', 'from 1 minute to 92 days', p_funnel.within_minutes || ' minutes')
    end
$$;

comment on function ops.find_funnel_fault(ops.funnels) is 'What is wrong with a funnel, or null.';

create or replace function ops.validate_funnel()
returns trigger
language plpgsql
set search_path = ''
as $$
declare
    v_fault ops.fault := ops.find_funnel_fault(new);
begin
    if v_fault.field is not null then
        perform ops.refuse(v_fault.field || ' of a funnel', v_fault.expected, v_fault.got);
    end if;
    if tg_op = 'INSERT' then
        -- Of funnels that are added at the same time each counts the others.
        perform pg_advisory_xact_lock(hashtextextended('ops.funnels', 0));
        if (select count(*) from ops.funnels where name <> new.name) >= 20 then
            perform ops.refuse('the number of funnels', 'at most 20', '21');
        end if;
    end if;
    new.updated_at := now();
    new.updated_by := ops.changing_person();
    return new;
end
$$;

comment on function ops.validate_funnel() is
    'Refuses with SQLSTATE 22023 what is no funnel, and notes who changed it.';

create or replace function ops.record_funnel_change()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
    insert into ops.funnel_changes (name, change, old_value, new_value, changed_at, changed_by)
    select
        coalesce(new.name, old.name),
        case tg_op when 'INSERT' then 'added' when 'UPDATE' then 'edited' else 'removed' end,
        case when tg_op <> 'INSERT' then ops.funnel_document(old) end,
        case when tg_op <> 'DELETE' then ops.funnel_document(new) end,
        now(),
        ops.changing_person();
    if tg_op = 'UPDATE' then
        -- What was counted is of other steps.
        delete from ops.funnel_results where funnel = new.name;
    end if;
    return null;
end
$$;

comment on function ops.record_funnel_change() is
    'Records every change of a funnel in ops.funnel_changes, and forgets what was counted before it.';

create or replace function ops.find_funnel(p_name text)
returns ops.funnels
language plpgsql
stable
set search_path = ''
as $$
declare
    v_funnel ops.funnels;
begin
    select * into v_funnel from ops.funnels where name = p_name;
    if not found then
        perform ops.refuse('name', 'the name of a funnel', p_name, 'See `pourtrait funnels list`.');
    end if;
    return v_funnel;
end
$$;

comment on function ops.find_funnel(text) is 'Returns a funnel. Refuses with SQLSTATE 22023 what is none.';

create or replace function public.ops_list_funnels()
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_build_object(
        'funnels', coalesce(jsonb_agg(ops.funnel_document(funnel) order by funnel.name), '[]')
    )
    from ops.funnels as funnel
$$;

comment on function public.ops_list_funnels() is 'Lists all funnels by name, each with who changed it last.';

create or replace function public.ops_set_funnel(p_name text, p_steps text[], p_within_minutes integer, p_by text)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_funnel ops.funnels;
begin
    perform ops.hold_functions();
    perform ops.name_changing_person(p_by);
    insert into ops.funnels as known (name, steps, within_minutes)
    values (p_name, p_steps, p_within_minutes)
    on conflict (name) do update
    set steps = excluded.steps, within_minutes = excluded.within_minutes
    where (known.steps, known.within_minutes) is distinct from (excluded.steps, excluded.within_minutes);
    select * into v_funnel from ops.funnels where name = p_name;
    return ops.funnel_document(v_funnel);
end
$$;

comment on function public.ops_set_funnel(text, text[], integer, text) is
    'Adds a funnel, or changes the one of that name, and returns it; what is not valid is refused with SQLSTATE 22023. The same again changes nothing.';

create or replace function public.ops_remove_funnel(p_name text, p_by text)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_funnel ops.funnels;
begin
    perform ops.hold_functions();
    perform ops.name_changing_person(p_by);
    v_funnel := ops.find_funnel(p_name);
    delete from ops.funnels where name = p_name;
    return ops.funnel_document(v_funnel);
end
$$;

comment on function public.ops_remove_funnel(text, text) is 'Removes a funnel, and returns it.';
