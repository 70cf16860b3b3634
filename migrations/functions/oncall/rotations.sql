-- Rotations as operators write and read them.

create or replace function ops.check_zone(p_field text, p_zone text)
returns void
language plpgsql
stable
set search_path = ''
as $$
begin
    if p_zone is null or not exists (select from pg_timezone_names where name = p_zone) then
        perform ops.refuse(p_field, 'the IANA name of a time zone, such as Europe/Berlin', p_zone);
    end if;
end
$$;

comment on function ops.check_zone(text, text) is 'Refuses a zone that is not known with SQLSTATE 22023.';

create or replace function ops.check_time_of_day(p_field text, p_time jsonb)
returns time
language plpgsql
stable
set search_path = ''
as $$
begin
    if jsonb_typeof(p_time) is distinct from 'string' or p_time #>> '{}' !~ '^([01]\d|2[0-3]):[0-5]\d$' then
        perform ops.refuse(p_field, 'a time of the day such as 09:00', ops.show(p_time));
    end if;
    return (p_time #>> '{}')::time;
end
$$;

comment on function ops.check_time_of_day(text, jsonb) is
    'Returns a time of the day as a document writes it, and refuses anything else with SQLSTATE 22023.';

create or replace function ops.check_rotation(p_rotation ops.rotations)
returns void
language plpgsql
stable
set search_path = ''
as $$
begin
    perform ops.check_length('name', p_rotation.name, 100);
    if p_rotation.name ~ '[[:cntrl:]]' then
        perform ops.refuse('name', 'a text of one line, without control characters', p_rotation.name);
    end if;
    perform ops.check_word(
        'role', p_rotation.role,
        array(select role from ops.contact_roles where level is not null order by level, after_minutes, role)
    );
    if exists (
        select from ops.rotations where lower(name) = lower(p_rotation.name) and id <> p_rotation.id
    ) then
        perform ops.refuse('name', 'one that no other rotation has', p_rotation.name);
    end if;
end
$$;

comment on function ops.check_rotation(ops.rotations) is 'Refuses a rotation that is not valid with SQLSTATE 22023.';

create or replace function ops.read_layer(p_rotation uuid, p_layer jsonb, p_now timestamptz)
returns ops.rotation_layers
language plpgsql
stable
set search_path = ''
as $$
declare
    v_layer ops.rotation_layers;
    v_weekday jsonb := p_layer -> 'weekday';
begin
    if jsonb_typeof(p_layer) is distinct from 'object'
        or p_layer - '{layer,unit,every,weekday,handOver,zone,hours,firstOn,members}'::text[] <> '{}'
    then
        perform ops.refuse(
            'layer',
            'an object with fields among layer, unit, every, weekday, handOver, zone, hours, firstOn and members',
            ops.show_keys(p_layer)
        );
    end if;
    perform ops.check_word('unit', p_layer ->> 'unit', '{day,week}');
    if not ops.is_whole(p_layer -> 'layer', 1, 20) then
        perform ops.refuse('layer', 'a whole number from 1 to 20', ops.show(p_layer -> 'layer'));
    end if;
    if not ops.is_whole(p_layer -> 'every', 1, 52) then
        perform ops.refuse('every', 'a whole number from 1 to 52', ops.show(p_layer -> 'every'));
    end if;
    perform ops.check_zone('zone', p_layer ->> 'zone');
    v_layer.rotation := p_rotation;
    v_layer.layer := (p_layer ->> 'layer')::integer;
    v_layer.unit := p_layer ->> 'unit';
    v_layer.every := (p_layer ->> 'every')::integer;
    v_layer.zone := p_layer ->> 'zone';
    v_layer.hand_over := ops.check_time_of_day('handOver', p_layer -> 'handOver');
    if coalesce(p_layer -> 'hours', 'null') <> 'null' then
        v_layer.hours_from := ops.check_time_of_day('hours.from', p_layer #> '{hours,from}');
        v_layer.hours_until := ops.check_time_of_day('hours.until', p_layer #> '{hours,until}');
        if v_layer.hours_from = v_layer.hours_until then
            perform ops.refuse('hours', 'two different times, or left out', v_layer.hours_from::text);
        end if;
    end if;
    v_layer.first_on := coalesce(
        ops.read_date('firstOn', p_layer -> 'firstOn'), (p_now at time zone v_layer.zone)::date
    );
    if v_layer.unit = 'week' then
        if not ops.is_whole(v_weekday, 1, 7) then
            perform ops.refuse('weekday', 'a number from 1 for Monday to 7 for Sunday', ops.show(v_weekday));
        end if;
        -- The week of that day begins when it was handed over last.
        v_layer.first_on := v_layer.first_on
            - (extract(isodow from v_layer.first_on)::integer - (v_weekday #>> '{}')::integer + 7) % 7;
    elsif coalesce(v_weekday, 'null') <> 'null' then
        perform ops.refuse('weekday', 'left out where turns last days', ops.show(v_weekday));
    end if;
    return v_layer;
end
$$;

comment on function ops.read_layer(uuid, jsonb, timestamptz) is
    'Returns the layer that a document describes, and refuses what is not valid with SQLSTATE 22023. Without firstOn the first member has the turn of today.';

create or replace function ops.read_date(p_field text, p_date jsonb)
returns date
language plpgsql
stable
set search_path = ''
as $$
begin
    if coalesce(p_date, 'null') = 'null' then
        return null;
    end if;
    begin
        if p_date #>> '{}' ~ '^20\d\d-\d\d-\d\d$' then
            return (p_date #>> '{}')::date;
        end if;
    exception
        when datetime_field_overflow then
            null;
    end;
    perform ops.refuse(p_field, 'a day such as 2026-11-30', ops.show(p_date));
    return null;
end
$$;

comment on function ops.read_date(text, jsonb) is
    'Returns a day as a document writes it; null if it names none. Refuses anything else with SQLSTATE 22023.';

create or replace function ops.check_person(p_field text, p_contact uuid)
returns void
language plpgsql
stable
set search_path = ''
as $$
declare
    v_level integer;
begin
    select roles.level into v_level
    from ops.contacts as contact
    join ops.contact_roles as roles on roles.role = contact.role
    where contact.id = p_contact;
    if v_level is null then
        perform ops.refuse(
            p_field, 'a contact whom alerts ask',
            coalesce(
                (select name || ', who is told and never asked' from ops.contacts where id = p_contact), p_contact::text
            )
        );
    end if;
end
$$;

comment on function ops.check_person(text, uuid) is
    'Refuses with SQLSTATE 22023 who is no contact, and a stakeholder, whom no alert asks.';

create or replace function ops.write_layer(p_layer ops.rotation_layers, p_members jsonb)
returns void
language plpgsql
set search_path = ''
as $$
declare
    v_member jsonb;
begin
    perform ops.check_list('members', p_members, 100);
    for v_member in select value from jsonb_array_elements(p_members) loop
        if not ops.is_text(v_member, 36, '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$') then
            perform ops.refuse('members', 'ids of contacts', ops.show(v_member));
        end if;
        perform ops.check_person('members', (v_member #>> '{}')::uuid);
    end loop;
    delete from ops.rotation_layers where rotation = p_layer.rotation and layer = p_layer.layer;
    insert into ops.rotation_layers
        (rotation, layer, unit, every, first_on, hand_over, zone, hours_from, hours_until)
    values (
        p_layer.rotation, p_layer.layer, p_layer.unit, p_layer.every, p_layer.first_on, p_layer.hand_over,
        p_layer.zone, p_layer.hours_from, p_layer.hours_until
    );
    insert into ops.rotation_members (rotation, layer, place, contact)
    select p_layer.rotation, p_layer.layer, member.place, (member.value #>> '{}')::uuid
    from jsonb_array_elements(p_members) with ordinality as member (value, place);
end
$$;

comment on function ops.write_layer(ops.rotation_layers, jsonb) is
    'Adds or replaces a layer with its members, who are named by the ids of their contacts in their order.';

create or replace function ops.layer_document(p_layer ops.rotation_layers)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_build_object(
        'layer', p_layer.layer,
        'unit', p_layer.unit,
        'every', p_layer.every,
        'weekday', case p_layer.unit when 'week' then extract(isodow from p_layer.first_on)::integer end,
        'handOver', to_char(p_layer.hand_over, 'HH24:MI'),
        'zone', p_layer.zone,
        'hours', case
            when p_layer.hours_from is not null then jsonb_build_object(
                'from', to_char(p_layer.hours_from, 'HH24:MI'), 'until', to_char(p_layer.hours_until, 'HH24:MI')
            )
        end,
        'firstOn', p_layer.first_on,
        -- The name of somebody who was removed is null.
        'members', (
            select coalesce(jsonb_agg(contact.name order by member.place), '[]')
            from ops.rotation_members as member
            left join ops.contacts as contact on contact.id = member.contact
            where member.rotation = p_layer.rotation and member.layer = p_layer.layer
        )
    )
$$;

comment on function ops.layer_document(ops.rotation_layers) is 'Returns a layer of a rotation as callers see it.';

create or replace function ops.rotation_document(p_rotation ops.rotations)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_build_object(
        'id', p_rotation.id,
        'name', p_rotation.name,
        'role', p_rotation.role,
        'level', (select level from ops.contact_roles where role = p_rotation.role),
        'layers', (
            select coalesce(jsonb_agg(ops.layer_document(part) order by part.layer), '[]')
            from ops.rotation_layers as part
            where part.rotation = p_rotation.id
        ),
        'calendar', (
            select ops.calendar_document(calendar) from ops.calendars as calendar where calendar.rotation = p_rotation.id
        ),
        'updatedAt', p_rotation.updated_at,
        'updatedBy', p_rotation.updated_by
    )
$$;

comment on function ops.rotation_document(ops.rotations) is 'Returns a rotation as callers see it.';

create or replace function public.ops_save_rotation(
    p_rotation uuid,
    p_fields jsonb,
    p_by text,
    p_now timestamptz default null
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_rotation ops.rotations;
    v_by text;
begin
    perform ops.hold_functions();
    perform ops.check_id('rotation', p_rotation);
    v_by := ops.check_by(p_by);
    if jsonb_typeof(p_fields) is distinct from 'object' or p_fields - '{name,role,layer}'::text[] <> '{}' then
        perform ops.refuse('fields', 'an object with fields among name, role and layer', ops.show_keys(p_fields));
    end if;

    select * into v_rotation from ops.rotations where id = p_rotation for update;
    v_rotation.id := p_rotation;
    v_rotation.name := coalesce(p_fields ->> 'name', v_rotation.name);
    v_rotation.role := coalesce(p_fields ->> 'role', v_rotation.role);
    v_rotation.updated_at := v_now;
    v_rotation.updated_by := v_by;
    perform ops.check_rotation(v_rotation);
    insert into ops.rotations as kept (id, name, role, updated_at, updated_by)
    values (p_rotation, v_rotation.name, v_rotation.role, v_now, v_by)
    on conflict (id) do update
    set name = excluded.name, role = excluded.role, updated_at = excluded.updated_at, updated_by = excluded.updated_by;
    if coalesce(p_fields -> 'layer', 'null') <> 'null' then
        perform ops.write_layer(
            ops.read_layer(p_rotation, p_fields -> 'layer', v_now), p_fields #> '{layer,members}'
        );
    end if;
    return ops.rotation_document(v_rotation);
end
$$;

comment on function public.ops_save_rotation(uuid, jsonb, text, timestamptz) is
    'Adds a rotation, or changes the fields that are given; a layer is replaced as a whole, with the others left as they are. Refuses what is not valid with SQLSTATE 22023.';

create or replace function public.ops_remove_rotation(p_rotation uuid, p_layer integer default null)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_removed bigint;
begin
    perform ops.hold_functions();
    if p_layer is null then
        delete from ops.rotations where id = p_rotation;
    else
        delete from ops.rotation_layers where rotation = p_rotation and layer = p_layer;
    end if;
    get diagnostics v_removed = row_count;
    return jsonb_build_object('removed', v_removed);
end
$$;

comment on function public.ops_remove_rotation(uuid, integer) is
    'Removes a rotation with its overrides and its calendar, or one layer of it. Without a rotation the contacts of the role are asked as their own hours say.';

create or replace function ops.oncall_shift_documents(p_rotation uuid, p_from timestamptz, p_until timestamptz)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select coalesce(
        jsonb_agg(
            jsonb_build_object(
                'from', shift.starts_at, 'until', shift.ends_at, 'name', contact.name, 'why', shift.why
            )
            order by shift.starts_at
        ),
        '[]'
    )
    from ops.duty_shifts(p_rotation, p_from, p_until) as shift
    left join ops.contacts as contact on contact.id = shift.contact
$$;

comment on function ops.oncall_shift_documents(uuid, timestamptz, timestamptz) is
    'Returns the shifts of a rotation within a period as callers see them. A shift without a name is a hole.';

create or replace function public.ops_show_oncall(
    p_at timestamptz default null,
    p_days integer default 14
)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
    v_at timestamptz := coalesce(p_at, now());
    v_until timestamptz;
begin
    perform ops.check_time('at', v_at);
    perform ops.check_number('days', p_days, 1, 366);
    v_until := v_at + make_interval(hours => 24 * p_days);
    return jsonb_build_object(
        'at', v_at,
        'until', v_until,
        'rotations', (
            select coalesce(
                jsonb_agg(
                    ops.rotation_document(rotation) || jsonb_build_object(
                        'now', ops.duty_document(rotation, v_at),
                        'shifts', ops.oncall_shift_documents(rotation.id, v_at, v_until)
                    )
                    order by roles.level, roles.after_minutes, rotation.role, lower(rotation.name)
                ),
                '[]'
            )
            from ops.rotations as rotation
            join ops.contact_roles as roles on roles.role = rotation.role
        ),
        'overrides', (
            select coalesce(jsonb_agg(ops.override_document(given) order by given.starts_at, given.id), '[]')
            from ops.oncall_overrides as given
            where given.ends_at > v_at and given.starts_at < v_until
        ),
        'absences', (
            select coalesce(jsonb_agg(ops.absence_document(absence) order by absence.starts_at, absence.id), '[]')
            from ops.absences as absence
            where absence.ends_at > v_at and absence.starts_at < v_until
        )
    );
end
$$;

comment on function public.ops_show_oncall(timestamptz, integer) is
    'Returns who has each rotation at a time and in so many days from then, with what is planned in them: overrides, swaps and absences.';
