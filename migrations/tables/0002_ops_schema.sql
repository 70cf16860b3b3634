-- Schema ops holds what the operations bundle remembers, and only the server's key may use it.
--
-- PostgREST does not expose its tables. Callers reach them through the functions
-- public.ops_*, each of which returns one JSON document and which only the server's key may
-- execute. Every table of ours has row-level security and no policy, so that nobody else
-- sees a row even with a stray grant.

create schema if not exists ops;

comment on schema ops is 'What the operations bundle remembers; reached through public.ops_* only.';

revoke all on schema ops from public, anon, authenticated;
grant usage on schema ops to service_role;

alter default privileges in schema ops grant select, insert, update, delete on tables to service_role;
alter default privileges in schema ops grant usage, select on sequences to service_role;
alter default privileges in schema ops grant execute on functions to service_role;

-- A closed set of words is a domain, and its words are written nowhere else. Columns have the
-- domain as their type, and ops.words reads the words for every function that checks or lists
-- them.

create domain ops.environment as text
    check (value in ('production', 'preview', 'development'));

create domain ops.severity as text
    check (value in ('critical', 'high', 'medium', 'low'));

create domain ops.run_outcome as text
    check (value in ('running', 'done', 'partial', 'failed', 'missed', 'abandoned'));

create domain ops.run_result as text
    check (value in ('done', 'partial', 'failed'));

create domain ops.check_kind as text
    check (value in (
        'app', 'dependency', 'certificate', 'aggregate', 'http', 'tls', 'dns', 'tcp', 'heartbeat', 'rule'
    ));

create domain ops.check_status as text
    check (value in ('up', 'degraded', 'down', 'unknown'));

create domain ops.event_source as text
    check (value in ('error_logs', 'alerts'));

create domain ops.alert_action as text
    check (value in ('acknowledge', 'unacknowledge', 'snooze', 'silence', 'resolve'));

create domain ops.incident_state as text
    check (value in ('investigating', 'identified', 'monitoring', 'resolved'));

create domain ops.incident_cause as text
    check (value in ('ours', 'supabase', 'openai', 'google', 'resend', 'vercel', 'unknown'));

create domain ops.channel as text
    check (value in ('slack', 'email', 'discord', 'webhook'));

create domain ops.message_kind as text
    check (value in ('firing', 'resolved', 'notice', 'escalation', 'change', 'reminder'));

create domain ops.delivery_outcome as text
    check (value in ('sent', 'retry', 'dead'));

comment on domain ops.environment is 'Where the application runs, as its platform names it.';
comment on domain ops.severity is 'How bad something is, from worst to least.';
comment on domain ops.run_outcome is 'How a run stands. abandoned: its lease ran out and another run took over; missed: nobody claimed the slot.';
comment on domain ops.run_result is 'How a run reports that it ended.';
comment on domain ops.check_kind is 'What a check is. aggregate: derived from other checks, such as app, the worst of all checked URLs; the kinds from http on are custom checks, of which the database itself reads heartbeat and rule.';
comment on domain ops.check_status is 'What a sample says of a check; degraded counts as up.';
comment on domain ops.event_source is 'The tables of the application whose rows are events.';
comment on domain ops.alert_action is 'What people do about an alert.';
comment on domain ops.incident_state is 'How far people are with an incident.';
comment on domain ops.incident_cause is 'Whose side an incident was on.';
comment on domain ops.channel is 'Where messages go, the one to prefer first.';
comment on domain ops.message_kind is 'What a message is. change: no message of its own, but how the first message on Slack reads from now on.';
comment on domain ops.delivery_outcome is 'What came of one attempt to deliver a message.';
