-- Maintenance windows: announced work. A window counts from its announcement, never before,
-- and ends where it was removed. The past never changes by it, so nobody can excuse an
-- outage afterwards, and uptime that was rolled up stays true.

create or replace function ops.occurrences(p_window ops.maintenance_windows, p_from timestamptz, p_to timestamptz)
returns setof tstzrange
language sql
stable
set search_path = ''
as $$
    with occurring (span) as (
        select tstzrange(p_window.starts_at, p_window.ends_at)
        where p_window.weekdays is null

        union all
        select tstzrange(begun.at, begun.at + make_interval(mins => p_window.duration_minutes))
        -- An occurrence lasts a day at most, so none that began two days earlier reaches here.
        from generate_series(
            ((greatest(p_from, p_window.starts_at) at time zone p_window.zone)::date - 2)::timestamp,
            least(p_to, p_window.ends_at) at time zone p_window.zone,
            interval '1 day'
        ) as local (day)
        cross join lateral (select (local.day + p_window.local_time) at time zone p_window.zone as at) as begun
        where extract(isodow from local.day)::integer = any (p_window.weekdays)
    ),
    clipped as (
        select span
            * tstzrange(greatest(p_window.starts_at, p_window.created_at), p_window.ends_at)
            * tstzrange(null, p_window.removed_at)
            * tstzrange(p_from, greatest(p_from, p_to)) as span
        from occurring
    )
    select span from clipped where not isempty(span)
$$;

comment on function ops.occurrences(ops.maintenance_windows, timestamptz, timestamptz) is
    'When a window was or will be in force within a period, one range for each occurrence. If a change of clocks leaves its local time out, the occurrence begins when the clocks have moved; if the local time comes twice, it begins the second time.';

create or replace function ops.list_maintenance(
    p_from timestamptz,
    p_to timestamptz,
    out window_id uuid,
    out checks text[],
    out services text[],
    out span tstzrange
)
returns setof record
language plpgsql
stable
set search_path = ''
as $$
begin
    return query
    select announced.id, announced.checks, announced.services, occurrence
    from ops.maintenance_windows as announced
    cross join lateral ops.occurrences(announced, p_from, p_to) as occurrence
    where announced.ends_at > p_from and announced.starts_at < p_to;
end
$$;

comment on function ops.list_maintenance(timestamptz, timestamptz) is
    'The intervals of all maintenance windows within a period. Only this function knows when there was maintenance.';

create or replace function ops.covers(p_checks text[], p_services text[], p_names text[], p_service text)
returns boolean
language sql
immutable
set search_path = ''
as $$
    select (p_checks = '{}' and p_services = '{}')
        or p_checks && p_names
        or coalesce(p_service = any (p_services), false)
$$;

comment on function ops.covers(text[], text[], text[], text) is
    'Whether maintenance of those checks and services (none of both: of everything) concerns a check that has one of these names and that service.';

create or replace function ops.maintenance_of(p_check text, p_from timestamptz, p_to timestamptz)
returns tstzmultirange
language plpgsql
stable
set search_path = ''
as $$
begin
    return coalesce(
        (
            select range_agg(listed.span)
            from ops.list_maintenance(p_from, p_to) as listed
            where ops.covers(
                listed.checks,
                listed.services,
                array[p_check],
                (select service from ops.checks where name = p_check)
            )
        ),
        '{}'
    );
end
$$;

comment on function ops.maintenance_of(text, timestamptz, timestamptz) is
    'When a check was in maintenance within a period. Overlapping windows count once.';

create or replace function ops.maintenance_document(p_window ops.maintenance_windows, p_now timestamptz)
returns jsonb
language sql
stable
set search_path = ''
as $$
    with upcoming as (
        select lower(occurrence) as starts_at, upper(occurrence) as ends_at
        from ops.occurrences(p_window, p_now, p_window.ends_at) as occurrence
        order by 1
        limit 1
    )
    select jsonb_build_object(
        'id', p_window.id,
        'reason', p_window.reason,
        'author', p_window.author,
        'checks', to_jsonb(p_window.checks),
        'services', to_jsonb(p_window.services),
        'startsAt', p_window.starts_at,
        'endsAt', p_window.ends_at,
        'weekdays', to_jsonb(p_window.weekdays),
        'localTime', to_char(p_window.local_time, 'HH24:MI'),
        'durationMinutes', p_window.duration_minutes,
        'zone', p_window.zone,
        'createdAt', p_window.created_at,
        'removedAt', p_window.removed_at,
        'removedBy', p_window.removed_by,
        'nextFrom', upcoming.starts_at,
        'nextTo', upcoming.ends_at,
        'state', case
            when p_window.removed_at is not null then 'removed'
            when upcoming.starts_at is null then 'over'
            when upcoming.starts_at <= p_now then 'active'
            else 'planned'
        end
    )
    from (select) as always
    left join upcoming on true
$$;

