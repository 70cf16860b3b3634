-- Contacts are the people whom an alert may ask for. A contact has a role, addresses, and the
-- hours in which it is on duty.

create or replace function ops.check_addresses(p_addresses jsonb)
returns void
language plpgsql
stable
set search_path = ''
as $$
declare
    v_known text[] := array(select channel from ops.channel_kinds where address is not null order by place);
    v_given record;
begin
    if jsonb_typeof(p_addresses) <> 'object' then
        perform ops.refuse('addresses', 'an object of channels and addresses', p_addresses::text);
    end if;
    for v_given in
        select given.channel, given.address, kind.address as expected, kind.address_pattern
        from jsonb_each_text(p_addresses) as given (channel, address)
        left join ops.channel_kinds as kind using (channel)
    loop
        perform ops.check_word('the channel of each address', v_given.channel, v_known);
        if v_given.address !~ v_given.address_pattern then
            perform ops.refuse(format('address on %s', v_given.channel), v_given.expected, v_given.address);
        end if;
    end loop;
end
$$;

comment on function ops.check_addresses(jsonb) is
    'Refuses with SQLSTATE 22023 addresses on channels that have none, and those that are none.';

create or replace function ops.check_reach(p_contact ops.contacts)
returns void
language plpgsql
stable
set search_path = ''
as $$
begin
    perform ops.check_given(
        'email', coalesce(p_contact.email, p_contact.slack_id, nullif(p_contact.addresses, '{}')::text),
        'given, or else slack or another address'
    );
    if p_contact.email is null
        and exists (select from ops.contact_roles where role = p_contact.role and level is null)
    then
        perform ops.refuse('email', format('given for a %s, who is told by email', p_contact.role), null);
    end if;
    if length(p_contact.email) > 254
        or p_contact.email !~ '^[^\s@,;<>"()]+@[^\s@,;<>"()]+\.[^\s@,;<>"().]+$'
    then
        perform ops.refuse('email', 'an email address without a name around it', p_contact.email);
    end if;
    perform ops.check_addresses(p_contact.addresses);
    if p_contact.slack_id !~ '^[UWS][A-Z0-9]{2,30}$' then
        perform ops.refuse(
            'slack', 'a Slack id that begins with U, W or S, as the profile shows it', p_contact.slack_id
        );
    end if;
end
$$;

comment on function ops.check_reach(ops.contacts) is
    'Refuses a contact that no message could reach with SQLSTATE 22023.';

create or replace function ops.check_hours(p_field text, p_days integer[], p_from time, p_until time)
returns void
language plpgsql
stable
set search_path = ''
as $$
begin
    if num_nulls(p_days, p_from, p_until) not in (0, 3)
        or p_from = p_until
        or not p_days <@ '{1,2,3,4,5,6,7}'
        or cardinality(p_days) = 0
    then
        perform ops.refuse(
            p_field,
            'days from 1 to 7 with two different times, or left out',
            format(
                'days %s from %s until %s',
                coalesce(array_to_string(p_days, ', ', 'null'), 'null'),
                coalesce(p_from::text, 'null'), coalesce(p_until::text, 'null')
            )
        );
    end if;
end
$$;

comment on function ops.check_hours(text, integer[], time, time) is
    'Refuses hours that are incomplete or of no length with SQLSTATE 22023.';

create or replace function ops.check_times(p_contact ops.contacts)
returns void
language plpgsql
stable
set search_path = ''
as $$
begin
    perform ops.check_hours('hours', p_contact.days, p_contact.hours_from, p_contact.hours_until);
    perform ops.check_hours('quiet', p_contact.quiet_days, p_contact.quiet_from, p_contact.quiet_until);
    if not exists (select from pg_timezone_names where name = p_contact.zone) then
        perform ops.refuse('zone', 'the IANA name of a time zone, such as Europe/Berlin', p_contact.zone);
    end if;
end
$$;

comment on function ops.check_times(ops.contacts) is
    'Refuses hours on duty and quiet hours that cannot be, and a zone that is not known, with SQLSTATE 22023.';

