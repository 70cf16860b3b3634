-- How often somebody may try to sign in. All tries reach the project's Auth from one address,
-- so it cannot tell who tries, and this is where they are told apart.
--
-- A scope has some tries free. After each further one comes a pause, twice as long as the one
-- before and never longer than the scope's longest; a try within a pause is refused and not
-- counted. A window after the first try all begins anew. What succeeds is forgiven.
--
-- Nobody can lock others out for long. An address as a whole pauses for a minute at most, and
-- only for browsers that never signed in to it; codes are counted by the browser that asked
-- for one, so that a stranger cannot use up what somebody else asked for.

create or replace function ops.try_limits(
    out scope text,
    out free integer,
    out first_pause interval,
    out longest_pause interval,
    out counted_for interval
)
returns setof record
language sql
immutable
set search_path = ''
as $$
    values
        ('client', 30, interval '2 seconds', interval '15 minutes', interval '1 hour'),
        ('account', 20, interval '1 second', interval '1 minute', interval '1 hour'),
        ('pair', 5, interval '1 second', interval '15 minutes', interval '1 day'),
        ('device', 10, interval '1 second', interval '5 minutes', interval '1 hour'),
        ('code', 5, interval '1 hour', interval '1 hour', interval '1 hour'),
        ('mail', 5, interval '5 minutes', interval '2 hours', interval '1 day'),
        ('mail_client', 20, interval '10 seconds', interval '1 hour', interval '1 hour'),
        ('mail_device', 5, interval '1 minute', interval '15 minutes', interval '1 hour'),
        ('session', 60, interval '1 second', interval '1 minute', interval '1 hour')
$$;

comment on function ops.try_limits() is
    'How many tries a scope has free, how long the first pause after them is and the longest, and for how long tries are counted.';

create or replace function ops.remaining_pause(p_tried ops.sign_in_tries, p_now timestamptz)
returns interval
language sql
immutable
set search_path = ''
as $$
    select case
        when p_tried.since + limits.counted_for <= p_now or p_tried.tries < limits.free then interval '0'
        else greatest(
            p_tried.last_at
            + least(limits.longest_pause, limits.first_pause * power(2, least(p_tried.tries - limits.free, 30)))
            - p_now,
            interval '0'
        )
    end
    from ops.try_limits() as limits
    where limits.scope = p_tried.scope
$$;

comment on function ops.remaining_pause(ops.sign_in_tries, timestamptz) is
    'How long the pause still is after which the next try may come; nothing where it may come now.';

create or replace function ops.list_tried(p_keys jsonb)
returns setof ops.sign_in_tries
language plpgsql
stable
set search_path = ''
as $$
begin
    if jsonb_typeof(p_keys) is distinct from 'object' then
        perform ops.refuse('keys', 'an object of keys by scope', jsonb_typeof(p_keys));
    end if;
    -- Whoever changes several rows changes them in this order, so that nobody waits in a circle.
    return query
    select given.key::ops.try_scope, given.value, 0, null::timestamptz, null::timestamptz
    from jsonb_each_text(p_keys) as given
    order by given.key;
end
$$;

comment on function ops.list_tried(jsonb) is
    'Returns of whom a try is counted: {scope: key, …}, as rows without tries. Refuses with SQLSTATE 22023 what is no object.';

create or replace function ops.count_try(p_tried ops.sign_in_tries, p_now timestamptz)
returns interval
language plpgsql
set search_path = ''
as $$
declare
    v_tried ops.sign_in_tries;
    v_pause interval;
begin
    insert into ops.sign_in_tries as known (scope, key, tries, since, last_at)
    values (p_tried.scope, p_tried.key, 0, p_now, p_now)
    on conflict (scope, key) do update set tries = known.tries
    returning known.* into v_tried;
    v_pause := ops.remaining_pause(v_tried, p_now);
    if v_pause > interval '0' then
        return v_pause;
    end if;
    update ops.sign_in_tries as known
    set tries = case when begins_anew then 1 else known.tries + 1 end,
        since = case when begins_anew then p_now else known.since end,
        last_at = p_now
    from (
        select v_tried.since + limits.counted_for <= p_now as begins_anew
        from ops.try_limits() as limits
        where limits.scope = v_tried.scope
    ) as counted
    where known.scope = p_tried.scope and known.key = p_tried.key;
    return v_pause;
end
$$;

comment on function ops.count_try(ops.sign_in_tries, timestamptz) is
    'Counts a try, if it may come now; returns how long the pause still is otherwise. Of tries that come together each is counted before the next is judged.';

create or replace function public.ops_begin_sign_in(p_keys jsonb, p_now timestamptz default null)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_pause interval := interval '0';
begin
    perform ops.hold_functions();
    delete from ops.sign_in_tries as old
    where old.ctid = any (array(
        select listed.ctid from ops.sign_in_tries as listed
        where listed.since < v_now - interval '25 hours'
        limit 100
        for update skip locked
    ));
    begin
        select max(ops.count_try(tried, v_now)) into v_pause from ops.list_tried(p_keys) as tried;
        if v_pause > interval '0' then
            -- What was counted elsewhere is taken back: a try that is refused counts nowhere.
            raise exception using errcode = 'restrict_violation';
        end if;
    exception
        when restrict_violation then
            null;
    end;
    if v_pause > interval '0' then
        perform ops.audit_refusal(null, refused.subject, '{"what": "sign-in"}')
        from (
            select left(tried.scope || ' ' || tried.key, 200) as subject
            from ops.list_tried(p_keys) as tried
            order by tried.scope <> 'account', tried.scope
            limit 1
        ) as refused;
    end if;
    return jsonb_build_object('waitSeconds', ceil(extract(epoch from coalesce(v_pause, interval '0'))));
end
$$;

comment on function public.ops_begin_sign_in(jsonb, timestamptz) is
    'Counts a try to sign in under its keys, {scope: key, …}, unless one of them has to pause: then nothing is counted and the seconds of the longest pause are returned; else 0.';

create or replace function public.ops_end_sign_in(p_keys jsonb, p_succeeded boolean)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_forgiven integer;
begin
    perform ops.hold_functions();
    with own as (
        delete from ops.sign_in_tries as known
        using ops.list_tried(p_keys) as tried
        where p_succeeded
            and known.scope = tried.scope
            and known.key = tried.key
            and tried.scope in ('pair', 'device', 'code')
        returning known.key
    ),
    shared as (
        update ops.sign_in_tries as known
        set tries = greatest(known.tries - 1, 0)
        from ops.list_tried(p_keys) as tried
        where known.scope = tried.scope
            and known.key = tried.key
            and not (p_succeeded and tried.scope in ('pair', 'device', 'code'))
            -- A network that asks while nobody judges is one that asks all the same.
            and (p_succeeded or tried.scope <> 'client')
        returning known.key
    )
    select (select count(*) from own) + (select count(*) from shared) into v_forgiven;
    return jsonb_build_object('forgiven', v_forgiven);
end
$$;

comment on function public.ops_end_sign_in(jsonb, boolean) is
    'Forgives a try that was counted: one that succeeded, with those before it of the same browser, or one that nobody judged, because Auth was not to be had.';
