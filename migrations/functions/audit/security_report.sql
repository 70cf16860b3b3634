-- What an auditor asks of the database: who may do what, with which keys, for how long things
-- are kept, and what of that was changed in a time and in the one before it.

create or replace function ops.report_policies()
returns jsonb
language sql
stable
set search_path = ''
as $$
    select coalesce(
        jsonb_agg(
            jsonb_build_object(
                'table', cls.relname,
                'policy', pol.polname,
                'roles', array(
                    select case held.id when 0 then 'public' else pg_get_userbyid(held.id)::text end
                    from unnest(pol.polroles) as held (id)
                    order by 1
                ),
                'command', case pol.polcmd
                    when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete'
                    else 'all'
                end,
                'using', pg_get_expr(pol.polqual, cls.oid),
                'check', pg_get_expr(pol.polwithcheck, cls.oid)
            )
            order by cls.relname, pol.polname
        ),
        '[]'
    )
    from pg_policy as pol
    join pg_class as cls on cls.oid = pol.polrelid
    where cls.relnamespace = 'public'::regnamespace
$$;

comment on function ops.report_policies() is 'Every policy of a table in schema public.';

create or replace function ops.report_grants()
returns jsonb
language sql
stable
set search_path = ''
as $$
    select coalesce(
        jsonb_agg(
            jsonb_build_object('table', found.name, 'role', found.role, 'may', found.privileges)
            order by found.name, found.role
        ),
        '[]'
    )
    from (
        select
            cls.relname as name,
            who.role,
            array_agg(lower(privilege.name) order by privilege.name) as privileges
        from pg_class as cls
        cross join unnest('{anon,authenticated}'::text[]) as who (role)
        cross join unnest('{SELECT,INSERT,UPDATE,DELETE,TRUNCATE}'::text[]) as privilege (name)
        where cls.relnamespace in ('public'::regnamespace, 'ops'::regnamespace)
            and cls.relkind in ('r', 'p', 'v', 'm')
            and has_table_privilege(who.role, cls.oid, privilege.name)
        group by cls.relname, who.role
    ) as found
$$;

comment on function ops.report_grants() is
    'What strangers, and people who are signed in, have a privilege to do with tables and views in the schemas public and ops; policies narrow it.';

create or replace function ops.report_changes(p_from timestamptz, p_to timestamptz)
returns jsonb
language sql
stable
set search_path = ''
as $$
    with counted as (
        select
            log.action::text as action,
            count(*) filter (where log.at >= p_from) as now,
            count(*) filter (where log.at < p_from) as before
        from ops.audit as log
        where log.at >= p_from - (p_to - p_from) and log.at < p_to
        group by log.action
    )
    select coalesce(
        jsonb_agg(
            jsonb_build_object('action', counted.action, 'now', counted.now, 'before', counted.before)
            order by counted.action
        ),
        '[]'
    )
    from counted
$$;

comment on function ops.report_changes(timestamptz, timestamptz) is
    'How many rows of the audit log tell of each action within a time, and within as long a time before it.';

create or replace function ops.report_rows(p_from timestamptz, p_to timestamptz)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select coalesce(jsonb_agg(ops.audit_entry(listed.log, listed.document) order by (listed.log).seq), '[]')
    from (
        select log, beside.document::jsonb as document
        from ops.audit as log
        left join ops.audit_details as beside using (seq)
        where log.at >= p_from
            and log.at < p_to
            and log.action not in ('alert.answered', 'incident.changed', 'status.written')
        order by log.seq desc
        limit 500
    ) as listed
$$;

comment on function ops.report_rows(timestamptz, timestamptz) is
    'What the audit log tells of a time, the newest five hundred rows, but for daily work about alerts and incidents.';

create or replace function public.ops_security_report(p_from timestamptz, p_to timestamptz default null)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
    v_to timestamptz := coalesce(p_to, now());
begin
    if coalesce(p_from >= v_to or p_from < v_to - interval '400 days', true) then
        perform ops.refuse('from', 'a time within 400 days before the end', p_from::text);
    end if;
    return jsonb_build_object(
        'from', p_from,
        'to', v_to,
        'people', ops.read_roles(),
        'keys', (
            select coalesce(jsonb_agg(ops.door_key_document(listed) order by listed.id), '[]')
            from ops.door_keys as listed
        ),
        'heartbeats', (select count(*) from ops.heartbeats),
        'kept', (
            select coalesce(
                jsonb_agg(
                    jsonb_build_object(
                        'key', kept.key, 'value', kept.value, 'unit', kept.unit, 'what', kept.description
                    )
                    order by kept.key
                ),
                '[]'
            )
            from ops.settings as kept
            where kept.key like 'retention.%'
        ),
        'tables', (
            select jsonb_build_object('ours', count(*), 'guarded', count(*) filter (where cls.relrowsecurity))
            from pg_class as cls
            where cls.relnamespace = 'ops'::regnamespace and cls.relkind in ('r', 'p')
        ),
        'policies', ops.report_policies(),
        'grants', ops.report_grants(),
        'changes', ops.report_changes(p_from, v_to),
        'rows', ops.report_rows(p_from, v_to)
    );
end
$$;

comment on function public.ops_security_report(timestamptz, timestamptz) is
    'What an auditor asks of the database: people and roles, keys and their age, retention, policies and privileges, and what of that was changed within a time and the one before.';
