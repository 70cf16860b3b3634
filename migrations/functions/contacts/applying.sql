-- Contacts as a whole, as a file names them. A contact goes by its name there, whatever the
-- case of its letters.

create or replace function ops.contact_fields(p_contact ops.contacts)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_strip_nulls(
        ops.contact_document(p_contact) - '{id,level,emailProvenAt,slackProvenAt,addressesProvenAt,devices,updatedAt,updatedBy}'::text[]
            - case when p_contact.services = '{}' then 'services' else '' end
            - case when p_contact.addresses = '{}' then 'addresses' else '' end
            - case when p_contact.ways = '{}' then 'ways' else '' end
    )
$$;

comment on function ops.contact_fields(ops.contacts) is
    'A contact as a file names it: what somebody said of it, without what was found out since.';

create or replace function ops.write_contact_of_file(p_fields jsonb, p_by text)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_kept ops.contacts;
    v_next ops.contacts;
begin
    perform ops.check_contact_fields(p_fields);
    select * into v_kept from ops.contacts where lower(name) = lower(p_fields ->> 'name') for update;
    v_next := ops.changed_contact(null, p_fields);
    v_next.id := coalesce(v_kept.id, gen_random_uuid());
    v_next.zone := coalesce(v_next.zone, 'UTC');
    v_next.services := coalesce(v_next.services, '{}');
    v_next.updated_at := now();
    v_next.updated_by := p_by;
    perform ops.check_contact(v_next);
    if ops.contact_fields(v_next) = ops.contact_fields(v_kept) then
        return null;
    end if;
    v_next := ops.write_contact(v_next);
    return jsonb_build_object(
        'name', v_next.name,
        'change', case when v_kept.id is null then 'added' else 'edited' end,
        'from', case when v_kept.id is not null then ops.contact_fields(v_kept) end,
        'to', ops.contact_fields(v_next)
    );
end
$$;

comment on function ops.write_contact_of_file(jsonb, text) is
    'Adds the contact that a file names, or makes it what the file says, and returns the change; null if there is none.';

create or replace function ops.write_contacts(p_contacts jsonb, p_by text)
returns setof jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_twice text;
begin
    if jsonb_typeof(p_contacts) is distinct from 'array' then
        perform ops.refuse('contacts', 'an array of contacts', jsonb_typeof(p_contacts));
    end if;
    select min(given.fields ->> 'name') into v_twice
    from jsonb_array_elements(p_contacts) as given (fields)
    group by lower(given.fields ->> 'name')
    having count(*) > 1
    limit 1;
    if found then
        perform ops.refuse('the name of a contact', 'one that no other contact of the file has', v_twice);
    end if;
    return query
    select change
    from jsonb_array_elements(p_contacts) as given (fields)
    cross join lateral ops.write_contact_of_file(given.fields, p_by) as change
    where change is not null;
end
$$;

comment on function ops.write_contacts(jsonb, text) is
    'Adds the contacts that a file names, or makes them what it says, and returns each change.';

create or replace function ops.remove_contacts_but(p_contacts jsonb, p_by text)
returns setof jsonb
language sql
set search_path = ''
as $$
    with removed as (
        delete from ops.contacts as kept
        where not exists (
            select
            from jsonb_array_elements(p_contacts) as given (fields)
            where lower(given.fields ->> 'name') = lower(kept.name)
        )
        returning kept
    )
    select jsonb_build_object(
        'name', (kept).name, 'change', 'removed', 'from', ops.contact_fields(kept), 'to', null
    )
    from removed
    cross join lateral ops.audit_contact(kept, 'removed', p_by)
$$;

comment on function ops.remove_contacts_but(jsonb, text) is
    'Removes the contacts that a file does not name, and returns each change.';

create or replace function public.ops_apply_contacts(p_contacts jsonb, p_remove boolean, p_dry_run boolean, p_by text)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_by text;
    v_changes jsonb[];
begin
    perform ops.hold_functions();
    v_by := ops.check_by(p_by);
    begin
        v_changes := array(select change from ops.write_contacts(p_contacts, v_by) as change);
        if p_remove then
            v_changes := v_changes || array(select change from ops.remove_contacts_but(p_contacts, v_by) as change);
        end if;
        if p_dry_run then
            -- What was done is known; this block takes it back.
            raise exception using errcode = 'PT000';
        end if;
    exception
        when sqlstate 'PT000' then
            null;
    end;
    return jsonb_build_object(
        'changes', (
            select coalesce(jsonb_agg(change order by lower(change ->> 'name')), '[]')
            from unnest(v_changes) as made (change)
        ),
        'unnamed', (
            select coalesce(jsonb_agg(kept.name order by lower(kept.name)), '[]')
            from ops.contacts as kept
            where not p_remove and not exists (
                select
                from jsonb_array_elements(p_contacts) as given (fields)
                where lower(given.fields ->> 'name') = lower(kept.name)
            )
        ),
        'dryRun', p_dry_run
    );
end
$$;

comment on function public.ops_apply_contacts(jsonb, boolean, boolean, text) is
    'Makes the contacts what a file names, all at once, and returns what was changed from what to what, and whom the file does not name; those are removed only on demand. A dry run returns the same and changes nothing. Refuses what is not valid with SQLSTATE 22023.';
