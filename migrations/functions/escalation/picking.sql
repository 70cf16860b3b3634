-- A rung picks its people when it is due: those of its roles who are on duty then, by a rotation
-- or by their own hours, and were not asked in this round. The next level that has somebody
-- takes the place of an empty one.

create or replace function ops.in_role(p_contact ops.contacts, p_role text)
returns ops.contacts
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
begin
    p_contact.role := p_role;
    return p_contact;
end
$$;

comment on function ops.in_role(ops.contacts, text) is
    'Returns a contact as one of that role, for which it is asked because it has a rotation.';

create or replace function ops.list_people(p_at timestamptz)
returns table (contact ops.contacts, on_duty boolean)
language plpgsql
stable
set search_path = ''
as $$
begin
    return query
    with rotations as materialized (
        select rotation.id, rotation.role, duty.contact as owner
        from ops.rotations as rotation
        cross join lateral ops.duty_at(rotation.id, p_at) as duty
    ),
    staffed as (
        select role from rotations where owner is not null
    )
    select ops.in_role(listed, rotations.role), true
    from rotations
    join ops.contacts as listed on listed.id = rotations.owner
    union all
    -- Whoever has a rotation stands for its role.
    select listed, ops.is_on_duty(listed, p_at) and not ops.is_away(listed.id, p_at)
    from ops.contacts as listed
    where listed.role not in (select role from staffed)
    union all
    -- The members of a rotation that nobody has may be woken, if nobody else is there.
    select ops.in_role(listed, rotations.role), false
    from rotations
    join ops.rotation_members as member on member.rotation = rotations.id
    join ops.contacts as listed on listed.id = member.contact
    where rotations.role not in (select role from staffed);
end
$$;

comment on function ops.list_people(timestamptz) is
    'Returns the people of each role and whether they are on duty at that time. A role that a rotation staffs has whoever has the rotation then; any other role, and one whose rotations nobody has, has its contacts in their own hours.';

create or replace function ops.find_candidates(p_at timestamptz)
returns table (contact ops.contacts, level integer, after_minutes integer)
language sql
stable
set search_path = ''
as $$
    with people as materialized (
        select listed.contact, roles.level, roles.after_minutes, listed.on_duty
        from ops.list_people(p_at) as listed
        join ops.contact_roles as roles on roles.role = (listed.contact).role
        where roles.level is not null
    )
    -- Whoever has several roles of a level is asked once, by the first of them.
    select distinct on ((people.contact).id, people.level) people.contact, people.level, people.after_minutes
    from people
    -- If nobody at all is on duty, that is ignored: rather wake somebody.
    where people.on_duty or not exists (select from people as awake where awake.on_duty)
    order by (people.contact).id, people.level, people.after_minutes
$$;

comment on function ops.find_candidates(timestamptz) is
    'Returns whom a ladder may ask at that time: whoever is on duty then, or everybody if nobody is.';

create or replace function ops.asked_in_round(p_alert uuid, p_severity text, p_round integer)
returns table (contact uuid, level integer)
language sql
stable
set search_path = ''
as $$
    select (step.person ->> 'contact')::uuid, step.level
    from ops.escalations as step
    where step.alert = p_alert
        and step.severity = p_severity
        and step.round = p_round
        and step.status = 'told'
        and step.person is not null
$$;

comment on function ops.asked_in_round(uuid, text, integer) is 'Returns whom a ladder has asked in a round, and as people of which level.';

create or replace function ops.pick_people(p_step ops.escalations, p_at timestamptz)
returns table (level integer, person jsonb)
language plpgsql
stable
set search_path = ''
as $$
begin
    return query
    with asked as materialized (
        select * from ops.asked_in_round(p_step.alert, p_step.severity, p_step.round)
    ),
    fresh as materialized (
        select candidate.*
        from ops.find_candidates(p_at) as candidate
        where (candidate.contact).id not in (select asked.contact from asked where asked.contact is not null)
    ),
    rung as (
        select
            -- Only the first rung of a level that nobody was asked of yet may ask another one.
            not exists (select from asked where asked.level = p_step.level)
                and p_step.after_minutes = (
                    select min(roles.after_minutes) from ops.contact_roles as roles where roles.level = p_step.level
                ) as opens
    ),
    chosen as (
        select min(fresh.level) as level
        from fresh
        cross join rung
        where case when rung.opens then fresh.level >= p_step.level else fresh.level = p_step.level end
    ),
    due as (
        select fresh.*, min(fresh.after_minutes) over () as first_minutes
        from fresh
        join chosen on chosen.level = fresh.level
    )
    select due.level, ops.person_document(due.contact)
    from due
    cross join rung
    -- The first rung of a level asks whoever of it comes first.
    where due.after_minutes <= case when rung.opens then due.first_minutes else p_step.after_minutes end
    order by due.after_minutes, (due.contact).name;
end
$$;

comment on function ops.pick_people(ops.escalations, timestamptz) is
    'Returns whom a rung of a critical alert asks if it is due at that time, and of which level they are.';

