-- Holds: what is only the consequence of another alert waits for its end.
--
-- Why: one cause is told once. An alert is held while something that it needs is
-- bad now, and for a grace after that; its messages wait and its ladder stands
-- still, and what recovers meanwhile is never told. Only the cause's own state
-- counts, whether or not that is held itself, which makes one hop enough. Every
-- tick renews the holds for a little longer than it takes the next one to come:
-- if ticks stop, what was held is told. Rather noise than silence.
-- Read by: the next two files.
-- Undo: drop the functions, then the columns and indexes.

set local search_path = '';

alter table ops.alerts
    add column held_by jsonb,
    add column held_since timestamptz,
    add column held_until timestamptz,
    add constraint alerts_held_check check (num_nonnulls(held_by, held_since, held_until) in (0, 3));

comment on column ops.alerts.held_by is 'Rule and subject of what this is the consequence of, while it is held.';
comment on column ops.alerts.held_until is 'Until when it is held unless that is renewed.';

create index alerts_held_idx on ops.alerts (held_until) where held_until is not null;
create index alerts_resolved_idx on ops.alerts (resolved_at) where status = 'resolved';

create function ops.hold_length()
returns interval
language sql
immutable
parallel safe
set search_path = ''
as $$
    select interval '150 seconds'
$$;

comment on function ops.hold_length() is
    'How long what a tick saw holds others back: until the next tick but one, and some seconds more.';

-- Who is held ----------------------------------------------------------------

create function ops.find_causes(p_settings jsonb, p_now timestamptz)
returns table (rule text, subject text, critical boolean, until timestamptz)
language sql
stable
set search_path = ''
as $$
    with bad (rule, subject, severity, until) as (
        select alert.rule, alert.subject, alert.severity, p_now + ops.hold_length()
        from ops.alerts as alert
        where alert.status <> 'resolved'

        union all
        -- Not an alert yet, but perhaps on its way to one.
        select
            state.rule, state.subject, coalesce(rules.severity, definition.severity), p_now + ops.hold_length()
        from ops.alert_states as state
        join ops.rules as rules on rules.rule = state.rule
        left join ops.check_definitions as definition
            on state.rule = 'check_failing' and definition.name = state.subject
        where state.phase = 'quiet'
            and state.bad_count > 0
            -- What is not seen any more opens no alert either.
            and state.last_bad_at > p_now - ops.hold_length()

        union all
        select
            alert.rule, alert.subject, alert.severity,
            alert.resolved_at + ops.minutes(p_settings, 'dependency.grace_minutes')
        from ops.alerts as alert
        where alert.status = 'resolved'
            and alert.resolved_at > p_now - ops.minutes(p_settings, 'dependency.grace_minutes')
    )
    select bad.rule, bad.subject, coalesce(bad.severity, 'high') = 'critical', max(bad.until)
    from bad
    -- What waits for the digest itself must not keep others waiting.
    where bad.severity is distinct from 'low'
    group by 1, 2, 3
$$;

comment on function ops.find_causes(jsonb, timestamptz) is
    'Whatever may be the cause of others now, and until when: alerts that are open, or ended a moment ago, and what was bad in the last ticks and may yet become one.';

create function ops.find_holds(p_settings jsonb, p_now timestamptz, p_alert uuid)
returns table (alert uuid, cause jsonb, until timestamptz)
language sql
stable
set search_path = ''
-- With a thousand alerts a loop within a loop takes seconds, and statistics never
-- know of a storm before it comes.
set enable_nestloop = off
-- Compiling a plan would take longer than running it.
set jit = off
as $$
    with causes as materialized (
        select * from ops.find_causes(p_settings, p_now)
    ),
    dependencies as materialized (
        select * from ops.list_dependencies()
    ),
    consequences as materialized (
        select id, rule, subject, severity = 'critical' as critical
        from ops.alerts
        where status <> 'resolved' and (p_alert is null or id = p_alert)
    ),
    needs as (
        select consequence.*, needed.needs_rule, needed.needs_subject, needed.same_subject
        from consequences as consequence
        join dependencies as needed on needed.rule = consequence.rule and needed.subject = consequence.subject
        union all
        select consequence.*, needed.needs_rule, needed.needs_subject, needed.same_subject
        from consequences as consequence
        join dependencies as needed on needed.rule = consequence.rule
        where needed.subject is null
    ),
    held (id, critical, rule, subject, by_critical, until) as (
        select needs.id, needs.critical, cause.*
        from needs
        join causes as cause
            on cause.rule = needs.needs_rule
            and cause.subject = case when needs.same_subject then needs.subject else needs.needs_subject end
        union all
        select needs.id, needs.critical, cause.*
        from needs
        join (
            -- One of a rule stands for all.
            select distinct on (rule, critical) * from causes order by rule, critical, until desc, subject
        ) as cause on cause.rule = needs.needs_rule
        where not needs.same_subject and needs.needs_subject is null
    )
    select distinct on (held.id)
        held.id, jsonb_build_object('rule', held.rule, 'subject', held.subject), held.until
    from held
    -- Nothing less calls whoever is on call.
    where held.by_critical or not held.critical
    order by held.id, held.until desc, held.rule, held.subject
