-- How the audit log is read: whole and in order by whoever verifies it, the newest first by
-- people. Who may, the edge has judged.

create or replace function ops.audit_entry(p_row ops.audit, p_document jsonb)
returns jsonb
language sql
immutable
set search_path = ''
as $$
    select jsonb_build_object(
        'seq', p_row.seq,
        'at', p_row.at,
        'action', p_row.action,
        'actor', coalesce(p_document ->> 'actor', 'hash ' || left(p_row.actor, 12)),
        'subject', p_row.subject,
        'erased', p_document is null,
        'details', p_document - 'actor'
    )
$$;

comment on function ops.audit_entry(ops.audit, jsonb) is
    'A row of the audit log as people read it. Whose name was erased is told from others by the beginning of its hash.';

create or replace function ops.list_audit(p_before bigint, p_limit integer, p_action text)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select coalesce(jsonb_agg(ops.audit_entry(listed.log, listed.document) order by (listed.log).seq desc), '[]')
    from (
        select log, beside.document::jsonb as document
        from ops.audit as log
        left join ops.audit_details as beside using (seq)
        where (p_before is null or log.seq < p_before)
            and (p_action is null or log.action = p_action)
        order by log.seq desc
        limit p_limit
    ) as listed
$$;

comment on function ops.list_audit(bigint, integer, text) is
    'Rows of the audit log as people read them, the newest first, from before a row on and of one action where these are given.';

create or replace function ops.audit_head()
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_build_object('seq', newest.seq, 'hash', newest.hash, 'at', newest.at)
    from ops.audit as newest
    order by newest.seq desc
    limit 1
$$;

comment on function ops.audit_head() is 'The newest row of the audit log: its number, hash and time; null where there is none.';

create or replace function public.ops_list_audit(
    p_before bigint default null,
    p_limit integer default 50,
    p_action text default null
)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
    perform ops.check_number('limit', p_limit, 1, 500);
    if p_action is not null then
        perform ops.check_word('action', p_action, ops.words('ops.audit_action'));
    end if;
    return jsonb_build_object('head', ops.audit_head(), 'rows', ops.list_audit(p_before, p_limit, p_action));
end
$$;

comment on function public.ops_list_audit(bigint, integer, text) is
    'Lists rows of the audit log, the newest first, and where the log stands.';

create or replace function ops.audit_checkpoint_document()
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_build_object(
        'seq', cut.seq,
        'at', ops.audit_time(cut.at),
        'action', cut.action,
        'actor', cut.actor,
        'subject', cut.subject,
        'details', cut.details,
        'previous', cut.previous,
        'hash', cut.hash
    )
    from ops.audit_checkpoint as cut
$$;

comment on function ops.audit_checkpoint_document() is
    'The last row of the audit log that was deleted by age, with all that was hashed; null where none was.';

create or replace function public.ops_read_audit(p_after bigint, p_limit integer)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
    perform ops.check_number('limit', p_limit, 1, 1000);
    return jsonb_build_object('checkpoint', ops.audit_checkpoint_document(), 'rows', (
        select coalesce(
            jsonb_agg(
                jsonb_build_object(
                    'seq', page.seq,
                    'at', ops.audit_time(page.at),
                    'action', page.action,
                    'actor', page.actor,
                    'subject', page.subject,
                    'details', page.details,
                    'previous', page.previous,
                    'hash', page.hash,
                    'salt', beside.salt,
                    'document', beside.document
                )
                order by page.seq
            ),
            '[]'
        )
        from (
            select * from ops.audit as log where log.seq > p_after order by log.seq limit p_limit
        ) as page
        left join ops.audit_details as beside using (seq)
    ));
end
$$;

comment on function public.ops_read_audit(bigint, integer) is
    'Reads rows of the audit log after one, in order, as whoever verifies them needs them: with all that was hashed, and with the last row that was deleted by age.';