comment on function ops.maintenance_document(ops.maintenance_windows, timestamptz) is
    'A window as callers see it, with its present or next occurrence. Its state is planned, active, over or removed.';

create or replace function ops.list_names(p_names jsonb)
returns text[]
language sql
immutable
set search_path = ''
as $$
    select array(select jsonb_array_elements_text(coalesce(nullif(p_names, 'null'), '[]')))
$$;

comment on function ops.list_names(jsonb) is 'The names in an array of a document; none if it is absent or null.';

create or replace function ops.find_scope_fault(p_checks text[], p_services text[])
returns ops.fault
language sql
stable
set search_path = ''
as $$
    -- A window for a misspelt name would concern nothing, and nobody would notice.
    with unknown (field, expected, names) as (
        select 'checks', 'names of checks that are watched', array_remove(
            array(select unnest(p_checks) except select name from ops.checks), null
        )
        union all
        select 'services', 'names of services that are watched', array_remove(
            array(select unnest(p_services) except select service from ops.checks), null
        )
    )
    select ops.make_fault(field, expected, array_to_string(names, ', '))
    from unknown
    where names <> '{}'
    order by field
    limit 1
$$;

comment on function ops.find_scope_fault(text[], text[]) is
    'What is wrong with the checks and services of an announced window, or null if all of them are watched.';

create or replace function ops.find_recurrence_fault(p_window jsonb, p_minutes integer)
returns ops.fault
language sql
stable
set search_path = ''
as $$
    with given (nth, field, is_given) as (
        values
            (1, 'weekdays', jsonb_typeof(p_window -> 'weekdays') is not distinct from 'array'),
            (2, 'durationMinutes', p_window ->> 'durationMinutes' is not null),
            (3, 'zone', p_window ->> 'zone' is not null)
    ),
    mismatched as (
        select ops.make_fault(
            field,
            case when is_given then 'absent without localTime' else 'given together with localTime' end,
            ops.show(p_window -> field)
        ) as fault
        from given
        where is_given <> (p_window ->> 'localTime' is not null)
        order by nth
        limit 1
    )
    select coalesce(
        (select fault from mismatched),
        case
            when p_window ->> 'localTime' is null then null
            when p_window -> 'weekdays' = '[]' or not p_window -> 'weekdays' <@ '[1, 2, 3, 4, 5, 6, 7]'
            then ops.make_fault(
                'weekdays',
                'an array of numbers from 1 for Monday to 7 for Sunday',
                ops.show(p_window -> 'weekdays')
            )
            when p_minutes not between 1 and 1440
            then ops.make_fault('durationMinutes', 'a whole number from 1 to 1440', p_minutes::text)
            when not exists (select from pg_timezone_names where name = p_window ->> 'zone')
            then ops.make_fault('zone', 'a zone by its IANA name, such as Europe/Paris', ops.show(p_window -> 'zone'))
        end
    )
$$;

comment on function ops.find_recurrence_fault(jsonb, integer) is
    'What is wrong with the fields by which an announced window recurs, or null. A window recurs if it has a localTime.';

create or replace function ops.find_end_fault(
    p_starts_at timestamptz,
    p_ends_at timestamptz,
    p_recurs boolean,
    p_now timestamptz
)
returns ops.fault
language sql
stable
set search_path = ''
as $$
    select case
        when p_ends_at is null or p_ends_at <= greatest(p_starts_at, p_now)
        then ops.make_fault('endsAt', 'a time after the beginning and after now', p_ends_at::text)
        when p_ends_at - p_starts_at > make_interval(days => 30) and not p_recurs
        then ops.make_fault('endsAt', 'within 30 days of the beginning', p_ends_at::text)
        when p_ends_at - p_starts_at > make_interval(days => 400)
        then ops.make_fault('endsAt', 'within 400 days of the beginning', p_ends_at::text)
    end
$$;

comment on function ops.find_end_fault(timestamptz, timestamptz, boolean, timestamptz) is
    'What is wrong with the end of an announced window, or null. Only a window that recurs may end after more than 30 days.';

create or replace function ops.find_window_fault(p_window jsonb, p_now timestamptz)
returns ops.fault
language plpgsql
stable
set search_path = ''
as $$
declare
    v_field text;
    v_starts_at timestamptz;
    v_ends_at timestamptz;
    v_minutes integer;
    v_checks text[];
    v_services text[];
    v_reason text := btrim(coalesce(p_window ->> 'reason', ''));
begin
    if length(v_reason) not between 1 and 500 then
        return ops.make_fault('reason', 'a text of 1 to 500 characters', length(v_reason) || ' characters');
    end if;

    -- Where a field cannot be read, the handler below knows by v_field which one it is.
    v_field := 'startsAt';
    v_starts_at := coalesce((p_window ->> v_field)::timestamptz, p_now);
    v_field := 'endsAt';
    v_ends_at := (p_window ->> v_field)::timestamptz;
    v_field := 'localTime';
    perform (p_window ->> v_field)::time;
    v_field := 'durationMinutes';
    v_minutes := (p_window ->> v_field)::integer;
    v_field := 'checks';
    v_checks := ops.list_names(p_window -> v_field);
    v_field := 'services';
    v_services := ops.list_names(p_window -> v_field);

    return coalesce(
        ops.find_end_fault(v_starts_at, v_ends_at, p_window ->> 'localTime' is not null, p_now),
        ops.find_recurrence_fault(p_window, v_minutes),
        ops.find_scope_fault(v_checks, v_services)
    );
