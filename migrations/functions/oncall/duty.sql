-- Who has a rotation when. One function says it of an instant, and everything else asks that
-- one: overrides come first, then the calendar, then the layers in their order. Whoever is
-- away has nothing, and the next one in order does.

create or replace function ops.is_away(p_contact uuid, p_at timestamptz)
returns boolean
language plpgsql
stable
set search_path = ''
as $$
begin
    return exists (
        select
        from ops.absences as absence
        where absence.contact = p_contact and absence.starts_at <= p_at and absence.ends_at > p_at
    );
end
$$;

comment on function ops.is_away(uuid, timestamptz) is 'Returns whether a contact is away at that time.';

create or replace function ops.can_be_asked(p_contact uuid, p_at timestamptz)
returns boolean
language plpgsql
stable
set search_path = ''
as $$
begin
    return not ops.is_away(p_contact, p_at) and exists (
        select
        from ops.contacts as contact
        join ops.contact_roles as roles on roles.role = contact.role
        -- A stakeholder hears of incidents and is never asked.
        where contact.id = p_contact and roles.level is not null
    );
end
$$;

comment on function ops.can_be_asked(uuid, timestamptz) is
    'Returns whether a contact may have a rotation at that time: it is not away, and its role is one that alerts ask.';

create or replace function ops.member_at(
    p_layer ops.rotation_layers,
    p_at timestamptz,
    out contact uuid,
    out stands_in boolean
)
language plpgsql
stable
set search_path = ''
as $$
declare
    v_members uuid[] := array(
        select member.contact
        from ops.rotation_members as member
        where member.rotation = p_layer.rotation and member.layer = p_layer.layer
        order by member.place
    );
    v_count integer := cardinality(v_members);
    v_first integer;
begin
    if v_count = 0 then
        return;
    end if;
    v_first := (ops.turn_at(p_layer, p_at) % v_count + v_count) % v_count;
    for v_distance in 0 .. v_count - 1 loop
        contact := v_members[(v_first + v_distance) % v_count + 1];
        stands_in := v_distance > 0;
        if ops.can_be_asked(contact, p_at) then
            return;
        end if;
    end loop;
    contact := null;
end
$$;

comment on function ops.member_at(ops.rotation_layers, timestamptz) is
    'Returns who has a layer at that time: the member whose turn it is or, if that one cannot be asked, the next one in order who can. Null if there is none.';

create or replace function ops.duty_at(p_rotation uuid, p_at timestamptz, out contact uuid, out why text)
language plpgsql
stable
set search_path = ''
as $$
declare
    v_layer ops.rotation_layers;
    v_stands_in boolean;
begin
    select given.contact, case when given.swap is null then 'override' else 'swap' end
    into contact, why
    from ops.oncall_overrides as given
    where given.rotation = p_rotation
        and given.starts_at <= p_at and given.ends_at > p_at
        and ops.can_be_asked(given.contact, p_at)
    order by given.created_at desc, given.id desc
    limit 1;
    if found then
        return;
    end if;

    select entry.contact, 'calendar'
    into contact, why
    from ops.calendar_entries as entry
    where entry.rotation = p_rotation
        and entry.starts_at <= p_at and entry.ends_at > p_at
        and ops.can_be_asked(entry.contact, p_at)
    order by entry.starts_at desc, entry.ends_at, entry.contact
    limit 1;
    if found then
        return;
    end if;

    for v_layer in
        select * from ops.rotation_layers as part where part.rotation = p_rotation order by part.layer
    loop
        if ops.is_in_hours(v_layer, p_at) then
            select member.contact, member.stands_in into contact, v_stands_in from ops.member_at(v_layer, p_at) as member;
            if contact is not null then
                why := case when v_stands_in then 'stand_in' else 'rotation' end;
                return;
            end if;
        end if;
    end loop;
    contact := null;
    why := null;
end
$$;

comment on function ops.duty_at(uuid, timestamptz) is
    'Returns who has a rotation at that time and why: override, swap, calendar, rotation, or stand_in for a member who cannot be asked. Null if nobody has it. Only this function decides that.';