create or replace function ops.pick_awake(p_severity text, p_channels text[], p_at timestamptz)
returns table (level integer, person jsonb)
language plpgsql
stable
set search_path = ''
as $$
begin
    return query
    with willing as materialized (
        select distinct on ((listed.contact).id) listed.contact, roles.level
        from ops.list_people(p_at) as listed
        join ops.contact_roles as roles on roles.role = (listed.contact).role
        where listed.on_duty
            and roles.level is not null
            and (listed.contact).ways ? p_severity
            and exists (
                select from ops.ways_to(ops.person_document(listed.contact), p_severity, p_channels) as way
            )
        order by (listed.contact).id, roles.level
    )
    select willing.level, ops.person_document(willing.contact)
    from willing
    where willing.level = (select min(first.level) from willing as first)
        and ops.quiet_hours_until(willing.contact, p_at) is null
    order by (willing.contact).name;
end
$$;

comment on function ops.pick_awake(text, text[], timestamptz) is
    'Returns whom an alert that is not critical reaches at that time: of those who are on duty and chose a way for its severity that is configured the ones of the first level, except for whoever has quiet hours.';

create or replace function ops.next_awake_at(p_severity text, p_channels text[], p_at timestamptz)
returns timestamptz
language sql
stable
set search_path = ''
as $$
    select case
        when exists (select from ops.pick_awake(p_severity, p_channels, p_at)) then p_at
        else (
            select min(ops.quiet_hours_until(contact, p_at)) from ops.contacts as contact where contact.ways ? p_severity
        )
    end
$$;

comment on function ops.next_awake_at(text, text[], timestamptz) is
    'Returns from when on an alert that is not critical reaches somebody, as the quiet hours stand at that time; null if that is not known.';

create or replace function ops.pick_for(p_step ops.escalations, p_channels text[], p_at timestamptz)
returns table (level integer, person jsonb)
language plpgsql
stable
set search_path = ''
as $$
begin
    if p_step.severity = 'critical' then
        return query select * from ops.pick_people(p_step, p_at);
    else
        return query select * from ops.pick_awake(p_step.severity, p_channels, p_at);
    end if;
end
$$;

comment on function ops.pick_for(ops.escalations, text[], timestamptz) is
    'Returns whom a rung of an alert of any severity asks if it is due at that time.';

create or replace function ops.find_contact(p_actor text)
returns uuid
language sql
stable
set search_path = ''
as $$
    select contact.id
    from ops.contacts as contact
    where lower(btrim(regexp_replace(p_actor, ' \(by [^()]*\)$', ''))) in (
        lower(contact.name), lower(contact.email), lower(split_part(contact.email, '@', 1))
    )
    order by lower(contact.name)
    limit 1
$$;

comment on function ops.find_contact(text) is
    'Returns the contact who goes by what an actor is called: by the name, the address or its beginning; null if there is none.';

