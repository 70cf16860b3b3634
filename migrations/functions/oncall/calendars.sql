-- Calendars from outside. A function reads the address and says what it found, in local times
-- as the calendar writes them; here they become instants, and names become contacts. What
-- was read last stays in force until the next reading is good.

create or replace function ops.calendar_host(p_url text)
returns text
language sql
immutable
parallel safe
set search_path = ''
as $$
    select substring(p_url from '^https?://(?:[^/?#@]*@)?([^/?#]+)')
$$;

comment on function ops.calendar_host(text) is
    'Returns where a calendar lies. The rest of its address may be a secret and is not told.';

create or replace function ops.calendar_document(p_calendar ops.calendars)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_build_object(
        'host', ops.calendar_host(p_calendar.url),
        'zone', p_calendar.zone,
        'addedAt', p_calendar.added_at,
        'addedBy', p_calendar.added_by,
        'readAt', p_calendar.read_at,
        'failingSince', p_calendar.failing_since,
        'error', p_calendar.error,
        'entries', (
            select count(*) from ops.calendar_entries as entry where entry.rotation = p_calendar.rotation
        ),
        'leftOut', p_calendar.left_out
    )
$$;

comment on function ops.calendar_document(ops.calendars) is
    'Returns the calendar of a rotation as callers see it: where it lies, how reading it went, and which of its events count for nothing.';

create or replace function ops.check_calendar_url(p_url text)
returns void
language plpgsql
stable
set search_path = ''
as $$
begin
    if p_url !~ '^https://[^\s/?#@]+(/\S*)?$|^http://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?(/\S*)?$'
        or length(p_url) > 2000
    then
        -- The address may hold a secret, so it is not repeated.
        perform ops.refuse(
            'url', 'an https address of at most 2000 characters, without a user in it',
            coalesce(ops.calendar_host(p_url), length(p_url) || ' characters')
        );
    end if;
end
$$;

comment on function ops.check_calendar_url(text) is
    'Refuses an address that no function would read with SQLSTATE 22023. Without https it may lie on this machine alone.';

