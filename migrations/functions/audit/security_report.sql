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
            jsonb_build_object(
                'table', found.name, 'role', found.role, 'may', found.privileges, 'guarded', found.guarded
            )
            order by found.name, found.role
        ),
        '[]'
    )
    from (
        select
            cls.relname as name,
            who.role,
            -- A view has no rows of its own to guard.
            cls.relrowsecurity or cls.relkind = 'v' as guarded,
            array_agg(lower(privilege.name) order by privilege.name) as privileges
        from pg_class as cls
        cross join unnest('{anon,authenticated}'::text[]) as who (role)
        cross join unnest('{SELECT,INSERT,UPDATE,DELETE,TRUNCATE}'::text[]) as privilege (name)
        where cls.relnamespace in ('public'::regnamespace, 'ops'::regnamespace)
            and cls.relkind in ('r', 'p', 'v', 'm')
            and has_table_privilege(who.role, cls.oid, privilege.name)
        group by cls.relname, cls.relrowsecurity, cls.relkind, who.role
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

create or replace function ops.report_definers()
returns jsonb
language sql
stable
set search_path = ''
as $$
    select coalesce(
        jsonb_agg(
            jsonb_build_object('function', found.name, 'roles', found.roles)
            order by found.name
        ),
        '[]'
    )
    from (
        select proc.oid::regprocedure::text as name, array_agg(who.role order by who.role) as roles
        from pg_proc as proc
        cross join unnest('{anon,authenticated}'::text[]) as who (role)
        where proc.pronamespace = 'public'::regnamespace
            and proc.prosecdef
            and has_function_privilege(who.role, proc.oid, 'execute')
        group by proc.oid
    ) as found
$$;

comment on function ops.report_definers() is
    'Functions of schema public that strangers, or people who are signed in, may call and that do their work with the rights of their owner.';

create or replace function ops.report_sign_ins(p_from timestamptz, p_to timestamptz)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
    v_roles jsonb := ops.read_roles();
begin
    if v_roles is null or not ops.keeps_audit(p_to) then
        return null;
    end if;
    return (
        select coalesce(
            jsonb_agg(
                jsonb_build_object('user', found.account, 'times', found.times, 'lastAt', found.last_at)
                order by found.account
            ),
            '[]'
        )
        from (
            select payload ->> 'actor_id' as account, count(*) as times, max(created_at) as last_at
            from auth.audit_log_entries
            where created_at >= p_from and created_at < p_to and payload ->> 'action' = 'login'
                and v_roles ? (payload ->> 'actor_id')
            group by 1
        ) as found
    );
exception
    -- A change of a table that is not ours must not take the report along.
    when insufficient_privilege or undefined_column then
        return null;
end
$$;

comment on function ops.report_sign_ins(timestamptz, timestamptz) is
    'How often people with a role signed in within a time, as the audit of sign-ins has it; null where that cannot be read.';

create or replace function ops.report_keys()
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_build_object(
        'keys', (
            select coalesce(jsonb_agg(ops.door_key_document(listed) order by listed.id), '[]')
            from ops.door_keys as listed
        ),
        'heartbeats', (
            select coalesce(
                jsonb_agg(
                    jsonb_build_object(
                        'name', token.name,
                        'issuedAt', (
                            select max(log.at)
                            from ops.audit as log
                            where log.action = 'key.rotated' and log.subject = 'heartbeat ' || token.name
                        )
                    )
                    order by token.name
                ),
                '[]'
            )
            from ops.heartbeats as token
        ),
        'devices', (
            select jsonb_build_object('count', count(*), 'oldestAt', min(added_at))
            from ops.push_devices
            where gone_at is null
        )
    )
$$;

comment on function ops.report_keys() is
    'What somebody proves themselves with, and since when: project keys, tokens of heartbeats, devices of contacts. When a token was issued before the audit log began is null.';

create or replace function ops.report_server()
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_build_object(
        'version', current_setting('server_version'),
        'extensions', (select jsonb_object_agg(extname, extversion) from pg_extension),
        'verifiedAt', (select max(finished_at) from ops.backup_verifications),
        'drilledAt', (select max(finished_at) from ops.backup_drills where restored)
    )
$$;

comment on function ops.report_server() is
    'The version of the database and of its extensions, and when a backup was verified and restored last.';

create or replace function ops.report_readers(p_from timestamptz, p_to timestamptz)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_build_object(
        'people', ops.read_roles(),
        'pseudonyms', (
            select coalesce(jsonb_object_agg(left(ops.audit_actor(person.id), 12), person.role), '{}')
            from jsonb_each_text(ops.read_roles()) as person (id, role)
        ),
        'permissions', (
            select jsonb_object_agg(held.role, held.permissions)
            from (
                select role, array_agg(permission order by permission) as permissions
                from ops.role_permissions
                group by role
            ) as held
        ),
        'signIns', ops.report_sign_ins(p_from, p_to),
        'policies', ops.report_policies(),
        'grants', ops.report_grants(),
        'definers', ops.report_definers(),
        'tables', (
            select jsonb_build_object('ours', count(*), 'guarded', count(*) filter (where cls.relrowsecurity))
            from pg_class as cls
            where cls.relnamespace = 'ops'::regnamespace and cls.relkind in ('r', 'p')
        )
    )
$$;

comment on function ops.report_readers(timestamptz, timestamptz) is
    'Who may read what, by role, grant and policy, and who with a role signed in. A pseudonym is a keyed hash of a person, so that a report that is kept names nobody.';

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
        'kept', ops.report_settings(),
        'ages', ops.report_ages(),
        'privacy', ops.report_privacy(p_from, v_to),
        'server', ops.report_server(),
        'changes', ops.report_changes(p_from, v_to),
        'rows', ops.report_rows(p_from, v_to),
        'former', ops.former_security_report()
    ) || ops.report_keys() || ops.report_readers(p_from, v_to);
end
$$;

comment on function public.ops_security_report(timestamptz, timestamptz) is
    'What an auditor asks of the database: people and roles, keys and their age, what is kept and how old it is, policies and privileges, what of that was changed within a time and the one before, and the report of a month that was kept last.';
