-- Check-ins: jobs that report by the door. The first one of a job makes a heartbeat, the
-- others feed it. They count against no quota: a job that is not heard of raises an alarm.

create or replace function ops.monitor_name(p_key integer, p_slug text)
returns text
language sql
stable
set search_path = ''
as $$
    with cleaned as (
        select coalesce(
            nullif(btrim(left(btrim(regexp_replace(lower(p_slug), '[^a-z0-9]+', '-', 'g'), '-'), 40), '-'), ''),
            'job'
        ) as name
    ),
    listed as (
        select name, 1 as nth from cleaned
        union all
        select name || '-' || left(encode(sha256(convert_to(p_key || ':' || p_slug, 'UTF8')), 'hex'), 8), 2
        from cleaned
    )
    select listed.name
    from listed
    where not exists (select from ops.custom_checks as known where known.name = listed.name)
    order by listed.nth
    limit 1
$$;

comment on function ops.monitor_name(integer, text) is
    'Returns the name of a heartbeat for a job: what the client calls it, in the letters of a name, and with a few digits more where a check is called so already; null if that is taken too.';

create or replace function ops.add_monitor(p_key integer, p_slug text, p_config jsonb)
returns ops.monitors
language plpgsql
set search_path = ''
as $$
declare
    -- What a job is taken for that says nothing about its times.
    v_default constant jsonb := jsonb_build_object(
        'periodSeconds', 86400, 'graceSeconds', 3600, 'maxRunSeconds', 1800
    );
    v_monitor ops.monitors;
begin
    if (select count(*) from ops.monitors where key = p_key) >= 100 then
        return null;
    end if;
    v_monitor.key := p_key;
    v_monitor.slug := p_slug;
    v_monitor.heartbeat := ops.monitor_name(p_key, p_slug);
    v_monitor.config := p_config;
    perform ops.name_changing_person('door key ' || p_key);
    insert into ops.custom_checks (name, kind, spec)
    values (v_monitor.heartbeat, 'heartbeat', coalesce(p_config, v_default));
    -- The hash of no token: it reports by the door alone until somebody issues one.
    insert into ops.heartbeats (name, token_hash)
    values (v_monitor.heartbeat, encode(sha256(convert_to(gen_random_uuid()::text, 'UTF8')), 'hex'));
    insert into ops.monitors values (v_monitor.*);
    return v_monitor;
end
$$;

comment on function ops.add_monitor(integer, text, jsonb) is
    'Makes the heartbeat of a job, of a day and an hour''s grace where the client says nothing, and returns it; null if the key has a hundred already.';

create or replace function ops.change_monitor(p_monitor ops.monitors, p_config jsonb)
returns void
language plpgsql
set search_path = ''
as $$
begin
    perform ops.name_changing_person('door key ' || p_monitor.key);
    update ops.custom_checks
    set spec = spec || p_config
    where name = p_monitor.heartbeat;
    update ops.monitors
    set config = p_config
    where key = p_monitor.key and slug = p_monitor.slug;
end
$$;

comment on function ops.change_monitor(ops.monitors, jsonb) is
    'Gives the heartbeat of a job the times that its client says now.';

create or replace function ops.take_check_in(p_key integer, p_check_in jsonb, p_now timestamptz)
returns boolean
language plpgsql
set search_path = ''
as $$
declare
    v_slug text := p_check_in ->> 'slug';
    v_config jsonb := nullif(p_check_in -> 'config', 'null');
    v_monitor ops.monitors;
begin
    perform ops.check_length('slug', v_slug, 100);
    perform ops.check_word('event', p_check_in ->> 'event', '{start,success,failure}');
    select * into v_monitor from ops.monitors where key = p_key and slug = v_slug;
    if not found then
        v_monitor := ops.add_monitor(p_key, v_slug, v_config);
    elsif v_config is distinct from v_monitor.config and v_config is not null then
        perform ops.change_monitor(v_monitor, v_config);
    end if;
    if v_monitor.heartbeat is null then
        return false;
    end if;
    perform ops.note_beat(
        v_monitor.heartbeat, p_check_in ->> 'event', left(btrim(coalesce(p_check_in ->> 'run', '')), 200), p_now
    );
    return true;
end
$$;

comment on function ops.take_check_in(integer, jsonb, timestamptz) is
    'Feeds the heartbeat of a job, which it makes if there is none, and says whether there is one now. Refuses with SQLSTATE 22023 what is no check-in.';

create or replace function ops.take_check_ins(p_key integer, p_source text, p_check_ins jsonb, p_now timestamptz)
returns void
language plpgsql
set search_path = ''
as $$
declare
    v_check_in jsonb;
    v_unusable bigint := 0;
    v_too_many bigint := 0;
begin
    if p_check_ins = '[]' then
        return;
    end if;
    -- Two calls must not make the same heartbeat, nor wait for each other.
    perform pg_advisory_xact_lock(hashtextextended('ops.monitors', 0));
    for v_check_in in select value from jsonb_array_elements(p_check_ins) loop
        begin
            if not ops.take_check_in(p_key, v_check_in, p_now) then
                v_too_many := v_too_many + 1;
            end if;
        exception
            when data_exception or integrity_constraint_violation or program_limit_exceeded then
                v_unusable := v_unusable + 1;
        end;
    end loop;
    perform ops.note_drop(p_key, p_source, 'check-in of one job too many', v_too_many, p_now);
    perform ops.note_drop(p_key, p_source, 'unusable check-in', v_unusable, p_now);
end
$$;

comment on function ops.take_check_ins(integer, text, jsonb, timestamptz) is
    'Takes check-ins one by one, in the order in which they came, and notes how many cannot be used.';