exception
    when data_exception then
        return ops.make_fault(
            v_field,
            case v_field
                when 'localTime' then 'a time of the day such as 22:00'
                when 'durationMinutes' then 'a whole number from 1 to 1440'
                when 'checks' then 'an array of names'
                when 'services' then 'an array of names'
                else 'a time such as 2026-11-28T22:00:00Z'
            end,
            ops.show(p_window -> v_field)
        );
end
$$;

comment on function ops.find_window_fault(jsonb, timestamptz) is
    'What is wrong with a window that somebody announces, or null.';

create or replace function ops.check_window(p_window jsonb, p_now timestamptz)
returns void
language plpgsql
stable
set search_path = ''
as $$
declare
    v_fault ops.fault := ops.find_window_fault(p_window, p_now);
begin
    if v_fault.field is not null then
        perform ops.refuse(v_fault.field, v_fault.expected, v_fault.got);
    end if;
end
$$;

comment on function ops.check_window(jsonb, timestamptz) is
    'Refuses what is not a maintenance window, with SQLSTATE 22023.';

create or replace function public.ops_add_maintenance(
    p_id uuid,
    p_window jsonb,
    p_by text,
    p_now timestamptz default null
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_window ops.maintenance_windows;
begin
    perform ops.hold_functions();
    select * into v_window from ops.maintenance_windows where id = p_id;
    if found then
        return ops.maintenance_document(v_window, v_now);
    end if;
    perform ops.check_given('id', p_id, 'a uuid that the caller made');
    perform ops.check_length('by', btrim(p_by), 200);
    perform ops.check_window(p_window, v_now);

    insert into ops.maintenance_windows
        (id, reason, author, checks, services, starts_at, ends_at, weekdays, local_time, duration_minutes, zone, created_at)
    values (
        p_id,
        btrim(p_window ->> 'reason'),
        btrim(p_by),
        ops.list_names(p_window -> 'checks'),
        ops.list_names(p_window -> 'services'),
        coalesce((p_window ->> 'startsAt')::timestamptz, v_now),
        (p_window ->> 'endsAt')::timestamptz,
        case
            when jsonb_typeof(p_window -> 'weekdays') = 'array'
            then array(select jsonb_array_elements_text(p_window -> 'weekdays')::integer)
        end,
        (p_window ->> 'localTime')::time,
        (p_window ->> 'durationMinutes')::integer,
        p_window ->> 'zone',
        v_now
    )
    on conflict (id) do nothing;

    select * into strict v_window from ops.maintenance_windows where id = p_id;
    return ops.maintenance_document(v_window, v_now);
end
$$;

comment on function public.ops_add_maintenance(uuid, jsonb, text, timestamptz) is
    'Announces maintenance. It lasts from startsAt (now, if that is absent) to endsAt; or it recurs until endsAt, on weekdays at a local time. What is not valid is refused with SQLSTATE 22023. Repeated with the same id, the call returns the window that is there.';

create or replace function public.ops_remove_maintenance(p_id uuid, p_by text, p_now timestamptz default null)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_window ops.maintenance_windows;
begin
    perform ops.hold_functions();
    perform ops.check_length('by', btrim(p_by), 200);
    update ops.maintenance_windows
    set removed_at = v_now, removed_by = btrim(p_by)
    where id = p_id and removed_at is null;

    select * into v_window from ops.maintenance_windows where id = p_id;
    if not found then
        perform ops.refuse('id', 'the id of a maintenance window', p_id::text);
    end if;
    return ops.maintenance_document(v_window, v_now);
end
$$;

comment on function public.ops_remove_maintenance(uuid, text, timestamptz) is
    'Ends a maintenance window now, and with it all its later occurrences; the earlier ones stay. Repeating the call changes nothing.';

create or replace function public.ops_list_maintenance(p_now timestamptz default null)
returns jsonb
language sql
stable
set search_path = ''
as $$
    with newest as (
        select announced, announced.ends_at, announced.removed_at
        from ops.maintenance_windows as announced
        order by announced.created_at desc, announced.id
        limit 200
    )
    select jsonb_build_object(
        'maintenance', coalesce(
            jsonb_agg(
                ops.maintenance_document(announced, coalesce(p_now, now()))
                order by coalesce(removed_at, ends_at) desc
            ),
            '[]'
        )
    )
    from newest
$$;

comment on function public.ops_list_maintenance(timestamptz) is
    'Lists the 200 windows that were announced last, the one that ends last first.';
