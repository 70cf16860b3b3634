-- Maintenance windows: announced work, as data.
--
-- Why: what is down on purpose must not wake anybody and must not count as
-- down, and both need to know exactly when that was. A window counts from when
-- it was announced, never before, and ends where it was removed: what has
-- passed never changes, so nobody can excuse an outage afterwards, and uptime
-- that was rolled up stays true.
-- Read by: uptime, the queueing of messages, `pourtrait maintenance`.
-- Undo: drop the functions, then ops.maintenance_windows.

set local search_path = '';

create table ops.maintenance_windows (
    id uuid primary key,
    reason text not null check (length(reason) between 1 and 500),
    author text not null check (length(author) between 1 and 200),
    checks text[] not null default '{}',
    services text[] not null default '{}',
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    weekdays integer[] check (weekdays <@ '{1,2,3,4,5,6,7}' and cardinality(weekdays) > 0),
    local_time time,
    duration_minutes integer check (duration_minutes between 1 and 1440),
    zone text,
    created_at timestamptz not null,
    removed_at timestamptz,
    removed_by text,
    check (starts_at < ends_at),
    check (created_at < ends_at),
    check (num_nulls(weekdays, local_time, duration_minutes, zone) in (0, 4)),
    check ((removed_at is null) = (removed_by is null))
);

comment on table ops.maintenance_windows is 'Announced work: once, or on weekdays at a local time; every window has an end.';
comment on column ops.maintenance_windows.id is 'Made by the caller, so that adding may be repeated.';
comment on column ops.maintenance_windows.checks is 'Checks that are worked on; with no check and no service it is all of them.';
comment on column ops.maintenance_windows.services is 'Services that are worked on, with all their checks.';
comment on column ops.maintenance_windows.ends_at is 'Of a recurring window, when the rule ends.';
comment on column ops.maintenance_windows.weekdays is 'Days on which it begins, 1 for Monday to 7 for Sunday; null for a window that comes once.';
comment on column ops.maintenance_windows.local_time is 'When it begins, on the clock of its zone.';
comment on column ops.maintenance_windows.duration_minutes is 'How long it takes, whatever clocks do meanwhile.';
comment on column ops.maintenance_windows.zone is 'IANA name of the zone.';
comment on column ops.maintenance_windows.created_at is 'Nothing before it is maintenance.';
comment on column ops.maintenance_windows.removed_at is 'Nothing after it is maintenance.';

create index maintenance_windows_ends_idx on ops.maintenance_windows (ends_at);

alter table ops.maintenance_windows enable row level security;

-- Intervals ------------------------------------------------------------------

create function ops.occurrences(p_window ops.maintenance_windows, p_from timestamptz, p_to timestamptz)
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
        -- What began two days earlier cannot reach here: it lasts a day at most.
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
    'When a window was or will be in force within a period, one range an occurrence. A local time that a change of clocks leaves out begins when clocks have moved; of one that comes twice it is the second.';

create function ops.list_maintenance(
    p_from timestamptz,
    p_to timestamptz,
    out window_id uuid,
    out checks text[],
    out services text[],
    out span tstzrange
)
returns setof record
language sql
stable
set search_path = ''
as $$
    select announced.id, announced.checks, announced.services, occurrence
    from ops.maintenance_windows as announced
    cross join lateral ops.occurrences(announced, p_from, p_to) as occurrence
    where announced.ends_at > p_from and announced.starts_at < p_to
$$;

comment on function ops.list_maintenance(timestamptz, timestamptz) is
    'The concrete intervals of all maintenance within a period: the one place that knows when there was any.';

create function ops.covers(p_checks text[], p_services text[], p_names text[], p_service text)
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
    'Whether maintenance of those checks and services concerns a check, by any of its names, or its service.';

create function ops.maintenance_of(p_check text, p_from timestamptz, p_to timestamptz)
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
    'When within a period a check was in maintenance; overlapping windows count once.';

-- Adding, removing, listing --------------------------------------------------

create function ops.maintenance_document(p_window ops.maintenance_windows, p_now timestamptz)
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
    'A window as callers see it, with its present or next occurrence: planned, active, over or removed.';

create function ops.check_scope(p_window jsonb)
returns text
language sql
stable
set search_path = ''
as $$
    -- A name that is misspelt would announce nothing, and nobody would notice.
    select 'names that are watched, not ' || string_agg(named.name, ', ')
    from (
        select jsonb_array_elements_text(coalesce(nullif(p_window -> 'checks', 'null'), '[]'))
        except
        select name from ops.checks
        union all
        (
            select jsonb_array_elements_text(coalesce(nullif(p_window -> 'services', 'null'), '[]'))
            except
            select service from ops.checks
        )
    ) as named (name)
$$;

comment on function ops.check_scope(jsonb) is
    'What the checks and services of an announced window should have been, or null if all of them exist.';

create function ops.check_maintenance(p_window jsonb, p_now timestamptz)
returns text
language plpgsql
stable
set search_path = ''
as $$
declare
    v_starts_at timestamptz;
    v_ends_at timestamptz;
    v_recurs boolean := p_window ->> 'localTime' is not null;
