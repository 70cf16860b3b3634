-- What people agree to. The newest word on each purpose counts; who has said nothing has
-- agreed to nothing and refused nothing.

create or replace function public.ops_consents(p_person text)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_build_object(
        'consents', coalesce(
            jsonb_agg(
                jsonb_build_object('purpose', newest.purpose, 'granted', newest.granted, 'at', newest.at)
                order by newest.purpose
            ),
            jsonb_build_array()
        )
    )
    from (
        select distinct on (said.purpose) said.purpose, said.granted, said.at
        from ops.consents as said
        where said.person = p_person
        order by said.purpose, said.at desc
    ) as newest
$$;

comment on function public.ops_consents(text) is
    'Returns what somebody agreed to and refused, by purpose, with the time at which they said so.';

create or replace function public.ops_set_consent(
    p_person text,
    p_purpose text,
    p_granted boolean,
    p_said_by text,
    p_now timestamptz default null,
    p_by text default null
)
returns jsonb
language plpgsql
set search_path = ''
as $$
begin
    perform ops.hold_functions();
    perform ops.check_length('person', p_person, 200);
    if p_purpose !~ '^[a-z][a-z0-9_]{0,39}$' then
        raise exception using
            errcode = '22023',
            message = 'a purpose is a word of a to z, 0 to 9 and _, such as analytics; it has 40 letters at most';
    end if;
    insert into ops.consents as said (person, purpose, at, granted, said_by)
    values (p_person, p_purpose, coalesce(p_now, clock_timestamp()), p_granted, p_said_by)
    on conflict (person, purpose, at) do update set granted = excluded.granted, said_by = excluded.said_by;
    -- What people say for themselves is their own, and stands there.
    if p_said_by = 'operator' then
        perform ops.write_audit(
            'consent.changed', p_by, left(format('user %s: %s', p_person, p_purpose), 200),
            jsonb_build_object('granted', p_granted)
        );
    end if;
    return public.ops_consents(p_person);
end
$$;

comment on function public.ops_set_consent(text, text, boolean, text, timestamptz, text) is
    'Notes that somebody agrees to a purpose, or refuses it, and returns all that they said.';

create or replace function ops.without_refused(p_items jsonb)
returns jsonb
language sql
stable
set search_path = ''
as $$
    with refused as (
        select newest.person
        from (
            select distinct on (said.person) said.person, said.granted
            from ops.consents as said
            where
                said.purpose = 'analytics'
                and said.person in (select item.value ->> 'person' from jsonb_array_elements(p_items) as item)
            order by said.person, said.at desc
        ) as newest
        where not newest.granted
    )
    select case
        when not exists (select from refused) then p_items
        else (
            select coalesce(jsonb_agg(
                case
                    when item.value ->> 'person' in (select refused.person from refused)
                        then item.value - 'person' - 'session'
                    else item.value
                end
                order by item.nth
            ), jsonb_build_array())
            from jsonb_array_elements(p_items) with ordinality as item (value, nth)
            where
                item.value ->> 'person' is null
                or item.value ->> 'person' not in (select refused.person from refused)
                or item.value ->> 'kind' not in ('page_view', 'event', 'session', 'web_vital')
        )
    end
$$;

comment on function ops.without_refused(jsonb) is
    'Returns items without what people do who refused analytics: what tells of behaviour is left out, and what tells of faults names nobody.';
