-- What subscribers hear: that a component changed, what people wrote about an incident, and
-- maintenance. Each run of delivery queues what is new, for everybody at once, so what somebody
-- was told of is queued; what is queued twice all the same is kept once.

create or replace function ops.note_component_states(p_environment text, p_now timestamptz)
returns void
language sql
set search_path = ''
as $$
    insert into ops.component_changes (at, slug, name, old_state, state)
    select p_now, component.slug, component.name, former.state, reading.state
    from ops.known_components(p_environment) as component
    cross join lateral ops.read_component(component, p_environment, p_now) as reading
    left join lateral (
        select change.state
        from ops.component_changes as change
        where change.slug = component.slug
        order by change.id desc
        limit 1
    ) as former on true
    where reading.state <> 'unknown' and reading.state is distinct from former.state
    order by component.position, component.slug
$$;

comment on function ops.note_component_states(text, timestamptz) is
    'Notes the components that are no longer as they were.';

create or replace function ops.listening()
returns setof ops.subscribers
language sql
stable
set search_path = ''
as $$
    select * from ops.subscribers where ended_at is null and confirmed_at is not null
$$;

comment on function ops.listening() is 'The subscribers who hear of changes.';

create or replace function ops.is_queued(p_about text)
returns boolean
language plpgsql
stable
set search_path = ''
as $$
begin
    return exists (select from ops.subscriber_messages where about = p_about);
end
$$;

comment on function ops.is_queued(text) is 'Whether a piece of news was queued for those who heard then.';

create or replace function ops.is_heard(p_slugs text[], p_at timestamptz)
returns boolean
language plpgsql
stable
set search_path = ''
as $$
begin
    return exists (
        select
        from ops.subscribers
        where ended_at is null
            and confirmed_at < p_at
            and (components = '{}' or components && p_slugs)
    );
end
$$;

comment on function ops.is_heard(text[], timestamptz) is
    'Whether somebody hears of news about these components who was there before it.';

create or replace function ops.queue_states(p_now timestamptz)
returns void
language sql
set search_path = ''
as $$
    with oldest as materialized (
        select noted.at
        from ops.component_changes as noted
        where noted.at > p_now - interval '1 day'
            and noted.old_state is not null
            and not ops.is_queued(format('states %s', extract(epoch from noted.at)))
            and ops.is_heard(array[noted.slug], noted.at)
        group by noted.at
        order by noted.at
        -- A call has eight seconds, and there may be thousands who hear.
        limit 3
    ),
    changes as (
        select noted.* from ops.component_changes as noted join oldest using (at) where noted.old_state is not null
    )
    insert into ops.subscriber_messages (id, subscriber, about, facts, created_at, next_attempt_at)
    select
        gen_random_uuid(), subscriber.id, format('states %s', extract(epoch from change.at)),
        jsonb_build_object(
            'kind', 'states',
            'at', change.at,
            'changes', jsonb_agg(
                jsonb_build_object(
                    'id', change.slug, 'name', change.name, 'from', change.old_state, 'to', change.state
                )
                order by change.id
            )
        ),
        p_now, p_now
    from changes as change
    join ops.listening() as subscriber
        on subscriber.confirmed_at < change.at
        and (subscriber.components = '{}' or change.slug = any (subscriber.components))
    group by subscriber.id, change.at
    on conflict (subscriber, about) do nothing
$$;

comment on function ops.queue_states(timestamptz) is
    'Queues what changed of components for whoever hears of them: one message for what changed at once.';

