-- The whole status page in one call and one snapshot. Everything in it is public.

create or replace function ops.public_component(
    p_component ops.components,
    p_environment text,
    p_now timestamptz
)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_build_object(
        'id', p_component.slug,
        'name', p_component.name,
        'description', p_component.description,
        'group', p_component.in_group,
        'state', reading.state,
        'since', reading.since,
        'measured', reading.measured,
        'byHand', reading.by_hand,
        'note', case when reading.by_hand then p_component.note end,
        'createdAt', p_component.created_at,
        'updatedAt', greatest(
            p_component.updated_at,
            (
                select change.at
                from ops.component_changes as change
                where change.slug = p_component.slug
                order by change.id desc
                limit 1
            )
        ),
        'days', ops.component_days(p_component, p_now)
    )
    from ops.read_component(p_component, p_environment, p_now) as reading
$$;

comment on function ops.public_component(ops.components, text, timestamptz) is
    'A component as everybody may see it.';

create or replace function ops.worst_state(p_states text[])
returns text
language sql
immutable
parallel safe
set search_path = ''
as $$
    select case
        when worst.rank > 2 then worst.state
        -- What is not known is not fine.
        when 'unknown' = any (p_states) then 'unknown'
        else coalesce(worst.state, 'unknown')
    end
    from (select) as always
    left join (
        select state, ops.state_rank(state) as rank
        from unnest(p_states) as state
        where state <> 'unknown'
        order by 2 desc
        limit 1
    ) as worst on true
$$;

comment on function ops.worst_state(text[]) is
    'The state of a whole whose parts have these states: the worst that is known, else unknown where a part is.';

create or replace function ops.public_copies(p_now timestamptz, p_settings jsonb)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_build_object(
        'ageSeconds', round(extract(epoch from p_now - newest.taken_at)),
        'places', case
            when newest.taken_at is null then 0
            when replica.document ->> 'newestThere' is null then 1
            else 2
        end,
        'behindSeconds', case
            when replica.document ->> 'newestThere' is not null
            then 60 * (replica.document ->> 'lagMinutes')::numeric
        end
    )
    from (select max(taken_at) from ops.backups where outcome = 'done' and taken_at <= p_now) as newest (taken_at)
    cross join (select ops.replica_document(p_now, p_settings)) as replica (document)
$$;

comment on function ops.public_copies(timestamptz, jsonb) is
    'How old the newest backup is, in how many places backups lie, and how far the other one is behind: what strangers may know of them, and no name of a place.';

create or replace function ops.public_trust(p_now timestamptz)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_build_object(
        'lastBackupAt', (select max(taken_at) from ops.backups where outcome = 'done' and taken_at <= p_now),
        'lastRestoreAt', tested.finished_at,
        'lastRestoreSeconds', round(tested.seconds)
    ) || case
        when (v.settings ->> 'status.backups')::boolean then ops.public_copies(p_now, v.settings)
        else '{}'
    end
    from (select ops.read_settings()) as v (settings)
    left join lateral (
        select drill.finished_at, drill.seconds
        from ops.backup_drills as drill
        where drill.received_at <= p_now and ops.drill_reason(drill, v.settings) is null
        order by drill.received_at desc
        limit 1
    ) as tested on true
$$;

comment on function ops.public_trust(timestamptz) is
    'When the last backup was taken, and when one was last restored for a test, and in how many seconds.';

create or replace function public.ops_status(p_environment text, p_now timestamptz default null)
returns jsonb
language plpgsql
stable
set search_path = ''
-- Compiling a plan would take longer than running it.
set jit = off
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_settings jsonb := ops.read_settings();
    v_known ops.components[];
    v_components jsonb;
begin
    perform ops.check_word('environment', p_environment, ops.words('ops.environment'));
    if not (v_settings ->> 'status.public')::boolean then
        return jsonb_build_object('isPublic', false, 'generatedAt', v_now);
    end if;
    v_known := array(
        select component from ops.known_components(p_environment) as component
        order by component.position, component.slug
    );
    v_components := coalesce(
        (
            select jsonb_agg(ops.public_component(component, p_environment, v_now) order by component.position, component.slug)
            from unnest(v_known) as component
        ),
        '[]'
    );
    return jsonb_build_object(
        'isPublic', true,
        'generatedAt', v_now,
        'name', v_settings ->> 'status.name',
        'state', ops.worst_state(array(select shown ->> 'state' from jsonb_array_elements(v_components) as shown)),
        'lastLookAt', (select max(last_seen_at) from ops.checks where environment = p_environment and last_seen_at <= v_now),
        'components', v_components,
        'incidents', coalesce(
            (
                select jsonb_agg(ops.public_incident(incident, v_known, v_now) order by incident.started_at desc, incident.number desc)
                from ops.public_incidents(v_known, v_now) as incident
            ),
            '[]'
        ),
        'maintenances', ops.public_maintenances(v_known, v_now),
        'trust', ops.public_trust(v_now)
    );
end
$$;

comment on function public.ops_status(text, timestamptz) is
    'The public status page of an environment as one document: components with their states and ninety days, incidents and maintenance in the words that people gave for everybody, and when backups were last proven.';
