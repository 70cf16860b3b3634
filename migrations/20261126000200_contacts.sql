-- Contacts: whom an alert may ask for, in which role, how and when.
--
-- Why: escalation needs people, not addresses in variables. A role says at
-- which level and after how many minutes its people are asked; hours choose
-- among them.
-- Read by: the ladder that an alert gets, `pourtrait contacts`, `pourtrait check`.
-- Undo: drop the functions, then ops.contacts and ops.contact_roles.

set local search_path = '';

create table ops.contact_roles (
    role text primary key,
    level integer not null check (level between 1 and 4),
    after_minutes integer not null check (after_minutes >= 0)
);

comment on table ops.contact_roles is 'The escalation matrix: which role is asked at which level, after how many minutes of an unanswered critical alert.';
comment on column ops.contact_roles.after_minutes is 'From the moment the alert opened; the smallest of a level is when the level begins.';

insert into ops.contact_roles (role, level, after_minutes)
values
    ('on_call_primary', 1, 0),
    ('on_call_secondary', 1, 15),
    ('engineering_manager', 2, 30),
    ('senior_engineer', 2, 30),
    ('cto', 3, 60),
    ('vendor_support', 3, 60),
    ('executive', 4, 120),
    ('external_consultant', 4, 120);

create table ops.contacts (
    id uuid primary key,
    name text not null,
    role text not null references ops.contact_roles (role),
    email text,
    slack_id text,
    days integer[],
    hours_from time,
    hours_until time,
    zone text not null default 'UTC',
    email_proven_at timestamptz,
    slack_proven_at timestamptz,
    updated_at timestamptz not null,
    updated_by text not null
);

comment on table ops.contacts is 'Whom an alert may ask for.';
comment on column ops.contacts.slack_id is 'Member (U…, W…) or user group (S…) that a Slack message mentions.';
comment on column ops.contacts.days is 'Days on which the hours begin, 1 for Monday to 7 for Sunday; null: always on duty.';
comment on column ops.contacts.hours_until is 'Excluded; before hours_from it lies on the following day.';
comment on column ops.contacts.zone is 'IANA name of the zone in which the hours are meant.';
comment on column ops.contacts.email_proven_at is 'When a message to this address was last accepted; null after the address changed.';

create unique index contacts_name_key on ops.contacts (lower(name));
create index contacts_role_idx on ops.contacts (role);

alter table ops.contact_roles enable row level security;
alter table ops.contacts enable row level security;

-- What a contact must be -----------------------------------------------------

create function ops.check_contact(p_contact ops.contacts)
returns text
language sql
stable
set search_path = ''
as $$
    select case
        when coalesce(length(p_contact.name), 0) not between 1 and 100
            or p_contact.name ~ '[[:cntrl:]]'
        then 'a name of 1 to 100 characters'
        when not exists (select from ops.contact_roles where role = p_contact.role)
        then 'a role: ' || (select string_agg(role, ', ' order by level, after_minutes, role) from ops.contact_roles)
        when p_contact.email is null and p_contact.slack_id is null
        then 'an email address or a Slack id, or both'
        when length(p_contact.email) > 254
            or p_contact.email !~ '^[^\s@,;<>"()]+@[^\s@,;<>"()]+\.[^\s@,;<>"().]+$'
        then 'an email address without a name around it'
        when p_contact.slack_id !~ '^[UWS][A-Z0-9]{2,30}$'
        then 'a Slack id that begins with U, W or S, as the profile shows it'
        when num_nulls(p_contact.days, p_contact.hours_from, p_contact.hours_until) not in (0, 3)
            or p_contact.hours_from = p_contact.hours_until
            or not p_contact.days <@ '{1,2,3,4,5,6,7}'
            or cardinality(p_contact.days) = 0
        then 'days from 1 to 7 with two different times, or no hours at all'
        when not exists (select from pg_timezone_names where name = p_contact.zone)
        then 'the IANA name of a time zone, such as Europe/Berlin'
    end
$$;

comment on function ops.check_contact(ops.contacts) is
    'What the contact should have been, or null if it is valid.';

create function ops.is_on_duty(p_contact ops.contacts, p_at timestamptz)
returns boolean
language sql
immutable
parallel safe
set search_path = ''
as $$
    select p_contact.days is null or case
        when p_contact.hours_from < p_contact.hours_until then
            today = any (p_contact.days)
            and time_of_day >= p_contact.hours_from
            and time_of_day < p_contact.hours_until
        else
            today = any (p_contact.days) and time_of_day >= p_contact.hours_from
            or yesterday = any (p_contact.days) and time_of_day < p_contact.hours_until
    end
    from (
        select
            extract(isodow from local_time)::integer as today,
            extract(isodow from local_time - interval '1 day')::integer as yesterday,
            local_time::time as time_of_day
        from (select p_at at time zone p_contact.zone as local_time) as clock
    ) as calendar
$$;

comment on function ops.is_on_duty(ops.contacts, timestamptz) is
    'Whether a time lies within the contact''s hours in the contact''s zone; hours that pass midnight belong to the day on which they begin.';

