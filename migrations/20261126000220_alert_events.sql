-- What happened to each alert, in order: the timeline.
--
-- Why: who was told when, who took it over and what they said is asked for the
-- morning after, and has to be there however the alert changed. Opening and
-- resolving are written by a trigger, so that no path can forget them; what
-- people and the ladder do is written where it is done.
-- Read by: `pourtrait alerts list`.
-- Undo: drop the trigger on ops.alerts, the functions, ops.alert_events, and the
-- column ops.alerts.acknowledged_until.

set local search_path = '';

alter table ops.alerts add column acknowledged_until timestamptz;

comment on column ops.alerts.acknowledged_until is
    'When an acknowledgement ends by itself and the alert fires again.';

create table ops.alert_events (
    id bigint generated always as identity primary key,
    alert uuid not null references ops.alerts (id),
    at timestamptz not null,
    kind text not null check (kind in (
        'opened', 'resolved', 'escalated', 'acknowledged', 'acknowledgement_ended',
        'unacknowledged', 'snoozed', 'silenced', 'closed'
    )),
    actor text,
    note text,
    detail jsonb not null default '{}'
);

comment on table ops.alert_events is 'The timeline of each alert.';
comment on column ops.alert_events.kind is 'closed: resolved by hand, followed by resolved; acknowledgement_ended: nobody resolved it in time.';
comment on column ops.alert_events.actor is 'Who did it; null for what happened by itself.';
comment on column ops.alert_events.detail is 'What else is known: until when, which level, whom.';

create index alert_events_alert_idx on ops.alert_events (alert, at, id);
create index alerts_acknowledged_idx on ops.alerts (acknowledged_until) where status = 'acknowledged';

alter table ops.alert_events enable row level security;

create function ops.log_alert()
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

create trigger log_alert
    after insert or update of status on ops.alerts
    for each row execute function ops.log_alert();

create function ops.log_event(
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
    'Writes one line of an alert''s timeline.';

-- What is open already has its beginning.
insert into ops.alert_events (alert, at, kind)
select id, opened_at, 'opened'
from ops.alerts
union all
select id, resolved_at, 'resolved'
from ops.alerts
where status = 'resolved';

revoke all on all functions in schema ops from public, anon, authenticated;
grant execute on all functions in schema ops to service_role;
