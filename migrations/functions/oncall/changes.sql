-- What people change about the on-call calendar for a time: somebody takes a rotation, two
-- swap their shifts, somebody is away.

create or replace function ops.check_span(p_from timestamptz, p_until timestamptz, p_now timestamptz)
returns void
language plpgsql
stable
set search_path = ''
as $$
begin
    perform ops.check_time('from', p_from);
    if p_until is null or p_until <= greatest(p_from, p_now) or p_until > p_from + interval '400 days' then
        perform ops.refuse('until', 'a time after now and after the beginning, at most 400 days later', p_until::text);
    end if;
end
$$;

comment on function ops.check_span(timestamptz, timestamptz, timestamptz) is
    'Refuses with SQLSTATE 22023 a time that has no end, is over, or lasts too long.';

create or replace function ops.override_document(p_override ops.oncall_overrides)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_build_object(
        'id', p_override.id,
        'rotation', (select name from ops.rotations where id = p_override.rotation),
        'name', (select name from ops.contacts where id = p_override.contact),
        'from', p_override.starts_at,
        'until', p_override.ends_at,
        'swap', p_override.swap,
        'reason', p_override.reason,
        'createdAt', p_override.created_at,
        'createdBy', p_override.created_by
    )
$$;

comment on function ops.override_document(ops.oncall_overrides) is 'Returns an override as callers see it.';

create or replace function ops.absence_document(p_absence ops.absences)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_build_object(
        'id', p_absence.id,
        'name', (select name from ops.contacts where id = p_absence.contact),
        'from', p_absence.starts_at,
        'until', p_absence.ends_at,
        'reason', p_absence.reason,
        'createdAt', p_absence.created_at,
        'createdBy', p_absence.created_by
    )
$$;

comment on function ops.absence_document(ops.absences) is 'Returns an absence as callers see it.';

create or replace function ops.check_reason(p_reason text)
returns text
language plpgsql
stable
set search_path = ''
as $$
begin
    return case when nullif(btrim(p_reason), '') is not null then ops.check_text('reason', p_reason, 500) end;
end
$$;

comment on function ops.check_reason(text) is
    'Returns a reason, which nobody has to give. Refuses a long one, and one that holds a secret, with SQLSTATE 22023.';

create or replace function ops.check_rotation_id(p_rotation uuid)
returns void
language plpgsql
stable
set search_path = ''
as $$
begin
    if not exists (select from ops.rotations where id = p_rotation) then
        perform ops.refuse('rotation', 'the id of a rotation', p_rotation::text);
    end if;
end
$$;

comment on function ops.check_rotation_id(uuid) is 'Refuses with SQLSTATE 22023 what is no rotation.';