$$;

comment on function ops.find_holds(jsonb, timestamptz, uuid) is
    'The open alerts (or the one) that are consequences now, with the cause that lasts longest. A critical alert is held only by another: a lesser cause would call nobody.';

create function ops.release_holds(p_now timestamptz)
returns void
language sql
set search_path = ''
as $$
    with ended as materialized (
        select id, held_until - held_since as length
        from ops.alerts
        where held_until <= p_now
    ),
    waited as (
        -- Whoever was not asked because of the cause has the usual time from here.
        update ops.escalations as step
        set due_at = step.due_at + ended.length
        from ended
        where step.alert = ended.id and step.status = 'waiting'
    )
    update ops.alerts as alert
    set held_by = null, held_since = null, held_until = null
    from ended
    where alert.id = ended.id
$$;

comment on function ops.release_holds(timestamptz) is
    'Lets go of what nothing holds any more; the time in which an alert was held does not count for its ladder.';

create function ops.renew_holds(p_settings jsonb, p_now timestamptz)
returns void
language plpgsql
set search_path = ''
as $$
begin
    -- What ran out in a gap between ticks was over, and begins anew.
    perform ops.release_holds(p_now);
    -- Most ticks find nothing open.
    if not exists (select from ops.alerts where status <> 'resolved' or held_until is not null) then
        return;
    end if;
    with found as materialized (
        select * from ops.find_holds(p_settings, p_now, null)
    ),
    renewed as (
        update ops.alerts as alert
        set held_by = found.cause, held_since = coalesce(alert.held_since, p_now), held_until = found.until
        from found
        where alert.id = found.alert
    )
    update ops.alerts as alert
    set held_until = p_now
    where alert.held_until is not null and alert.id not in (select found.alert from found);
    perform ops.release_holds(p_now);
end
$$;

comment on function ops.renew_holds(jsonb, timestamptz) is
    'Holds every open alert that is a consequence now until the next ticks, and lets go of the others. Only what has observed may call this: it must end when observing does.';

create function ops.hold_raised(p_alert uuid, p_settings jsonb, p_now timestamptz)
returns void
language sql
set search_path = ''
as $$
    update ops.alerts as alert
    set held_by = found.cause, held_since = p_now, held_until = found.until
    from ops.find_holds(p_settings, p_now, p_alert) as found
    where alert.id = found.alert and alert.held_until is null
$$;

comment on function ops.hold_raised(uuid, jsonb, timestamptz) is
    'Holds an alert that was opened between ticks, if it is a consequence, until a tick has looked.';

create function ops.is_held_back(p_message ops.outbox, p_now timestamptz)
returns boolean
language sql
stable
set search_path = ''
as $$
    select p_message.kind in ('firing', 'escalation', 'reminder')
        -- What somebody may have read already is brought to an end.
        and p_message.attempts = 0
        and not ops.speaks_for_others(p_message)
        and exists (select from ops.alerts where id = p_message.alert and held_until > p_now)
$$;

comment on function ops.is_held_back(ops.outbox, timestamptz) is
    'Whether a message waits because its alert is held: only what nobody has tried to send, and never an end.';

create function ops.waits_on_purpose(p_message ops.outbox, p_now timestamptz)
returns boolean
language sql
stable
set search_path = ''
as $$
    select p_message.digest
        or (p_message.attempts = 0 and (p_message.next_attempt_at > p_now or ops.is_held_back(p_message, p_now)))
$$;

comment on function ops.waits_on_purpose(ops.outbox, timestamptz) is
    'Whether a message is not to be sent yet: for a digest, because it is silenced, held, or goes with others.';

create function ops.held_by(p_alert ops.alerts, p_now timestamptz)
returns jsonb
language sql
immutable
set search_path = ''
as $$
    select case when p_alert.status <> 'resolved' and p_alert.held_until > p_now then p_alert.held_by end
$$;

comment on function ops.held_by(ops.alerts, timestamptz) is 'Rule and subject of what holds an alert now; null if nothing does.';

revoke all on all functions in schema ops from public, anon, authenticated;
grant execute on all functions in schema ops to service_role;