create or replace function ops.check_interest(p_contact ops.contacts)
returns void
language plpgsql
stable
set search_path = ''
as $$
begin
    if exists (select from ops.contact_roles where role = p_contact.role and level is null) then
        if p_contact.ways <> '{}' or p_contact.quiet_days is not null then
            perform ops.refuse(
                'ways and quiet', format('left out of a %s, who is told by email', p_contact.role), 'given'
            );
        end if;
    elsif p_contact.severity is not null or p_contact.services <> '{}' then
        perform ops.refuse(
            'severity and services', format('left out of a %s, whom alerts ask', p_contact.role), 'given'
        );
    end if;
    perform ops.check_words(
        'services', p_contact.services, array(select distinct service from ops.checks order by 1)
    );
end
$$;

comment on function ops.check_interest(ops.contacts) is
    'Refuses with SQLSTATE 22023 a choice of incidents by a contact whom alerts ask, a choice of ways by one whom none does, and services that are not known.';

create or replace function ops.check_contact(p_contact ops.contacts)
returns void
language plpgsql
stable
set search_path = ''
as $$
begin
    perform ops.check_length('name', p_contact.name, 100);
    if p_contact.name ~ '[[:cntrl:]]' then
        perform ops.refuse('name', 'a text of one line, without control characters', p_contact.name);
    end if;
    perform ops.check_word(
        'role', p_contact.role, array(select role from ops.contact_roles order by level, after_minutes, role)
    );
    perform ops.check_reach(p_contact);
    perform ops.check_interest(p_contact);
    perform ops.check_ways(p_contact);
    perform ops.check_times(p_contact);
    if exists (
        select from ops.contacts where lower(name) = lower(p_contact.name) and id <> p_contact.id
    ) then
        perform ops.refuse('name', 'one that no other contact has', p_contact.name);
    end if;
end
$$;

comment on function ops.check_contact(ops.contacts) is 'Refuses a contact that is not valid with SQLSTATE 22023.';

create or replace function ops.is_within_hours(
    p_days integer[],
    p_from time,
    p_until time,
    p_zone text,
    p_at timestamptz
)
returns boolean
language sql
immutable
parallel safe
set search_path = ''
as $$
    select case
        when p_from < p_until then today = any (p_days) and time_of_day >= p_from and time_of_day < p_until
        else
            today = any (p_days) and time_of_day >= p_from
            or yesterday = any (p_days) and time_of_day < p_until
    end
    from (
        select
            extract(isodow from local_time)::integer as today,
            extract(isodow from local_time - interval '1 day')::integer as yesterday,
            local_time::time as time_of_day
        from (select p_at at time zone p_zone as local_time) as clock
    ) as calendar
$$;

comment on function ops.is_within_hours(integer[], time, time, text, timestamptz) is
    'Returns whether a time lies within those hours of those days, in that zone. Hours that pass midnight belong to the day on which they begin.';

create or replace function ops.is_on_duty(p_contact ops.contacts, p_at timestamptz)
returns boolean
language sql
immutable
parallel safe
set search_path = ''
as $$
    select p_contact.days is null
        or ops.is_within_hours(p_contact.days, p_contact.hours_from, p_contact.hours_until, p_contact.zone, p_at)
$$;

comment on function ops.is_on_duty(ops.contacts, timestamptz) is
    'Returns whether a time lies within the hours in which a contact is on duty.';

create or replace function ops.hours_document(p_days integer[], p_from time, p_until time)
returns jsonb
language sql
immutable
parallel safe
set search_path = ''
as $$
    select case
        when p_days is not null then jsonb_build_object(
            'days', to_jsonb(p_days), 'from', to_char(p_from, 'HH24:MI'), 'until', to_char(p_until, 'HH24:MI')
        )
    end
$$;

comment on function ops.hours_document(integer[], time, time) is
    'Returns hours as callers see them; null if there are none.';

