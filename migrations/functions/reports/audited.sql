-- What a report says of changes that somebody has to answer for. Before the audit log began
-- nothing is known.

create or replace function ops.report_audited(p_from timestamptz, p_to timestamptz)
returns table (line text, subject text, value numeric, samples bigint)
language plpgsql
stable
set search_path = ''
as $$
declare
    v_begun boolean := exists (select from ops.audit where at < p_to);
begin
    return query
    select counted.line, '', case when v_begun then counted.rows end::numeric, null::bigint
    from (
        select unnest(array['roles_changed', 'keys_changed', 'settings_changed', 'refusals']) as line, unnest(array[
            count(*) filter (where log.action in ('role.granted', 'role.revoked', 'role.found')),
            count(*) filter (where log.action in ('key.added', 'key.rotated', 'key.revoked')),
            count(*) filter (where log.action in ('setting.changed', 'check.changed')),
            count(*) filter (where log.action = 'access.refused')
        ]) as rows
        from ops.audit as log
        where log.at >= p_from and log.at < p_to
    ) as counted;
end
$$;

comment on function ops.report_audited(timestamptz, timestamptz) is
    'How many roles, keys, settings and checks were changed in a period, and how often access was refused, as the audit log has it.';
