-- These functions write the timeline of each alert. A trigger writes the opening and the
-- resolution, so that no path can forget them; what people and the ladder do is written
-- where they do it.

create or replace function ops.log_alert()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
    if tg_op = 'INSERT' then
        insert into ops.alert_events (alert, at, kind) values (new.id, new.opened_at, 'opened');
    elsif new.status = 'resolved' and old.status <> 'resolved' then
        insert into ops.alert_events (alert, at, kind) values (new.id, new.resolved_at, 'resolved');
    end if;
    return null;
end
$$;

comment on function ops.log_alert() is 'Writes the opening and the resolution of an alert into its timeline.';

create or replace function ops.log_event(
    p_alert uuid,
    p_kind text,
    p_actor text,
    p_note text,
    p_detail jsonb,
    p_now timestamptz
)
returns void
language sql
set search_path = ''
as $$
    insert into ops.alert_events (alert, at, kind, actor, note, detail)
    values (p_alert, p_now, p_kind, p_actor, p_note, coalesce(p_detail, '{}'))
$$;

comment on function ops.log_event(uuid, text, text, text, jsonb, timestamptz) is
    'Writes one line into an alert''s timeline.';