create or replace function public.ops_override_oncall(
    p_override uuid,
    p_rotation uuid,
    p_contact uuid,
    p_from timestamptz,
    p_until timestamptz,
    p_reason text,
    p_by text,
    p_now timestamptz default null
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_override ops.oncall_overrides;
begin
    perform ops.hold_functions();
    perform ops.check_id('override', p_override);
    perform ops.check_rotation_id(p_rotation);
    perform ops.check_person('contact', p_contact);
    perform ops.check_span(coalesce(p_from, v_now), p_until, v_now);
    insert into ops.oncall_overrides
        (id, rotation, contact, starts_at, ends_at, reason, created_at, created_by)
    values (
        p_override, p_rotation, p_contact, coalesce(p_from, v_now), p_until, ops.check_reason(p_reason), v_now,
        ops.check_by(p_by)
    )
    on conflict (id) do nothing;
    select * into strict v_override from ops.oncall_overrides where id = p_override;
    return ops.override_document(v_override);
end
$$;

comment on function public.ops_override_oncall(uuid, uuid, uuid, timestamptz, timestamptz, text, text, timestamptz) is
    'Gives a rotation to somebody for a time, from now on if no beginning is given. A call that is repeated with the same id returns the override that is there.';

create or replace function ops.find_shift(
    p_field text,
    p_rotation uuid,
    p_contact uuid,
    p_at timestamptz,
    out starts_at timestamptz,
    out ends_at timestamptz
)
language plpgsql
stable
set search_path = ''
as $$
begin
    select shift.starts_at, shift.ends_at into starts_at, ends_at
    from ops.duty_shifts(p_rotation, p_at, p_at + interval '180 days') as shift
    where shift.contact = p_contact
    order by shift.starts_at
    limit 1;
    if starts_at is null then
        perform ops.refuse(
            p_field, 'somebody who has a shift of the rotation within 180 days',
            (select name from ops.contacts where id = p_contact)
        );
    end if;
end
$$;

comment on function ops.find_shift(text, uuid, uuid, timestamptz) is
    'Returns the shift that somebody has at that time or next; what of it has passed is left out. Refuses with SQLSTATE 22023 who has none.';

create or replace function ops.swap_shifts(
    p_request uuid,
    p_rotation uuid,
    p_one uuid,
    p_other uuid,
    p_one_at timestamptz,
    p_other_at timestamptz,
    p_reason text,
    p_by text,
    p_now timestamptz
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_of_one record;
    v_of_other record;
begin
    v_of_one := ops.find_shift('one', p_rotation, p_one, greatest(p_one_at, p_now));
    v_of_other := ops.find_shift('other', p_rotation, p_other, greatest(p_other_at, p_now));
    insert into ops.oncall_overrides
        (id, rotation, contact, starts_at, ends_at, swap, reason, created_at, created_by)
    values
        (
            gen_random_uuid(), p_rotation, p_other, v_of_one.starts_at, v_of_one.ends_at, p_request, p_reason, p_now,
            p_by
        ),
        (
            gen_random_uuid(), p_rotation, p_one, v_of_other.starts_at, v_of_other.ends_at, p_request, p_reason, p_now,
            p_by
        );
    return (
        select jsonb_build_object('overrides', jsonb_agg(ops.override_document(half) order by half.starts_at))
        from ops.oncall_overrides as half
        where half.swap = p_request
    );
end
$$;

comment on function ops.swap_shifts(uuid, uuid, uuid, uuid, timestamptz, timestamptz, text, text, timestamptz) is
    'Gives the shift of each of two people to the other one.';

create or replace function public.ops_swap_oncall(
    p_request uuid,
    p_rotation uuid,
    p_one uuid,
    p_other uuid,
    p_one_at timestamptz,
    p_other_at timestamptz,
    p_reason text,
    p_by text,
    p_now timestamptz default null
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_former jsonb;
begin
    perform ops.hold_functions();
    perform ops.check_request(p_request);
    v_former := ops.former_answer(p_request, 'ops_swap_oncall');
    if v_former is not null then
        return v_former;
    end if;
    perform ops.check_rotation_id(p_rotation);
    perform ops.check_person('one', p_one);
    perform ops.check_person('other', p_other);
    if p_one = p_other then
        perform ops.refuse('other', 'somebody else than one', (select name from ops.contacts where id = p_other));
    end if;
    return ops.keep_answer(
        p_request, 'ops_swap_oncall',
        ops.swap_shifts(
            p_request, p_rotation, p_one, p_other, p_one_at, p_other_at, ops.check_reason(p_reason),
            ops.check_by(p_by), v_now
        ),
        v_now
    );
end
$$;

comment on function public.ops_swap_oncall(uuid, uuid, uuid, uuid, timestamptz, timestamptz, text, text, timestamptz) is
    'Two people swap a shift each: the one that they have at the given times or next. Of a shift under way the rest is swapped.';

create or replace function public.ops_add_absence(
    p_absence uuid,
    p_contact uuid,
    p_from timestamptz,
    p_until timestamptz,
    p_reason text,
    p_by text,
    p_now timestamptz default null
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_absence ops.absences;
begin
    perform ops.hold_functions();
    perform ops.check_id('absence', p_absence);
    perform ops.check_person('contact', p_contact);
    perform ops.check_span(coalesce(p_from, v_now), p_until, v_now);
    insert into ops.absences (id, contact, starts_at, ends_at, reason, created_at, created_by)
    values (
        p_absence, p_contact, coalesce(p_from, v_now), p_until, ops.check_reason(p_reason), v_now, ops.check_by(p_by)
    )
    on conflict (id) do nothing;
    select * into strict v_absence from ops.absences where id = p_absence;
    return ops.absence_document(v_absence);
end
$$;

comment on function public.ops_add_absence(uuid, uuid, timestamptz, timestamptz, text, text, timestamptz) is
    'Somebody is away for a time, from now on if no beginning is given: its turns go to the next one in order, and its own hours do not count. A call that is repeated with the same id returns the absence that is there.';

create or replace function public.ops_end_oncall_change(p_change uuid, p_now timestamptz default null)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_ended bigint;
    v_changed bigint;
begin
    perform ops.hold_functions();
    delete from ops.oncall_overrides where p_change in (id, swap) and starts_at >= v_now;
    get diagnostics v_ended = row_count;
    -- What has passed stays as it was.
    update ops.oncall_overrides set ends_at = v_now where p_change in (id, swap) and ends_at > v_now;
    get diagnostics v_changed = row_count;
    v_ended := v_ended + v_changed;
    delete from ops.absences where id = p_change and starts_at >= v_now;
    get diagnostics v_changed = row_count;
    v_ended := v_ended + v_changed;
    update ops.absences set ends_at = v_now where id = p_change and ends_at > v_now;
    get diagnostics v_changed = row_count;
    return jsonb_build_object('ended', v_ended + v_changed);
end
$$;

comment on function public.ops_end_oncall_change(uuid, timestamptz) is
    'Ends an override, both halves of a swap, or an absence now, and drops what of it is still to come. Returns how many it ended.';