begin
    v_starts_at := coalesce((p_window ->> 'startsAt')::timestamptz, p_now);
    v_ends_at := (p_window ->> 'endsAt')::timestamptz;
    if length(btrim(coalesce(p_window ->> 'reason', ''))) not between 1 and 500 then
        return 'a reason of 1 to 500 characters';
    end if;
    if v_ends_at is null or v_ends_at <= greatest(v_starts_at, p_now) then
        return 'an end, after its beginning and after now';
    end if;
    if v_ends_at - v_starts_at > make_interval(days => 30) and not v_recurs
        or v_ends_at - v_starts_at > make_interval(days => 400)
    then
        return 'an end within 30 days of its beginning, or within 400 days if it recurs';
    end if;
    if v_recurs <> (p_window ->> 'zone' is not null)
        or v_recurs <> (p_window ->> 'durationMinutes' is not null)
        or v_recurs <> (jsonb_typeof(p_window -> 'weekdays') is not distinct from 'array')
    then
        return 'weekdays, a local time, a duration and a zone if it recurs, and none of them if it does not';
    end if;
    if v_recurs and (
        (p_window ->> 'localTime')::time is null
        or (p_window ->> 'durationMinutes')::integer not between 1 and 1440
        or p_window -> 'weekdays' = '[]'
        or not p_window -> 'weekdays' <@ '[1, 2, 3, 4, 5, 6, 7]'
    ) then
        return 'weekdays from 1 for Monday to 7 for Sunday and a duration of 1 to 1440 minutes';
    end if;
    if v_recurs and not exists (select from pg_timezone_names where name = p_window ->> 'zone') then
        return 'a zone by its IANA name, such as Europe/Paris';
    end if;
    return ops.check_scope(p_window);
exception
    when data_exception then
        return 'times as 2026-11-28T22:00:00Z or 22:00, and a whole number of minutes';
end
$$;

comment on function ops.check_maintenance(jsonb, timestamptz) is
    'What an announced window should have had, or null if it is one.';

create function public.ops_add_maintenance(
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
    v_expected text := ops.check_maintenance(p_window, v_now);
    v_window ops.maintenance_windows;
begin
    select * into v_window from ops.maintenance_windows where id = p_id;
    if found then
        return ops.maintenance_document(v_window, v_now);
    end if;
    if p_id is null or coalesce(length(btrim(p_by)), 0) not between 1 and 200 then
        raise exception 'maintenance needs an id and the name of who announces it'
            using errcode = 'invalid_parameter_value';
    end if;
    if v_expected is not null then
        raise exception 'maintenance needs %', v_expected
            using errcode = 'invalid_parameter_value';
    end if;

    insert into ops.maintenance_windows
        (id, reason, author, checks, services, starts_at, ends_at, weekdays, local_time, duration_minutes, zone, created_at)
    values (
        p_id,
        btrim(p_window ->> 'reason'),
        btrim(p_by),
        array(select jsonb_array_elements_text(coalesce(nullif(p_window -> 'checks', 'null'), '[]'))),
        array(select jsonb_array_elements_text(coalesce(nullif(p_window -> 'services', 'null'), '[]'))),
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
    'Announces maintenance: once from startsAt (now without it) to endsAt, or on weekdays at a local time until then; refuses what is not valid with SQLSTATE 22023. Repeated with the same id it returns the window.';

create function public.ops_remove_maintenance(p_id uuid, p_by text, p_now timestamptz default null)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_window ops.maintenance_windows;
begin
    if coalesce(length(btrim(p_by)), 0) not between 1 and 200 then
        raise exception 'removing maintenance needs the name of who does it'
            using errcode = 'invalid_parameter_value';
    end if;

    update ops.maintenance_windows
    set removed_at = v_now, removed_by = btrim(p_by)
    where id = p_id and removed_at is null;

    select * into v_window from ops.maintenance_windows where id = p_id;
    if not found then
        raise exception 'unknown maintenance %', coalesce(p_id::text, 'null')
            using errcode = 'invalid_parameter_value';
    end if;
    return ops.maintenance_document(v_window, v_now);
end
$$;

comment on function public.ops_remove_maintenance(uuid, text, timestamptz) is
    'Ends maintenance now, and with it what was still to come; what has passed stays. Repeated it changes nothing.';

create function public.ops_list_maintenance(p_now timestamptz default null)
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
    'The 200 windows announced last, what ends last first.';

revoke all on all functions in schema ops from public, anon, authenticated;
grant execute on all functions in schema ops to service_role;
revoke all on function public.ops_add_maintenance(uuid, jsonb, text, timestamptz) from public, anon, authenticated;
grant execute on function public.ops_add_maintenance(uuid, jsonb, text, timestamptz) to service_role;
revoke all on function public.ops_remove_maintenance(uuid, text, timestamptz) from public, anon, authenticated;
grant execute on function public.ops_remove_maintenance(uuid, text, timestamptz) to service_role;
revoke all on function public.ops_list_maintenance(timestamptz) from public, anon, authenticated;
grant execute on function public.ops_list_maintenance(timestamptz) to service_role;
