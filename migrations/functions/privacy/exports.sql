-- Exports that are made without an operator and fetched once by a link. A row is there before
-- its file, so that whoever is killed in between leaves no file that nobody deletes.

create or replace function public.ops_due_exports(p_now timestamptz default null)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_settings jsonb := ops.read_settings();
begin
    return jsonb_build_object(
        'person', (
            select asked.person
            from ops.privacy_requests as asked
            where
                (v_settings ->> 'privacy.exports')::boolean
                and asked.kind = 'export' and asked.closed_at is null and asked.tries < 3
                -- Whoever has another number has no account, and must keep nobody else waiting.
                and asked.person ~* '^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$'
            order by asked.tries, asked.asked_at, asked.id
            limit 1
        ),
        'past', (
            select coalesce(jsonb_agg(past.id order by past.expires_at), '[]')
            from (
                select known.id, known.expires_at
                from ops.exports as known
                where
                    known.removed_at is null
                    -- Whoever fetches has that long to begin.
                    and (
                        known.person is null
                        or least(known.expires_at, known.fetched_at + interval '1 hour') <= v_now
                    )
                order by known.expires_at
                limit 20
            ) as past
        )
    );
end
$$;

comment on function public.ops_due_exports(timestamptz) is
    'Whose export is to be made next without an operator, null where nobody''s, and the exports whose files are to be deleted: past their time, fetched an hour ago, or of somebody who was erased.';

create or replace function public.ops_begin_export(
    p_export uuid,
    p_person text,
    p_token_hash text,
    p_now timestamptz default null
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_expires_at timestamptz;
begin
    perform ops.hold_functions();
    select known.expires_at into v_expires_at from ops.exports as known where known.id = p_export;
    if found then
        return jsonb_build_object('expiresAt', v_expires_at);
    end if;
    update ops.privacy_requests
    set tries = tries + 1
    where person = p_person and kind = 'export' and closed_at is null;
    -- Only the newest link works.
    update ops.exports
    set expires_at = v_now
    where person = p_person and fetched_at is null and expires_at > v_now;
    v_expires_at := v_now + make_interval(hours => 24 * (ops.read_settings() ->> 'privacy.export_days')::integer);
    insert into ops.exports (id, person, token_hash, begun_at, expires_at)
    values (p_export, p_person, p_token_hash, v_now, v_expires_at);
    -- What became of older ones is told by the audit log.
    delete from ops.exports where removed_at < v_now - interval '30 days';
    return jsonb_build_object('expiresAt', v_expires_at);
end
$$;

comment on function public.ops_begin_export(uuid, text, text, timestamptz) is
    'Notes that an export is being made, which ends the links of earlier ones, and returns until when its link works.';

create or replace function public.ops_end_export(
    p_export uuid,
    p_bytes bigint,
    p_trouble text,
    p_now timestamptz default null
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_person text;
begin
    perform ops.hold_functions();
    update ops.exports
    set
        ready_at = case when p_trouble is null then v_now end,
        bytes = case when p_trouble is null then p_bytes end,
        expires_at = case when p_trouble is null then expires_at else least(expires_at, v_now) end
    where id = p_export
    returning person into v_person;
    update ops.privacy_requests
    set trouble = left(p_trouble, 300)
    where person = v_person and kind = 'export' and closed_at is null;
    return jsonb_build_object('noted', v_person is not null);
end
$$;

comment on function public.ops_end_export(uuid, bigint, text, timestamptz) is
    'Notes that the file of an export is there, or why it is not; noted is false where the person was erased meanwhile.';

create or replace function public.ops_note_export_removed(p_export uuid, p_now timestamptz default null)
returns jsonb
language plpgsql
set search_path = ''
as $$
begin
    perform ops.hold_functions();
    update ops.exports set removed_at = coalesce(p_now, now()) where id = p_export and removed_at is null;
    return jsonb_build_object('noted', found);
end
$$;

comment on function public.ops_note_export_removed(uuid, timestamptz) is
    'Notes that the file of an export is deleted.';

create or replace function public.ops_fetch_export(
    p_token_hash text default null,
    p_person text default null,
    p_is_used boolean default true,
    p_now timestamptz default null
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_export ops.exports;
begin
    perform ops.hold_functions();
    select known.* into v_export
    from ops.exports as known
    where
        known.ready_at is not null and known.removed_at is null
        and case when p_token_hash is null then known.person = p_person else known.token_hash = p_token_hash end
    order by known.begun_at desc
    limit 1
    for update;
    if not found then
        return jsonb_build_object('outcome', 'unknown');
    end if;
    if v_export.fetched_at is not null then
        return jsonb_build_object('outcome', 'used');
    end if;
    if v_export.expires_at <= v_now then
        return jsonb_build_object('outcome', 'expired');
    end if;
    if p_is_used then
        update ops.exports set fetched_at = v_now where id = v_export.id;
        perform ops.write_audit(
            'data.fetched', case when p_token_hash is null then 'user' else 'link' end, v_export.id::text, null
        );
    end if;
    return jsonb_build_object('outcome', 'ready', 'export', v_export.id);
end
$$;

comment on function public.ops_fetch_export(text, text, boolean, timestamptz) is
    'Uses the link to an export, or without one the newest export of somebody: ready with the export, once; afterwards used, past its time expired, and unknown where there is none. With p_is_used false it only says what using it would say.';

create or replace function public.ops_show_export(p_person text, p_now timestamptz default null)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_build_object(
        'askedAt', (
            select asked.asked_at
            from ops.privacy_requests as asked
            where asked.person = p_person and asked.kind = 'export' and asked.closed_at is null
        ),
        'readyAt', newest.ready_at,
        'expiresAt', newest.expires_at,
        'fetchedAt', newest.fetched_at
    )
    from (values (true)) as one (row)
    left join (
        select known.ready_at, known.expires_at, known.fetched_at
        from ops.exports as known
        where known.person = p_person and known.ready_at is not null
        order by known.begun_at desc
        limit 1
    ) as newest on true
$$;

comment on function public.ops_show_export(text, timestamptz) is
    'How the export of somebody stands: since when it is asked for, and the newest that was made.';
