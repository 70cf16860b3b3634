-- How an alert reaches a contact: by the channels that it chose for the severity, some of them
-- minutes after the others, and outside its quiet hours, which only a critical alert breaks.

create or replace function ops.has_address(p_person jsonb, p_channel text)
returns boolean
language plpgsql
immutable
set search_path = ''
as $$
begin
    return case p_channel
        when 'email' then p_person ->> 'email' is not null
        when 'slack' then p_person ->> 'slack' is not null
        else coalesce(p_person -> 'addresses' ? p_channel, false)
    end;
end
$$;

comment on function ops.has_address(jsonb, text) is
    'Returns whether a person has an address on a channel.';

create or replace function ops.without_address(p_person jsonb, p_channel text)
returns jsonb
language sql
immutable
set search_path = ''
as $$
    select case p_channel
        when 'slack' then p_person || '{"slack": null}'
        else p_person #- array['addresses', p_channel]
    end
$$;

comment on function ops.without_address(jsonb, text) is
    'Returns a person without the address in a room, which a message names but does not call.';

create or replace function ops.check_way(p_contact ops.contacts, p_severity text, p_channel text, p_minutes jsonb)
returns void
language plpgsql
stable
set search_path = ''
as $$
declare
    v_field text := format('ways for %s', p_severity);
begin
    if not ops.has_address(ops.person_document(p_contact), p_channel) then
        perform ops.refuse(v_field, 'channels on which the contact has an address', p_channel);
    end if;
    if jsonb_typeof(p_minutes) <> 'number'
        or (p_minutes::numeric not between 0 and 60)
        or p_minutes::numeric % 1 <> 0
    then
        perform ops.refuse(
            format('%s, %s', v_field, p_channel), 'a whole number of minutes from 0 to 60', p_minutes::text
        );
    end if;
    if p_minutes::numeric > 0 and ops.reach_of(p_channel) = 'room' then
        perform ops.refuse(
            format('%s, %s', v_field, p_channel),
            '0 minutes, because the message to the room goes at once', p_minutes::text
        );
    end if;
end
$$;

comment on function ops.check_way(ops.contacts, text, text, jsonb) is
    'Refuses a way to a contact on a channel where it has no address, or at no time, with SQLSTATE 22023.';

create or replace function ops.check_ways(p_contact ops.contacts)
returns void
language plpgsql
stable
set search_path = ''
as $$
declare
    v_severity text;
    v_chosen jsonb;
begin
    if jsonb_typeof(p_contact.ways) <> 'object' then
        perform ops.refuse('ways', 'an object of severities and channels', p_contact.ways::text);
    end if;
    for v_severity, v_chosen in
        select key, value from jsonb_each(p_contact.ways)
    loop
        -- One of low severity goes into the digest, and nobody is reached for that.
        perform ops.check_word('the severity of ways', v_severity, array['critical', 'high', 'medium']);
        if jsonb_typeof(v_chosen) <> 'object' then
            perform ops.refuse(
                format('ways for %s', v_severity), 'an object of channels and minutes', v_chosen::text
            );
        end if;
        perform ops.check_way(p_contact, v_severity, way.key, way.value) from jsonb_each(v_chosen) as way;
        if not exists (select from jsonb_each(v_chosen) as way where way.value = '0') then
            perform ops.refuse(
                format('ways for %s', v_severity), 'one channel or more that is used at once', v_chosen::text
            );
        end if;
    end loop;
end
$$;

comment on function ops.check_ways(ops.contacts) is
    'Refuses with SQLSTATE 22023 ways that lead nowhere, and those of which none is used at once.';

create or replace function ops.quiet_hours_until(p_contact ops.contacts, p_at timestamptz)
returns timestamptz
language plpgsql
immutable
set search_path = ''
as $$
declare
    v_today date := (p_at at time zone p_contact.zone)::date;
begin
    if p_contact.quiet_days is null
        or not ops.is_within_hours(
            p_contact.quiet_days, p_contact.quiet_from, p_contact.quiet_until, p_contact.zone, p_at
        )
    then
        return null;
    end if;
    return (
        select min(ended.at)
        from (
            select (v_today + nth + p_contact.quiet_until) at time zone p_contact.zone as at
            from generate_series(0, 1) as nth
        ) as ended
        where ended.at > p_at
    );
end
$$;

comment on function ops.quiet_hours_until(ops.contacts, timestamptz) is
    'Returns when the quiet hours end in which a contact is at that time; null if it is in none.';

create or replace function ops.left_in_peace_until(p_person jsonb, p_severity text, p_at timestamptz)
returns timestamptz
language plpgsql
stable
set search_path = ''
as $$
begin
    if p_severity = 'critical' then
        return null;
    end if;
    return (
        select ops.quiet_hours_until(contact, p_at)
        from ops.contacts as contact
        where contact.id = (p_person ->> 'contact')::uuid
    );
end
$$;

comment on function ops.left_in_peace_until(jsonb, text, timestamptz) is
    'Returns until when a message of that severity must not reach a person: the end of quiet hours, which only a critical one breaks; null if it may reach the person now.';

create or replace function ops.ways_to(p_person jsonb, p_severity text, p_channels text[])
returns table (channel text, reach text, after_minutes integer)
language plpgsql
stable
set search_path = ''
as $$
begin
    return query
    with possible as materialized (
        select kind.channel, kind.reach, kind.place
        from ops.channel_kinds as kind
        where kind.channel = any (p_channels) and ops.has_address(p_person, kind.channel)
    ),
    wanted as (
        select contact.ways -> p_severity as minutes
        from ops.contacts as contact
        where contact.id = (p_person ->> 'contact')::uuid
    ),
    chosen as materialized (
        select possible.*, (wanted.minutes ->> possible.channel)::integer as minutes
        from possible
        join wanted on wanted.minutes ? possible.channel
    )
    select listed.channel, listed.reach, listed.minutes
    from (
        -- If what is used at once is not configured, the next one is.
        select chosen.channel, chosen.reach, chosen.place, chosen.minutes - min(chosen.minutes) over () as minutes
        from chosen
        union all
        select possible.channel, possible.reach, possible.place, 0
        from possible
        where not exists (select from chosen)
            -- Rather too loud than not at all.
            and (p_severity = 'critical' or not exists (select from wanted where wanted.minutes is not null))
    ) as listed
    order by listed.place;
end
$$;

comment on function ops.ways_to(jsonb, text, text[]) is
    'Returns by which of those channels an alert of that severity reaches a person, who reads each, and after how many minutes: those that the contact chose, or every one where it has an address. If none that it chose for critical alerts is configured, every one is used.';