create or replace function ops.contact_document(p_contact ops.contacts)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_build_object(
        'id', p_contact.id,
        'name', p_contact.name,
        'role', p_contact.role,
        'level', (select level from ops.contact_roles where role = p_contact.role),
        'email', p_contact.email,
        'emailProvenAt', p_contact.email_proven_at,
        'slack', p_contact.slack_id,
        'slackProvenAt', p_contact.slack_proven_at,
        'addresses', p_contact.addresses,
        'addressesProvenAt', p_contact.addresses_proven,
        'devices', ops.device_documents(p_contact.id),
        'ways', p_contact.ways,
        'hours', ops.hours_document(p_contact.days, p_contact.hours_from, p_contact.hours_until),
        'quiet', ops.hours_document(p_contact.quiet_days, p_contact.quiet_from, p_contact.quiet_until),
        'zone', p_contact.zone,
        'severity', p_contact.severity,
        'services', to_jsonb(p_contact.services),
        'updatedAt', p_contact.updated_at,
        'updatedBy', p_contact.updated_by
    )
$$;

comment on function ops.contact_document(ops.contacts) is 'Returns a contact as callers see it.';

create or replace function public.ops_list_contacts()
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_build_object(
        'contacts', coalesce(
            jsonb_agg(
                ops.contact_document(contact)
                order by role.level, role.after_minutes, contact.role, lower(contact.name)
            ),
            '[]'
        )
    )
    from ops.contacts as contact
    join ops.contact_roles as role using (role)
$$;

comment on function public.ops_list_contacts() is
    'Lists all contacts with when their addresses were proven, in the order in which they are asked.';

create or replace function ops.merged_object(p_kept jsonb, p_given jsonb)
returns jsonb
language sql
immutable
parallel safe
set search_path = ''
as $$
    select case jsonb_typeof(p_given)
        when 'object' then jsonb_strip_nulls(coalesce(p_kept, '{}') || p_given)
        when 'null' then '{}'
        else p_given
    end
$$;

comment on function ops.merged_object(jsonb, jsonb) is
    'Returns an object with the given keys changed, and without those that are given as null; what is no object as it is.';

create or replace function ops.changed_contact(p_contact ops.contacts, p_fields jsonb)
returns ops.contacts
language sql
stable
set search_path = ''
as $$
    select jsonb_populate_record(
        p_contact,
        p_fields - '{hours,quiet,slack,addresses,ways}'::text[]
        || case when p_fields ? 'slack' then jsonb_build_object('slack_id', p_fields -> 'slack') else '{}' end
        || case
            when p_fields ? 'hours' then jsonb_build_object(
                'days', p_fields #> '{hours,days}',
                'hours_from', p_fields #> '{hours,from}',
                'hours_until', p_fields #> '{hours,until}'
            )
            else '{}'
        end
        || case
            when p_fields ? 'quiet' then jsonb_build_object(
                'quiet_days', p_fields #> '{quiet,days}',
                'quiet_from', p_fields #> '{quiet,from}',
                'quiet_until', p_fields #> '{quiet,until}'
            )
            else '{}'
        end
        || jsonb_build_object(
            'addresses', ops.merged_object(p_contact.addresses, coalesce(p_fields -> 'addresses', '{}')),
            'ways', ops.merged_object(p_contact.ways, coalesce(p_fields -> 'ways', '{}'))
        )
    )
$$;

comment on function ops.changed_contact(ops.contacts, jsonb) is
    'Returns a contact with the given fields changed; a field that is null is removed, and so is an address or a severity of the ways that is null.';

create or replace function ops.audit_contact(p_contact ops.contacts, p_did text, p_by text)
returns void
language sql
set search_path = ''
as $$
    -- Whose it is, the number says while there is such a contact.
    select ops.write_audit(
        'contact.changed', p_by, format('contact %s', p_contact.id),
        jsonb_build_object('did', p_did, 'role', p_contact.role)
    )
$$;

comment on function ops.audit_contact(ops.contacts, text, text) is
    'Writes into the audit log that a contact was written or removed.';

