-- What a person may do, by the same table as at the edge. The edge has judged a request
-- before it comes here; what a person does is judged once more where it is done.

create or replace function ops.may(p_role text, p_permission text)
returns boolean
language sql
stable
set search_path = ''
as $$
    select exists (
        select from ops.role_permissions as held where held.role = p_role and held.permission = p_permission
    )
$$;

comment on function ops.may(text, text) is 'Whether a role has a permission. Words that are none have none.';

create or replace function ops.check_permission(p_role text, p_permission text)
returns void
language plpgsql
stable
set search_path = ''
as $$
begin
    if p_role is not null and not ops.may(p_role, p_permission) then
        raise exception 'the role % may not do what needs %', left(p_role, 50), p_permission
            using errcode = 'insufficient_privilege';
    end if;
end
$$;

comment on function ops.check_permission(text, text) is
    'Refuses what the role of a person does not allow with SQLSTATE 42501. Without a role it is the server itself that acts, or an operator.';
