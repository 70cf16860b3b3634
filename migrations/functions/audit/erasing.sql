-- What people can read of rows of the audit log is erased; the rows stay, and the log says of
-- which rows it was erased, so that a removal that nobody recorded is told from an erasure.

create or replace function ops.erase_audit_details(p_person text, p_subject text, p_by text)
returns bigint
language plpgsql
-- Nobody but the owner may delete here.
security definer
set search_path = ''
as $$
declare
    v_rows bigint[];
    v_erased bigint := 0;
begin
    loop
        with erased as (
            delete from ops.audit_details as beside
            where beside.seq = any (array(
                select log.seq
                from ops.audit as log
                join ops.audit_details as kept on kept.seq = log.seq
                where log.action <> 'details.erased'
                    and (log.actor = ops.audit_actor(p_person) or log.subject = p_subject or log.subject like format('user %s:%%', p_subject))
                order by log.seq
                limit 200
            ))
            returning beside.seq
        )
        select array_agg(erased.seq order by erased.seq) into v_rows from erased;
        exit when v_rows is null;
        v_erased := v_erased + cardinality(v_rows);
        perform ops.write_audit('details.erased', p_by, null, jsonb_build_object('rows', v_rows));
    end loop;
    return v_erased;
end
$$;

comment on function ops.erase_audit_details(text, text, text) is
    'Erases what people can read of the rows that a person wrote, or that are about that subject, records which rows these are, and returns how many.';