create or replace function ops.duty_cuts(p_rotation uuid, p_from timestamptz, p_until timestamptz)
returns setof timestamptz
language plpgsql
stable
set search_path = ''
-- Compiling a plan would take longer than running it.
set jit = off
as $$
begin
    return query
    select distinct cut.at
    from (
        select p_from
        union all
        select unnest(array[starts_at, ends_at])
        from ops.oncall_overrides
        where rotation = p_rotation and ends_at > p_from and starts_at < p_until
        union all
        select unnest(array[starts_at, ends_at])
        from ops.calendar_entries
        where rotation = p_rotation and ends_at > p_from and starts_at < p_until
        union all
        select unnest(array[starts_at, ends_at])
        from ops.absences
        where ends_at > p_from and starts_at < p_until
        union all
        select ops.turn_begins_at(part, turn)
        from ops.rotation_layers as part
        cross join lateral generate_series(ops.turn_at(part, p_from) + 1, ops.turn_at(part, p_until)) as turn
        where part.rotation = p_rotation
        union all
        select unnest(array[ops.hours_begin_at(part, day.begins), ops.hours_end_at(part, day.begins)])
        from ops.rotation_layers as part
        cross join lateral (
            select (p_from at time zone part.zone)::date + nth as begins
            from generate_series(-1, (p_until at time zone part.zone)::date - (p_from at time zone part.zone)::date) as nth
        ) as day
        where part.rotation = p_rotation and part.hours_from is not null
    ) as cut (at)
    where cut.at >= p_from and cut.at < p_until
    order by cut.at;
end
$$;

comment on function ops.duty_cuts(uuid, timestamptz, timestamptz) is
    'Returns the times within a period at which somebody else may get a rotation, its beginning first. Between two of them nothing changes.';

create or replace function ops.duty_shifts(p_rotation uuid, p_from timestamptz, p_until timestamptz)
returns table (starts_at timestamptz, ends_at timestamptz, contact uuid, why text)
language plpgsql
stable
set search_path = ''
-- Compiling a plan would take longer than running it.
set jit = off
as $$
begin
    return query
    with pieces as (
        select cut.at, duty.contact, duty.why
        from ops.duty_cuts(p_rotation, p_from, p_until) as cut (at)
        cross join lateral ops.duty_at(p_rotation, cut.at) as duty
    ),
    marked as (
        select
            pieces.*,
            lag(pieces.at) over (order by pieces.at) is null
                or (pieces.contact, pieces.why)
                    is distinct from (
                        lag(pieces.contact) over (order by pieces.at), lag(pieces.why) over (order by pieces.at)
                    ) as begins
        from pieces
    )
    select marked.at, lead(marked.at, 1, p_until) over (order by marked.at), marked.contact, marked.why
    from marked
    where marked.begins
    order by marked.at;
end
$$;

comment on function ops.duty_shifts(uuid, timestamptz, timestamptz) is
    'Cuts a period into the shifts of a rotation, which adjoin. A shift without a contact is a hole.';

create or replace function ops.duty_document(p_rotation ops.rotations, p_at timestamptz)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
    v_ahead constant interval := interval '35 days';
    v_cut timestamptz;
    v_contact uuid;
    v_why text;
    v_other uuid;
    v_until timestamptz;
begin
    for v_cut in select cut.at from ops.duty_cuts(p_rotation.id, p_at, p_at + v_ahead) as cut (at) loop
        if v_cut = p_at then
            select duty.contact, duty.why into v_contact, v_why from ops.duty_at(p_rotation.id, p_at) as duty;
            continue;
        end if;
        select duty.contact into v_other from ops.duty_at(p_rotation.id, v_cut) as duty;
        if v_other is distinct from v_contact then
            v_until := v_cut;
            exit;
        end if;
    end loop;
    return jsonb_build_object(
        'rotation', p_rotation.name,
        'role', p_rotation.role,
        'name', (select name from ops.contacts where id = v_contact),
        'why', v_why,
        'until', v_until,
        'next', case when v_until is not null then (select name from ops.contacts where id = v_other) end
    );
end
$$;

comment on function ops.duty_document(ops.rotations, timestamptz) is
    'Returns who has a rotation at that time, until when, and who comes next, as messages and the dashboard tell it. Without a name nobody has it; until is null if nothing changes in 35 days.';

create or replace function ops.list_duty(p_at timestamptz)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
    return (
        select coalesce(
            jsonb_agg(
                ops.duty_document(rotation, p_at)
                order by roles.level, roles.after_minutes, rotation.role, lower(rotation.name)
            ),
            '[]'
        )
        from ops.rotations as rotation
        join ops.contact_roles as roles on roles.role = rotation.role
    );
end
$$;

comment on function ops.list_duty(timestamptz) is
    'Returns who has each rotation at that time and who comes next, in the order in which they are asked.';

create or replace function ops.find_holes(p_rotation uuid, p_from timestamptz, p_until timestamptz)
returns table (starts_at timestamptz, ends_at timestamptz)
language plpgsql
stable
set search_path = ''
as $$
begin
    return query
    select shift.starts_at, shift.ends_at
    from ops.duty_shifts(p_rotation, p_from, p_until) as shift
    where shift.contact is null
    order by shift.starts_at;
end
$$;

comment on function ops.find_holes(uuid, timestamptz, timestamptz) is
    'Returns the times within a period at which nobody has a rotation.';
