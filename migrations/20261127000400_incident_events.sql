-- What happened to each incident, and what was known as it began.
--
-- Why: people read an incident the morning after and have to find everything
-- there. Whatever changes an incident is written by triggers, so that no path
-- can forget it: whoever changes one says when and who in the same statement.
-- What an alert or a message went through stands where it always did; a
-- timeline is put together when it is read.
-- Read by: the incident documents, `pourtrait incidents`.
-- Undo: drop the triggers, their functions, ops.incident_events and
-- ops.incident_requests, then the columns and the settings of this file.

set local search_path = '';

insert into ops.settings (key, kind, value, default_value, minimum, maximum, unit, description)
values
    ('incident.reopen_minutes', 'integer', '10', '10', 0, 1440, 'min', 'How long after its end an incident is opened again if one of its alerts comes back, instead of another one.');

alter table ops.incidents
    alter column rule drop not null,
    alter column subject drop not null,
    add column title text check (length(title) >= 1 and length(title) <= 500),
    add column opened_by text,
    add column resolved_by text,
    add column cause text check (cause in ('ours', 'supabase', 'openai', 'google', 'resend', 'vercel', 'unknown')),
    add column services jsonb not null default '[]',
    add column began_after jsonb,
    add column updated_at timestamptz,
    add column updated_by text,
    add constraint incidents_resolved_by_check check (resolved_by is null or status = 'resolved'),
    -- One that nobody named is named after its first alert.
    add constraint incidents_name_check check (title is not null or rule is not null);

update ops.incidents
set updated_at = coalesce(resolved_at, started_at)
where updated_at is null;

alter table ops.incidents alter column updated_at set not null;

comment on table ops.incidents is 'What people work on: critical and high alerts that were open at the same time, and what people reported.';
comment on column ops.incidents.title is 'What people call it; null for one that an alert opened.';
comment on column ops.incidents.opened_by is 'Who opened it; null if an alert did. What people opened, people close.';
comment on column ops.incidents.resolved_by is 'Who resolved it; null if its last alert did.';
comment on column ops.incidents.cause is 'Whose side it was, as somebody said; null leaves it to ops.probable_cause.';
comment on column ops.incidents.services is 'The worst that was known of each service as it began.';
comment on column ops.incidents.began_after is 'The deployment that was newest as it began; null if none was seen to begin.';
comment on column ops.incidents.updated_at is 'When it was changed last; every change sets it, and the timeline takes its time from it.';
comment on column ops.incidents.updated_by is 'Who changed it last; null for what happened by itself.';

create index incidents_resolved_idx on ops.incidents (resolved_at) where status = 'resolved';

create table ops.incident_events (
    id bigint generated always as identity primary key,
    incident uuid not null references ops.incidents (id),
    at timestamptz not null,
    kind text not null check (kind in (
        'opened', 'reopened', 'alert_joined', 'severity_changed', 'state_changed', 'cause_changed',
        'resolved', 'reported', 'note', 'lesson', 'action', 'public_update'
    )),
    actor text,
    note text,
    detail jsonb not null default '{}',
    check (kind <> 'public_update' or (note is not null and detail ? 'state'))
);

comment on table ops.incident_events is 'What happened to each incident itself.';
comment on column ops.incident_events.kind is 'public_update: the note and the state are for everybody, and nothing else ever is; action: something to be done, with its owner and day in detail.';
comment on column ops.incident_events.actor is 'Who did it; null for what happened by itself.';

create index incident_events_incident_idx on ops.incident_events (incident, at, id);

create table ops.incident_requests (
    request uuid primary key,
    result jsonb not null,
    at timestamptz not null
);

comment on table ops.incident_requests is 'What each call that changed an incident was answered, to answer it again.';

alter table ops.incident_events enable row level security;
alter table ops.incident_requests enable row level security;

-- Written by itself ----------------------------------------------------------

create function ops.log_incident_event(
    p_incident uuid,
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
    insert into ops.incident_events (incident, at, kind, actor, note, detail)
    values (p_incident, p_now, p_kind, p_actor, p_note, coalesce(p_detail, '{}'))
$$;

comment on function ops.log_incident_event(uuid, text, text, text, jsonb, timestamptz) is
    'Writes one line of an incident''s own timeline.';

create function ops.log_incident()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
    if tg_op = 'INSERT' then
        perform ops.log_incident_event(new.id, 'opened', new.opened_by, null, null, new.updated_at);
        if new.status = 'resolved' then
            perform ops.log_incident_event(new.id, 'resolved', new.resolved_by, null, null, new.resolved_at);
        end if;
        return null;
    end if;
    if new.status <> old.status then
        perform ops.log_incident_event(
            new.id,
            case
                when new.status = 'resolved' then 'resolved'
                when old.status = 'resolved' then 'reopened'
                else 'state_changed'
            end,
            new.updated_by, null, jsonb_build_object('from', old.status, 'to', new.status), new.updated_at
        );
    end if;
    if new.severity <> old.severity then
        perform ops.log_incident_event(
            new.id, 'severity_changed', new.updated_by, null,
            jsonb_build_object('from', old.severity, 'to', new.severity), new.updated_at
        );
    end if;
    if new.cause is distinct from old.cause then
        perform ops.log_incident_event(
            new.id, 'cause_changed', new.updated_by, null,
            jsonb_build_object('from', old.cause, 'to', new.cause), new.updated_at
        );
    end if;
    return null;
end
$$;

comment on function ops.log_incident() is
    'Writes the opening of an incident (and its end, if it is over already) and every change of its state, severity and cause into its timeline.';

create trigger log_incident
    after insert or update on ops.incidents
    for each row execute function ops.log_incident();

create function ops.log_joining()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
    perform ops.log_incident_event(
        new.incident, 'alert_joined', null, null, jsonb_build_object('alert', new.id),
        (select updated_at from ops.incidents where id = new.incident)
    );
    return null;
end
$$;

comment on function ops.log_joining() is
    'Writes into an incident''s timeline that an alert belongs to it from now on.';

create trigger log_joining
    after update of incident on ops.alerts
    for each row
    when (new.incident is not null and new.incident is distinct from old.incident)
    execute function ops.log_joining();

create trigger log_joining_at_once
    after insert on ops.alerts
    for each row
    when (new.incident is not null)
    execute function ops.log_joining();

-- What is there already has its beginning and its end.
insert into ops.incident_events (incident, at, kind, detail)
select id, started_at, 'opened', '{}'::jsonb
from ops.incidents
union all
select incident, opened_at, 'alert_joined', jsonb_build_object('alert', id)
from ops.alerts
where incident is not null
union all
select id, resolved_at, 'resolved', '{}'::jsonb
from ops.incidents
where status = 'resolved';

revoke all on all functions in schema ops from public, anon, authenticated;
grant execute on all functions in schema ops to service_role;
