-- Which custom checks are due at a tick, and which checks the database adds to a tick
-- because no probe has to make them. Each check has an interval of its own; a check that
-- is not due is neither probed nor forgotten. Here is also how often a check has to be bad.

create or replace function ops.bad_after(p_check ops.custom_checks, p_usual integer)
returns integer
language sql
immutable
parallel safe
set search_path = ''
as $$
    select coalesce(
        (p_check.spec ->> 'opensAfter')::integer,
        -- Three looks an hour apart would be three hours.
        case when p_check.every_seconds > 300 then 1 end,
        p_usual
    )
$$;

comment on function ops.bad_after(ops.custom_checks, integer) is
    'How many bad observations of a custom check open its alert: as many as it says, one if it is looked at less often than every five minutes, else as many as usual.';

create or replace function ops.good_after(p_check ops.custom_checks, p_usual integer)
returns integer
language sql
immutable
parallel safe
set search_path = ''
as $$
    select coalesce(
        (p_check.spec ->> 'resolvesAfter')::integer, case when p_check.every_seconds > 300 then 1 end, p_usual
    )
$$;

comment on function ops.good_after(ops.custom_checks, integer) is
    'How many good observations of a custom check resolve its alert, by the same rule.';

create or replace function ops.rule_of_subject(p_rule ops.rules, p_subject text)
returns ops.rules
language plpgsql
stable
set search_path = ''
as $$
declare
    v_check ops.custom_checks;
begin
    if p_rule.rule in ('check_failing', 'check_slow') then
        select * into v_check from ops.custom_checks where name = p_subject;
        if found then
            p_rule.bad_after := ops.bad_after(v_check, p_rule.bad_after);
            p_rule.good_after := ops.good_after(v_check, p_rule.good_after);
        end if;
    end if;
    return p_rule;
end
$$;

comment on function ops.rule_of_subject(ops.rules, text) is
    'The rule as it is in force for a subject: a custom check may have thresholds of its own.';

create or replace function ops.retries(p_check ops.custom_checks, p_usual integer)
returns integer
language sql
immutable
parallel safe
set search_path = ''
as $$
    select coalesce(
        (p_check.spec ->> 'retries')::integer,
        -- One bad observation is enough only where nothing but a fault can have made it bad.
        case ops.bad_after(p_check, p_usual) when 1 then 2 else 0 end
    )
$$;

comment on function ops.retries(ops.custom_checks, integer) is
    'How often a tick looks again at a custom check that it found down: as often as the check says, and twice if one bad observation opens its alert.';

create or replace function ops.due_checks(p_now timestamptz, p_all boolean)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
    v_usual integer := (ops.read_settings() ->> 'alert.bad_after')::integer;
begin
    return (
        select coalesce(
            jsonb_agg(
                ops.custom_check_document(custom)
                    || jsonb_build_object('retries', ops.retries(custom, v_usual))
                order by custom.name
            ),
            '[]'
        )
        from ops.custom_checks as custom
        left join ops.checks as known on known.name = custom.check_name
        where custom.enabled
            and custom.kind in ('http', 'tls', 'dns', 'tcp')
            and (
                p_all
                or known.last_seen_at is null
                or known.last_seen_at < custom.updated_at
                -- Ticks come a minute apart, give or take some seconds.
                or known.last_seen_at <= p_now - make_interval(secs => custom.every_seconds - 30)
            )
    );
end
$$;

comment on function ops.due_checks(timestamptz, boolean) is
    'The custom checks that a tick at that time has to probe: those whose interval is over and those that were changed since their last sample, or all of them.';

create or replace function ops.with_derived_checks(p_tick jsonb, p_now timestamptz)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
    return (
        select p_tick || jsonb_build_object(
            'checks',
            p_tick -> 'checks' || coalesce(
                jsonb_agg(
                    jsonb_build_object(
                        'name', name,
                        'kind', kind,
                        'service', service,
                        'critical', critical,
                        'status', status,
                        'latencyMs', latency_ms,
                        'reason', reason,
                        'detail', detail
                    )
                ),
                '[]'
            )
        )
        from ops.derived_checks(p_tick, p_now)
    );
end
$$;

comment on function ops.with_derived_checks(jsonb, timestamptz) is
    'A tick with the checks that the database makes itself, added to those that were probed.';

create or replace function ops.was_passed(p_check_name text, p_host text, p_at timestamptz)
returns boolean
language plpgsql
stable
set search_path = ''
as $$
begin
    return coalesce(
        (
            select sample.detail -> 'hosts' ? p_host
            from ops.samples as sample
            where sample.check_name = p_check_name and sample.at <= p_at
            order by sample.at desc, sample.id desc
            limit 1
        ),
        false
    );
end
$$;

comment on function ops.was_passed(text, text, timestamptz) is
    'Whether the newest sample of a check at that time came by this host, on a redirect or on a step before, and saw its certificate.';

create or replace function ops.is_custom(p_rule text, p_subject text, p_at timestamptz)
returns boolean
language sql
stable
set search_path = ''
as $$
    select p_rule in ('check_failing', 'check_slow', 'certificate_urgent', 'certificate_expiring')
        and exists (
            select
            from ops.custom_checks as custom
            where (custom.enabled or custom.updated_at > p_at)
                and case
                    when p_rule like 'certificate%' then lower(p_subject) = ops.certificate_host(custom.spec)
                        or custom.spec ?| '{redirects,before}' and ops.was_passed(custom.check_name, lower(p_subject), p_at)
                    else lower(p_subject) = custom.name
                end
        )
$$;

comment on function ops.is_custom(text, text, timestamptz) is
    'Whether a custom check stood behind the subject of a rule at that time. If so, a tick that does not report the subject means that the check was not due. A check that is switched off now counts as switched on until its last change.';