create or replace function ops.named_actor(p_actor text, p_message uuid)
returns text
language sql
stable
set search_path = ''
as $$
    select coalesce(
        (
            select replace(p_actor, 'somebody (', (message.facts #>> '{recipients,people,0,name}') || ' (')
            from ops.outbox as message
            where message.id = p_message
                and p_actor like 'somebody (%'
                and jsonb_array_length(message.facts #> '{recipients,people}') = 1
        ),
        p_actor
    )
$$;

comment on function ops.named_actor(text, uuid) is
    'Returns what an actor is called: somebody who answers a message by a provider has the name of the only person whom it addresses.';

create or replace function ops.find_answering(p_actor text, p_message uuid)
returns uuid
language sql
stable
set search_path = ''
as $$
    select coalesce(
        ops.find_contact(p_actor),
        (
            select (message.facts #>> '{recipients,people,0,contact}')::uuid
            from ops.outbox as message
            where message.id = p_message and jsonb_array_length(message.facts #> '{recipients,people}') = 1
        )
    )
$$;

comment on function ops.find_answering(text, uuid) is
    'Returns the contact who answers an alert: by what the actor is called, else the only person whom the message with the link addresses; null if that is not known.';

create or replace function ops.rungs_to_come(p_alert ops.alerts)
returns setof ops.escalations
language sql
stable
set search_path = ''
as $$
    with planned as (
        select * from ops.escalations where alert = p_alert.id and severity = p_alert.severity
    )
    (
        select * from planned where status = 'waiting' order by due_at, level, id
    )
    union all
    (
        select (jsonb_populate_record(null::ops.escalations, to_jsonb(rung))).*
        from (
            select p_alert.id as alert, p_alert.severity, next_round.*, rung.*
            from (
                select
                    max(round) + 1 as round,
                    max(due_at) + ops.minutes(ops.read_settings(), 'escalation.repeat_minutes') as begins_at
                from planned
            ) as next_round
            cross join lateral ops.plan_ladder(next_round.begins_at) as rung
            where p_alert.severity = 'critical'
        ) as rung
        order by rung.due_at, rung.level
    )
$$;

comment on function ops.rungs_to_come(ops.alerts) is
    'Returns the rungs of an alert''s ladder that are still to come, in their order, and those of the round after them as it will be planned.';

create or replace function ops.keeps_from_asking(p_alert ops.alerts, p_now timestamptz)
returns text
language plpgsql
stable
set search_path = ''
as $$
begin
    if ops.held_by(p_alert, p_now) is not null then
        return 'held';
    elsif p_alert.status = 'acknowledged' then
        return 'acknowledged';
    elsif exists (
        select
        from ops.escalations
        where alert = p_alert.id and severity = p_alert.severity and status = 'waiting'
    ) then
        return null;
    elsif p_alert.severity = 'critical' then
        return case when ops.has_ladder_people() then 'not_planned' else 'no_contacts' end;
    elsif p_alert.severity = 'high' or ops.has_plan(p_alert) then
        return 'all_asked';
    end if;
    return 'no_ladder';
end
$$;

comment on function ops.keeps_from_asking(ops.alerts, timestamptz) is
    'Returns in one word why nobody else is asked about an open alert; null if its ladder goes on.';

create or replace function ops.list_asked(p_alert ops.alerts, p_most integer, p_now timestamptz)
returns table (at timestamptz, level integer, names jsonb)
language plpgsql
stable
set search_path = ''
as $$
declare
    v_silenced_until timestamptz := ops.silenced_until(p_alert, p_now);
    v_channels text[] := ops.served_channels();
    v_step ops.escalations;
    v_found integer := 0;
begin
    -- A rung that nobody is left for asks nobody: whoever is asked next is asked by a later one.
    for v_step in
        select * from ops.rungs_to_come(p_alert)
    loop
        at := greatest(v_step.due_at, v_silenced_until, p_now);
        level := v_step.level;
        if v_step.level is not null and p_alert.severity <> 'critical' then
            at := coalesce(ops.next_awake_at(p_alert.severity, v_channels, at), at);
        end if;
        names := case
            when v_step.level is null then jsonb_build_array('email')
            when v_step.person is not null then jsonb_build_array(v_step.person ->> 'name')
            else (
                select jsonb_agg(picked.person ->> 'name') from ops.pick_for(v_step, v_channels, at) as picked
            )
        end;
        if names is not null then
            v_found := v_found + 1;
            return next;
        end if;
        exit when v_found >= p_most;
    end loop;
end
$$;

comment on function ops.list_asked(ops.alerts, integer, timestamptz) is
    'Returns whom the ladder of an alert asks, and when, as things stand: its next rungs, at most so many.';

create or replace function ops.next_asked(p_alert ops.alerts, p_now timestamptz)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
    v_reason text;
    v_next record;
begin
    if p_alert.status = 'resolved' then
        return null;
    end if;
    v_reason := ops.keeps_from_asking(p_alert, p_now);
    if v_reason = 'acknowledged' then
        return ops.next_document(p_alert.acknowledged_until, jsonb_build_array(p_alert.acknowledged_by), v_reason);
    elsif v_reason is not null then
        return ops.next_document(null, '[]', v_reason);
    end if;
    select * into v_next from ops.list_asked(p_alert, 1, p_now);
    if not found then
        return ops.next_document(null, '[]', 'no_contacts');
    end if;
    return ops.next_document(
        v_next.at, v_next.names, case when ops.silenced_until(p_alert, p_now) is not null then 'silenced' end
    );
end
$$;

comment on function ops.next_asked(ops.alerts, timestamptz) is
    'Returns who is asked next about an alert and when, as things stand, or in one word why nobody is.';

create or replace function ops.ladder_ahead(p_alert ops.alerts, p_most integer, p_now timestamptz)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
    v_reason text;
    v_rungs jsonb := jsonb_build_array();
begin
    if p_alert.status = 'resolved' then
        return null;
    end if;
    v_reason := ops.keeps_from_asking(p_alert, p_now);
    if v_reason is null then
        select coalesce(jsonb_agg(jsonb_build_object('at', asked.at, 'level', asked.level, 'names', asked.names)), '[]')
        into v_rungs
        from ops.list_asked(p_alert, p_most, p_now) as asked;
        v_reason := case
            when v_rungs = '[]' then 'no_contacts'
            when ops.silenced_until(p_alert, p_now) is not null then 'silenced'
        end;
    end if;
    return jsonb_build_object(
        'reason', v_reason,
        'until', case v_reason
            when 'acknowledged' then p_alert.acknowledged_until
            when 'silenced' then ops.silenced_until(p_alert, p_now)
        end,
        'rungs', v_rungs
    );
end
$$;

comment on function ops.ladder_ahead(ops.alerts, integer, timestamptz) is
    'Returns the next rungs of an open alert''s ladder, each with whom it asks and when, as things stand, and in one word what keeps it; null once the alert is resolved.';

create or replace function ops.next_document(p_at timestamptz, p_names jsonb, p_reason text)
returns jsonb
language sql
immutable
parallel safe
set search_path = ''
as $$
    select jsonb_build_object('at', p_at, 'names', p_names, 'reason', p_reason)
$$;

comment on function ops.next_document(timestamptz, jsonb, text) is 'Returns who is asked next, when, and what keeps the ladder.';
