-- What an auditor reads is kept once a month, as facts that can be compared: what is different
-- from the month before is told with the report of the month.

create or replace function ops.former_security_report()
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_build_object(
        'from', kept.starts_at, 'madeAt', kept.made_at, 'facts', kept.facts, 'since', ops.facts_since(kept.facts -> 'secrets')
    )
    from ops.security_reports as kept
    order by kept.starts_at desc
    limit 1
$$;

comment on function ops.former_security_report() is
    'The report that was kept last, and since when each secret of it has been the same; null where none was kept.';

create or replace function ops.facts_since(p_secrets jsonb)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select coalesce(jsonb_object_agg(secret.name, coalesce(
        (
            select min(same.made_at)
            from ops.security_reports as same
            where same.facts #>> array['secrets', 'known', secret.name] = secret.mark
                and same.starts_at > coalesce(
                    (
                        select max(other.starts_at)
                        from ops.security_reports as other
                        where other.facts #>> array['secrets', 'known', secret.name] is distinct from secret.mark
                    ),
                    '-infinity'
                )
        )
    )), '{}')
    from jsonb_each_text(p_secrets -> 'known') as secret (name, mark)
$$;

comment on function ops.facts_since(jsonb) is
    'When each secret was seen first as it is in the newest report, by its keyed hash: it is at least as old.';

create or replace function public.ops_due_security_report(p_now timestamptz default null)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_period record;
begin
    select period.starts_at, period.ends_at into v_period from ops.report_period('monthly', v_now, 0) as period;
    if v_now < ops.report_due_at(v_period.ends_at, ops.read_settings())
        or exists (select from ops.security_reports where starts_at = v_period.starts_at)
    then
        return jsonb_build_object('due', null);
    end if;
    return jsonb_build_object('due', jsonb_build_object('from', v_period.starts_at, 'to', v_period.ends_at));
end
$$;

comment on function public.ops_due_security_report(timestamptz) is
    'The month whose security report is due, from the hour at which reports are sent, and was not kept; null if none is.';

create or replace function public.ops_store_security_report(
    p_run uuid,
    p_fence bigint,
    p_from timestamptz,
    p_to timestamptz,
    p_facts jsonb,
    p_differences jsonb,
    p_now timestamptz default null
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_run ops.runs;
begin
    perform ops.hold_functions();
    v_run := ops.lock_run(p_run, p_fence);
    if v_run.outcome <> 'running' then
        return jsonb_build_object('outcome', 'superseded');
    end if;
    if octet_length(p_facts::text) > 1000000 then
        perform ops.refuse('facts', 'an object of at most 1 MB', ops.describe_size(p_facts));
    end if;
    insert into ops.security_reports (starts_at, ends_at, made_at, facts, differences)
    values (p_from, p_to, coalesce(p_now, now()), p_facts, p_differences)
    on conflict (starts_at) do nothing;
    -- As long as what was done is known.
    delete from ops.security_reports where made_at < ops.audit_kept_from();
    return jsonb_build_object('outcome', 'done');
end
$$;

comment on function public.ops_store_security_report(uuid, bigint, timestamptz, timestamptz, jsonb, jsonb, timestamptz) is
    'Keeps what an auditor reads of a month, once, and what is different from the one before; superseded if another run has taken over.';
