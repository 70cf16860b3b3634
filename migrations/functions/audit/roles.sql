-- Every change of a role is in the audit log: what the operator's command changes it writes
-- itself, and what was changed elsewhere, in Supabase's dashboard or by the app, a tick finds.

create or replace function ops.audit_found_roles(p_former jsonb, p_roles jsonb)
returns bigint
language sql
set search_path = ''
as $$
    with changed as (
        select person.id, p_former ->> person.id as former, p_roles ->> person.id as role
        from (
            select jsonb_object_keys(p_former) as id
            union
            select jsonb_object_keys(p_roles)
        ) as person
        where p_former ->> person.id is distinct from p_roles ->> person.id
    ),
    unknown as (
        select changed.*
        from changed
        where ops.role_subject(changed.id, changed.role) is distinct from (
            select log.subject
            from ops.audit as log
            where log.subject = any (array[
                ops.role_subject(changed.id, null), ops.role_subject(changed.id, 'viewer'),
                ops.role_subject(changed.id, 'responder'), ops.role_subject(changed.id, 'admin')
            ])
            order by log.seq desc
            limit 1
        )
    ),
    written as (
        select ops.write_audit(
            'role.found', null, ops.role_subject(unknown.id, unknown.role),
            jsonb_build_object('from', unknown.former, 'to', unknown.role)
        )
        from unknown
    )
    select count(*) from written
$$;

comment on function ops.audit_found_roles(jsonb, jsonb) is
    'Writes into the audit log each role that changed between two readings, {user: role}, unless the log says so already; returns how many.';

create or replace function ops.role_subject(p_user text, p_role text)
returns text
language sql
immutable
parallel safe
set search_path = ''
as $$
    select format('user %s: %s', p_user, coalesce(p_role, 'no role'))
$$;

comment on function ops.role_subject(text, text) is 'What a change of a role is about in the audit log: the id of a user, and the role.';

create or replace function ops.audit_role(p_by text, p_user text, p_person text, p_former text, p_role text)
returns void
language sql
set search_path = ''
as $$
    select ops.write_audit(
        case when p_role is null then 'role.revoked' else 'role.granted' end, p_by, ops.role_subject(p_user, p_role),
        jsonb_build_object('person', p_person, 'from', p_former, 'to', p_role)
    )
$$;

comment on function ops.audit_role(text, text, text, text, text) is
    'Writes into the audit log that somebody gave a person a role, or took it away where it is null.';