create or replace function public.ops_set_calendar(
    p_rotation uuid,
    p_url text,
    p_zone text,
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
    v_zone text;
begin
    perform ops.hold_functions();
    perform ops.check_rotation_id(p_rotation);
    v_by := ops.check_by(p_by);
    if p_url is null then
        delete from ops.calendars where rotation = p_rotation;
    else
        perform ops.check_calendar_url(p_url);
        v_zone := coalesce(
            p_zone,
            (select zone from ops.rotation_layers where rotation = p_rotation order by layer limit 1),
            'UTC'
        );
        perform ops.check_zone('zone', v_zone);
        insert into ops.calendars as calendar (rotation, url, zone, added_at, added_by)
        values (p_rotation, p_url, v_zone, v_now, v_by)
        on conflict (rotation) do update
        set
            url = excluded.url, zone = excluded.zone, added_at = excluded.added_at, added_by = excluded.added_by,
            asked_at = null, read_at = null, failing_since = null, error = null, left_out = '[]'
        where (calendar.url, calendar.zone) is distinct from (excluded.url, excluded.zone);
        if found then
            delete from ops.calendar_entries where rotation = p_rotation;
        end if;
    end if;
    select * into strict v_rotation from ops.rotations where id = p_rotation;
    return ops.rotation_document(v_rotation);
end
$$;

comment on function public.ops_set_calendar(uuid, text, text, text, timestamptz) is
    'Gives a rotation a calendar, which is read soon, or takes it away where no address is given. Whole days, and times without a zone, are meant in p_zone or, without one, in the zone of the rotation''s first layer. The same address again changes nothing.';

create or replace function public.ops_claim_calendars(p_now timestamptz default null)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_calendars jsonb;
begin
    perform ops.hold_functions();
    with due as (
        update ops.calendars as calendar
        set asked_at = v_now
        where calendar.rotation in (
            select waiting.rotation
            from ops.calendars as waiting
            where waiting.asked_at is null or waiting.asked_at <= v_now - interval '9 minutes'
            order by waiting.asked_at nulls first
            limit 20
            for update skip locked
        )
        returning calendar.rotation, calendar.url, calendar.zone
    )
    select coalesce(jsonb_agg(jsonb_build_object('rotation', rotation, 'url', url, 'zone', zone)), '[]')
    into v_calendars
    from due;
    return jsonb_build_object('calendars', v_calendars, 'from', v_now - interval '1 day', 'days', 62);
end
$$;

comment on function public.ops_claim_calendars(timestamptz) is
    'Returns the calendars that are to be read now, each with its address, at most twenty and none within nine minutes of its last reading; and the days that are asked for.';

create or replace function ops.plain_words(p_text text)
returns text
language sql
immutable
parallel safe
set search_path = ''
as $$
    select ' ' || btrim(regexp_replace(lower(p_text), '[^[:alnum:]@]+', ' ', 'g')) || ' '
$$;

comment on function ops.plain_words(text) is
    'Returns a text as words with a blank on each side, so that a name in it is no part of a longer word.';

create or replace function ops.find_named(p_summary text, p_emails text[])
returns uuid[]
language sql
stable
set search_path = ''
as $$
    with people as (
        select
            contact.id,
            ops.plain_words(contact.name) as name,
            case
                when lower(contact.email) = any (p_emails) then 1
                when position(ops.plain_words(contact.email) in ops.plain_words(p_summary)) > 0 then 2
                when position(ops.plain_words(contact.name) in ops.plain_words(p_summary)) > 0 then 3
            end as rank
        from ops.contacts as contact
        join ops.contact_roles as roles on roles.role = contact.role
        where roles.level is not null
    ),
    named as (
        select * from people where rank = (select min(best.rank) from people as best)
    )
    select array(
        select named.id
        from named
        -- Whose name is a part of another one there is not meant.
        where named.rank < 3 or not exists (
            select from named as longer where longer.name <> named.name and position(named.name in longer.name) > 0
        )
        order by named.id
    )
$$;

comment on function ops.find_named(text, text[]) is
    'Returns the contacts whom an event of a calendar names: by its attendees'' addresses, or else by an address or a name in its text.';

create or replace function ops.why_nobody(p_people uuid[])
returns text
language sql
immutable
parallel safe
set search_path = ''
as $$
    select case cardinality(p_people)
        when 0 then 'it names no contact whom alerts ask'
        when 1 then null
        else 'it names several contacts'
    end
$$;

comment on function ops.why_nobody(uuid[]) is
    'Returns why an event that names those contacts counts for nothing; null if it names one.';

create or replace function ops.read_event(p_event jsonb, p_calendar ops.calendars)
returns table (starts_at timestamptz, ends_at timestamptz)
language plpgsql
stable
set search_path = ''
as $$
declare
    v_zone text := coalesce(p_event ->> 'zone', p_calendar.zone);
    v_end_zone text := coalesce(p_event ->> 'endZone', v_zone);
begin
    return query
    select span.starts_at, span.ends_at
    from (
        select
            ops.first_instant((occurrence.value ->> 0)::timestamp, v_zone) as starts_at,
            ops.first_instant((occurrence.value ->> 1)::timestamp, v_end_zone) as ends_at
        from jsonb_array_elements(p_event -> 'occurrences') as occurrence (value)
    ) as span
    where span.ends_at > span.starts_at
        and coalesce(span.starts_at <= (p_event ->> 'notAfter')::timestamptz, true)
        and not exists (
            select
            from jsonb_array_elements(p_event -> 'except') as dropped (value)
            where ops.first_instant(
                (dropped.value ->> 0)::timestamp, coalesce(dropped.value ->> 1, p_calendar.zone)
            ) = span.starts_at
        );
end
$$;

comment on function ops.read_event(jsonb, ops.calendars) is
    'Returns when an event takes place, as instants, from its local times.';

create or replace function ops.write_entries(p_calendar ops.calendars, p_reading jsonb)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_left_out jsonb := p_reading -> 'leftOut';
    v_zones text[] := array(select name from pg_timezone_names);
    v_event jsonb;
    v_people uuid[];
    v_why text;
begin
    delete from ops.calendar_entries where rotation = p_calendar.rotation;
    for v_event in select value from jsonb_array_elements(p_reading -> 'events') loop
        v_people := ops.find_named(
            v_event ->> 'summary', array(select lower(jsonb_array_elements_text(v_event -> 'attendees')))
        );
        v_why := coalesce(
            ops.why_nobody(v_people),
            (
                select format('the zone %s is not known', zone.name)
                from (
                    select v_event ->> 'zone'
                    union all
                    select v_event ->> 'endZone'
                    union all
                    select dropped.value ->> 1 from jsonb_array_elements(v_event -> 'except') as dropped (value)
                ) as zone (name)
                where zone.name is not null and zone.name <> all (v_zones)
                limit 1
            )
        );
        if v_why is not null then
            v_left_out := v_left_out || jsonb_build_object('event', v_event ->> 'summary', 'why', v_why);
        else
            insert into ops.calendar_entries (rotation, starts_at, ends_at, contact)
            select p_calendar.rotation, span.starts_at, span.ends_at, v_people[1]
            from ops.read_event(v_event, p_calendar) as span
            on conflict do nothing;
        end if;
    end loop;
    return (
        select coalesce(jsonb_agg(kept.value), '[]')
        from (
            select distinct left_out.value from jsonb_array_elements(v_left_out) as left_out (value) limit 50
        ) as kept
    );
end
$$;

comment on function ops.write_entries(ops.calendars, jsonb) is
    'Replaces the entries of a calendar by what a reading found, and returns which of its events count for nothing and why, at most fifty.';

create or replace function public.ops_store_calendar(
    p_rotation uuid,
    p_url text,
    p_reading jsonb,
    p_now timestamptz default null
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_calendar ops.calendars;
begin
    perform ops.hold_functions();
    select * into v_calendar from ops.calendars where rotation = p_rotation for update;
    -- Meanwhile an operator took it away or gave the rotation another one.
    if v_calendar.url is distinct from p_url then
        return jsonb_build_object('stored', false);
    end if;
    if p_reading ->> 'error' is not null then
        update ops.calendars
        set failing_since = coalesce(failing_since, v_now), error = left(p_reading ->> 'error', 300)
        where rotation = p_rotation;
        return jsonb_build_object('stored', true);
    end if;
    perform ops.check_list('events', p_reading -> 'events', 2000);
    perform ops.check_list('leftOut', p_reading -> 'leftOut', 2000);
    update ops.calendars
    set
        read_at = v_now, failing_since = null, error = null,
        left_out = ops.write_entries(v_calendar, p_reading)
    where rotation = p_rotation;
    return jsonb_build_object('stored', true);
end
$$;

comment on function public.ops_store_calendar(uuid, text, jsonb, timestamptz) is
    'Keeps what a reading of a calendar found, or why it found nothing; then the entries of the last good reading stay in force. The same reading again changes nothing.';