create or replace function ops.queue_words(p_components ops.components[], p_now timestamptz)
returns void
language sql
set search_path = ''
as $$
    with news as materialized (
        select
            event.id,
            event.at,
            concerned.slugs,
            jsonb_build_object(
                'kind', 'words',
                'at', event.at,
                'incident', ops.public_id(known.id::text),
                'title', known.public_title,
                'severity', known.severity,
                'status', event.detail ->> 'state',
                'words', left(event.note, 5000),
                'components', (
                    select coalesce(jsonb_agg(component.name order by component.position, component.slug), '[]')
                    from unnest(p_components) as component
                    where component.slug = any (concerned.slugs)
                )
            ) as facts
        from ops.incident_events as event
        join ops.incidents as known on known.id = event.incident
        cross join lateral ops.components_of_incident(known, p_components) as concerned (slugs)
        where event.kind = 'public_update'
            and event.at > p_now - interval '1 day'
            and event.at <= p_now
            and not ops.is_queued(format('update %s', event.id))
            and ops.is_heard(concerned.slugs, event.at)
        order by event.at, event.id
        limit 3
    )
    insert into ops.subscriber_messages (id, subscriber, about, facts, created_at, next_attempt_at)
    select gen_random_uuid(), subscriber.id, format('update %s', news.id), news.facts, p_now, p_now
    from news
    join ops.listening() as subscriber
        on subscriber.confirmed_at < news.at
        and (subscriber.components = '{}' or news.slugs && subscriber.components)
    on conflict (subscriber, about) do nothing
$$;

comment on function ops.queue_words(ops.components[], timestamptz) is
    'Queues what people wrote for everybody about incidents, for whoever hears of them.';

create or replace function ops.queue_maintenances(p_components ops.components[], p_now timestamptz)
returns void
language sql
set search_path = ''
as $$
    with shown as materialized (
        select distinct on (shown.title, shown.words, shown."updatedAt")
            format('maintenance %s %s %s', shown.id, shown.sequence, shown.state = 'cancelled') as about,
            shown."updatedAt" as at,
            shown.components,
            jsonb_build_object(
                'kind', 'maintenance',
                'at', shown."updatedAt",
                'maintenance', shown.id,
                'title', shown.title,
                'words', shown.words,
                'from', shown."from",
                'to', shown."to",
                'cancelled', shown.state = 'cancelled'
            ) as facts
        from jsonb_to_recordset(ops.public_maintenances(p_components, p_now)) as shown (
            id text, title text, words text, "from" timestamptz, "to" timestamptz, state text,
            components text[], sequence integer, "updatedAt" timestamptz
        )
        where shown.state in ('planned', 'active', 'cancelled') and shown."updatedAt" > p_now - interval '1 day'
        -- Of a window that recurs the next one is enough.
        order by shown.title, shown.words, shown."updatedAt", shown."from"
    ),
    news as materialized (
        select *
        from shown
        where not ops.is_queued(shown.about) and ops.is_heard(shown.components, shown.at)
        order by shown.at, shown.about
        limit 3
    )
    insert into ops.subscriber_messages (id, subscriber, about, facts, created_at, next_attempt_at)
    select gen_random_uuid(), subscriber.id, news.about, news.facts, p_now, p_now
    from news
    join ops.listening() as subscriber
        on subscriber.confirmed_at < news.at
        and (subscriber.components = '{}' or news.components && subscriber.components)
    on conflict (subscriber, about) do nothing
$$;

comment on function ops.queue_maintenances(ops.components[], timestamptz) is
    'Queues maintenance that was announced, changed or cancelled, for whoever hears of it.';

create or replace function ops.queue_news(p_environment text, p_now timestamptz)
returns void
language plpgsql
set search_path = ''
as $$
declare
    v_known ops.components[];
begin
    if not exists (select from ops.listening()) then
        return;
    end if;
    v_known := array(select component from ops.known_components(p_environment) as component);
    perform ops.queue_states(p_now);
    perform ops.queue_words(v_known, p_now);
    perform ops.queue_maintenances(v_known, p_now);
end
$$;

comment on function ops.queue_news(text, timestamptz) is
    'Queues for every subscriber what is new since it was confirmed, of a day at most: three pieces of news of each kind in a call, the oldest first.';
