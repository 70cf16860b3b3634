-- An alert that is only the consequence of another is held until its cause ends.
--
-- People get messages about the cause only. An alert is held while something that it needs
-- is bad, and for a grace period after that: its messages wait, its ladder stands still, and
-- if it recovers meanwhile its messages are never sent. Only the cause's own state counts,
-- whether or not the cause is held itself, so one step from consequence to cause is enough.
-- Every tick renews the holds for a little longer than it takes the next tick to come. If
-- ticks stop, the holds end and the messages are sent: noise is better than silence.

create or replace function ops.hold_length()
returns interval
language sql
immutable
parallel safe
set search_path = ''
as $$
    select interval '150 seconds'
$$;

comment on function ops.hold_length() is
    'Returns how long a tick holds alerts: until the next tick but one, and some seconds more.';

create or replace function ops.find_causes(p_settings jsonb, p_now timestamptz)
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
        -- These are not alerts yet, but may be on their way to one.
        select
            state.rule, state.subject, coalesce(rules.severity, custom.severity), p_now + ops.hold_length()
        from ops.alert_states as state
        join ops.rules as rules on rules.rule = state.rule
        left join ops.custom_checks as custom
            on state.rule = 'check_failing' and custom.name = state.subject
        where state.phase = 'quiet'
            and state.bad_count > 0
            -- What the last ticks did not observe opens no alert either.
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
    -- An alert of low severity waits for the digest and must not keep others waiting.
    where bad.severity is distinct from 'low'
    group by 1, 2, 3
$$;

comment on function ops.find_causes(jsonb, timestamptz) is
    'Finds everything that may be the cause of other alerts now, and until when: open alerts, alerts that resolved within the grace period, and what was bad in the last ticks and may become an alert.';

create or replace function ops.find_holds(p_settings jsonb, p_now timestamptz, p_alert uuid)
returns table (alert uuid, cause jsonb, until timestamptz)
language sql
stable
set search_path = ''
-- With a thousand alerts a nested loop takes seconds, and the planner chooses one because
-- its statistics are older than the storm.
set enable_nestloop = off
-- Compiling the plan would take longer than running it.
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
            -- One cause of a rule stands for all of that rule.
            select distinct on (rule, critical) * from causes order by rule, critical, until desc, subject
        ) as cause on cause.rule = needs.needs_rule
        where not needs.same_subject and needs.needs_subject is null
    )
    select distinct on (held.id)
        held.id, jsonb_build_object('rule', held.rule, 'subject', held.subject), held.until
    from held
    -- Only a critical alert calls people, so only a critical cause may hold one.
    where held.by_critical or not held.critical
    order by held.id, held.until desc, held.rule, held.subject
$$;

comment on function ops.find_holds(jsonb, timestamptz, uuid) is
    'Finds the open alerts that are consequences now, or looks at the one that is given, each with the cause that lasts longest. Only a critical cause holds a critical alert, because a lesser cause would call nobody.';

create or replace function ops.release_holds(p_now timestamptz)
returns void
language plpgsql
set search_path = ''
as $$
begin
    with ended as materialized (
        select id, held_until - held_since as length
        from ops.alerts
        where held_until <= p_now
    ),
    waited as (
        -- A rung that stood still while the alert was held is due that much later.
        update ops.escalations as step
        set due_at = step.due_at + ended.length
        from ended
        where step.alert = ended.id and step.status = 'waiting'
    )
    update ops.alerts as alert
    set held_by = null, held_since = null, held_until = null
    from ended
    where alert.id = ended.id;
end
$$;

comment on function ops.release_holds(timestamptz) is
    'Ends the holds whose time is over. The time in which an alert was held does not count for its ladder.';

create or replace function ops.renew_holds(p_settings jsonb, p_now timestamptz)
returns void
language plpgsql
set search_path = ''
as $$
begin
    -- A hold that ran out in a gap between ticks is over; if its cause is still bad, a new
    -- hold begins.
    perform ops.release_holds(p_now);
    -- Most ticks find no open alert and no hold.
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
    'Holds every open alert that is a consequence now until the next ticks, and ends the other holds. Only a tick may call this, so that holds end when ticks stop.';

create or replace function ops.hold_raised(p_alert uuid, p_settings jsonb, p_now timestamptz)
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
    'Holds an alert that was opened between ticks, if it is a consequence, until the next ticks renew the hold or end it.';

create or replace function ops.is_held_back(p_message ops.outbox, p_now timestamptz)
returns boolean
language plpgsql
stable
set search_path = ''
as $$
begin
    return p_message.kind in ('firing', 'escalation', 'reminder')
        and not ops.speaks_for_others(p_message)
        and exists (select from ops.alerts where id = p_message.alert and held_until > p_now)
        -- A message that may have been read is not held any more.
        and not ops.may_have_arrived(p_message);
end
$$;

comment on function ops.is_held_back(ops.outbox, timestamptz) is
    'Returns whether a message waits because its alert is held. A resolution never does, nor does a message that somebody may have read.';

create or replace function ops.held_by(p_alert ops.alerts, p_now timestamptz)
returns jsonb
language sql
immutable
set search_path = ''
as $$
    select case when p_alert.status <> 'resolved' and p_alert.held_until > p_now then p_alert.held_by end
$$;

comment on function ops.held_by(ops.alerts, timestamptz) is 'Returns rule and subject of the cause that holds an alert now; null if none does.';