-- Functions ------------------------------------------------------------------

create function ops.contact_document(p_contact ops.contacts)
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
        'hours', case
            when p_contact.days is not null then jsonb_build_object(
                'days', to_jsonb(p_contact.days),
                'from', to_char(p_contact.hours_from, 'HH24:MI'),
                'until', to_char(p_contact.hours_until, 'HH24:MI')
            )
        end,
        'zone', p_contact.zone,
        'updatedAt', p_contact.updated_at,
        'updatedBy', p_contact.updated_by
    )
$$;

comment on function ops.contact_document(ops.contacts) is 'A contact as callers see it.';

create function public.ops_list_contacts()
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
    'All contacts with what was proven of them, in the order in which they are asked.';

create function ops.changed_contact(p_contact ops.contacts, p_fields jsonb)
returns ops.contacts
language sql
stable
set search_path = ''
as $$
    select jsonb_populate_record(
        p_contact,
        p_fields - 'hours' - 'slack'
        || case when p_fields ? 'slack' then jsonb_build_object('slack_id', p_fields -> 'slack') else '{}' end
        || case
            when p_fields ? 'hours' then jsonb_build_object(
                'days', p_fields #> '{hours,days}',
                'hours_from', p_fields #> '{hours,from}',
                'hours_until', p_fields #> '{hours,until}'
            )
            else '{}'
        end
    )
$$;

comment on function ops.changed_contact(ops.contacts, jsonb) is
    'The contact with the fields that are given; null takes one away.';

create function public.ops_save_contact(
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
    v_former ops.contacts;
    v_contact ops.contacts;
    v_expected text;
begin
    if p_contact is null
        or coalesce(length(btrim(p_by)), 0) not between 1 and 200
        or jsonb_typeof(p_fields) is distinct from 'object'
        or p_fields - '{name,role,email,slack,hours,zone}'::text[] <> '{}'
    then
        raise exception 'saving a contact needs its id, who saves it, and fields among name, role, email, slack, hours and zone'
            using errcode = 'invalid_parameter_value';
    end if;

    select * into v_former from ops.contacts where id = p_contact for update;
    v_contact := ops.changed_contact(v_former, p_fields);
    v_contact.zone := coalesce(v_contact.zone, 'UTC');
    v_expected := ops.check_contact(v_contact);
    if v_expected is not null then
        raise exception 'a contact needs %', v_expected using errcode = 'invalid_parameter_value';
    end if;
    if exists (
        select from ops.contacts where lower(name) = lower(v_contact.name) and id <> p_contact
    ) then
        raise exception 'a contact named % exists', v_contact.name using errcode = 'invalid_parameter_value';
    end if;

    insert into ops.contacts as contact
        (id, name, role, email, slack_id, days, hours_from, hours_until, zone, updated_at, updated_by)
    values (
        p_contact, v_contact.name, v_contact.role, v_contact.email, v_contact.slack_id, v_contact.days,
        v_contact.hours_from, v_contact.hours_until, v_contact.zone, coalesce(p_now, now()), btrim(p_by)
    )
    on conflict (id) do update
    set
        name = excluded.name,
        role = excluded.role,
        -- Another address says nothing of this one.
        email_proven_at = case when contact.email = excluded.email then contact.email_proven_at end,
        slack_proven_at = case when contact.slack_id = excluded.slack_id then contact.slack_proven_at end,
        email = excluded.email,
        slack_id = excluded.slack_id,
        days = excluded.days,
        hours_from = excluded.hours_from,
        hours_until = excluded.hours_until,
        zone = excluded.zone,
        updated_at = excluded.updated_at,
        updated_by = excluded.updated_by
    returning * into v_contact;
    return ops.contact_document(v_contact);
end
$$;

comment on function public.ops_save_contact(uuid, jsonb, text, timestamptz) is
    'Adds a contact, or changes the fields that are given; a field that is null is taken away. Refuses what is not valid with SQLSTATE 22023.';

create function public.ops_remove_contact(p_contact uuid)
returns jsonb
language sql
set search_path = ''
as $$
    with removed as (
        delete from ops.contacts where id = p_contact returning *
    )
    select jsonb_build_object('removed', count(*)) from removed
$$;

comment on function public.ops_remove_contact(uuid) is
    'Removes a contact from all ladders to come; those of open alerts are snapshots and stay as they are.';

revoke all on all functions in schema ops from public, anon, authenticated;
grant execute on all functions in schema ops to service_role;
revoke all on function public.ops_list_contacts() from public, anon, authenticated;
grant execute on function public.ops_list_contacts() to service_role;
revoke all on function public.ops_save_contact(uuid, jsonb, text, timestamptz) from public, anon, authenticated;
grant execute on function public.ops_save_contact(uuid, jsonb, text, timestamptz) to service_role;
revoke all on function public.ops_remove_contact(uuid) from public, anon, authenticated;
grant execute on function public.ops_remove_contact(uuid) to service_role;
