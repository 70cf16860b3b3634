-- A webhook of the database names a row of the application, and this does at once what the
-- next tick would do with the row. The webhook is only a hint: the row is read here.

create or replace function ops.apply_event(
    p_event ops.app_event,
    p_observation ops.observation,
    p_context ops.context,
    p_now timestamptz
)
returns text
language plpgsql
set search_path = ''
as $$
declare
    v_transitions jsonb;
begin
    insert into ops.noticed_events (source, id, at, fresh)
    values (p_event.source, p_event.id, p_event.at, false)
    on conflict (source, id) do nothing;
    if not found then
        return 'known';
    end if;

    v_transitions := ops.apply_observations(array[p_observation], null, p_context, p_now);
    perform ops.hold_raised(id, p_context.settings, p_now)
    from ops.alerts
    where fingerprint = p_observation.fingerprint and status <> 'resolved';
    perform ops.advance_ladder(p_context, p_now);
    return case v_transitions #>> '{0,kind}' when 'opened' then 'opened' else 'updated' end;
end
$$;

comment on function ops.apply_event(ops.app_event, ops.observation, ops.context, timestamptz) is
    'Applies one event as a tick would and returns opened or updated; known if the event was noticed before.';

create or replace function ops.notice_row(
    p_table text,
    p_id uuid,
    p_environment text,
    p_context ops.context,
    p_now timestamptz
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_since timestamptz;
    v_event ops.app_event;
    v_observation ops.observation;
    v_alert ops.alerts;
    v_outcome text;
begin
    select committed_at into v_since from ops.jobs where job = 'monitor';
    select event.* into v_event
    from ops.app_events(ops.events_from(v_since, p_now, p_context.settings), p_now, p_environment) as event
    where event.source = p_table and event.id = p_id and not event.handled;
    if not found then
        return jsonb_build_object('fingerprint', null, 'alert', null, 'outcome', 'ignored', 'incident', null);
    end if;
    v_observation := ops.observe_event(v_event);
    v_outcome := ops.apply_event(v_event, v_observation, p_context, p_now);

    select * into v_alert
    from ops.alerts
    where fingerprint = v_observation.fingerprint and status <> 'resolved';
    return jsonb_build_object(
        'fingerprint', v_observation.fingerprint,
        'alert', v_alert.id,
        'outcome', v_outcome,
        'incident', (select number from ops.incidents where id = v_alert.incident)
    );
end
$$;

comment on function ops.notice_row(text, uuid, text, ops.context, timestamptz) is
    'Does with one row of the application what a tick would, and returns what came of it.';

create or replace function public.ops_notice_event(
    p_table text,
    p_id uuid,
    p_environment text,
    p_channels text[],
    p_now timestamptz default null
)
returns jsonb
language plpgsql
set search_path = ''
as $$
begin
    perform ops.hold_functions();
    perform ops.check_word('table', p_table, ops.words('ops.event_source'));
    perform ops.check_given('id', p_id, 'the id of a row of that table');
    perform ops.check_given('environment', p_environment, ops.join_words(ops.words('ops.environment')));
    perform ops.check_channels(p_channels);

    perform ops.lock_alerts();
    return ops.notice_row(
        p_table, p_id, p_environment,
        ops.make_context(p_channels, ops.read_settings(), p_environment), coalesce(p_now, now())
    );
end
$$;

comment on function public.ops_notice_event(text, uuid, text, text[], timestamptz) is
    'Reads one row of the application and does with it what a tick would. The outcome is opened, updated, known if a call or a tick noticed the row before, or ignored if the row is no event. Repeating the call changes nothing.';