create or replace function ops.write_contact(p_contact ops.contacts)
returns ops.contacts
language sql
set search_path = ''
as $$
    select ops.audit_contact(p_contact, 'written', p_contact.updated_by);
    insert into ops.contacts as contact
        (
            id, name, role, email, slack_id, addresses, ways, days, hours_from, hours_until,
            quiet_days, quiet_from, quiet_until, zone, severity, services, updated_at, updated_by
        )
    values (
        p_contact.id, p_contact.name, p_contact.role, p_contact.email, p_contact.slack_id, p_contact.addresses,
        p_contact.ways, p_contact.days, p_contact.hours_from, p_contact.hours_until,
        p_contact.quiet_days, p_contact.quiet_from, p_contact.quiet_until, p_contact.zone, p_contact.severity,
        p_contact.services, p_contact.updated_at, p_contact.updated_by
    )
    on conflict (id) do update
    set
        name = excluded.name,
        role = excluded.role,
        -- Another address is not proven by what was sent to the former one.
        email_proven_at = case when contact.email = excluded.email then contact.email_proven_at end,
        slack_proven_at = case when contact.slack_id = excluded.slack_id then contact.slack_proven_at end,
        addresses_proven = coalesce(
            (
                select jsonb_object_agg(proven.key, proven.value)
                from jsonb_each(contact.addresses_proven) as proven
                where contact.addresses -> proven.key = excluded.addresses -> proven.key
            ),
            '{}'
        ),
        email = excluded.email,
        slack_id = excluded.slack_id,
        addresses = excluded.addresses,
        ways = excluded.ways,
        days = excluded.days,
        hours_from = excluded.hours_from,
        hours_until = excluded.hours_until,
        quiet_days = excluded.quiet_days,
        quiet_from = excluded.quiet_from,
        quiet_until = excluded.quiet_until,
        zone = excluded.zone,
        severity = excluded.severity,
        services = excluded.services,
        updated_at = excluded.updated_at,
        updated_by = excluded.updated_by
    returning contact
$$;

comment on function ops.write_contact(ops.contacts) is
    'Adds or replaces a contact and returns it. What is proven of an address stays with that address.';

create or replace function ops.check_contact_fields(p_fields jsonb)
returns void
language plpgsql
stable
set search_path = ''
as $$
begin
    if jsonb_typeof(p_fields) is distinct from 'object'
        or p_fields - '{name,role,email,slack,addresses,ways,hours,quiet,zone,severity,services}'::text[] <> '{}'
    then
        perform ops.refuse(
            'fields',
            'an object with fields among name, role, email, slack, addresses, ways, hours, quiet, zone, severity and services',
            p_fields::text
        );
    end if;
end
$$;

comment on function ops.check_contact_fields(jsonb) is
    'Refuses with SQLSTATE 22023 what is no object of fields of a contact.';

create or replace function public.ops_save_contact(
    p_contact uuid,
    p_fields jsonb,
    p_by text,
    p_now timestamptz default null
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_contact ops.contacts;
    v_by text;
begin
    perform ops.hold_functions();
    perform ops.check_id('contact', p_contact);
    v_by := ops.check_by(p_by);
    perform ops.check_contact_fields(p_fields);

    select * into v_contact from ops.contacts where id = p_contact for update;
    v_contact := ops.changed_contact(v_contact, p_fields);
    v_contact.id := p_contact;
    v_contact.zone := coalesce(v_contact.zone, 'UTC');
    v_contact.services := coalesce(v_contact.services, '{}');
    v_contact.updated_at := coalesce(p_now, now());
    v_contact.updated_by := v_by;
    perform ops.check_contact(v_contact);
    return ops.contact_document(ops.write_contact(v_contact));
end
$$;

comment on function public.ops_save_contact(uuid, jsonb, text, timestamptz) is
    'Adds a contact, or changes the fields that are given; a field that is null is removed. Refuses a contact that is not valid with SQLSTATE 22023.';

create or replace function public.ops_remove_contact(p_contact uuid, p_by text default null)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_removed ops.contacts;
begin
    perform ops.hold_functions();
    delete from ops.contacts where id = p_contact returning * into v_removed;
    if v_removed.id is not null then
        perform ops.audit_contact(v_removed, 'removed', p_by);
    end if;
    return jsonb_build_object('removed', (v_removed.id is not null)::integer);
end
$$;

comment on function public.ops_remove_contact(uuid, text) is
    'Removes a contact, so that later ladders do not ask it. The ladders of open alerts keep a copy of it and stay as they are.';
