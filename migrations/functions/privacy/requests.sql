-- What people ask for of what is held of them. An operator's command does it and closes the
-- request: it takes a direct session and the operator's eyes.

create or replace function public.ops_ask_privacy(p_person text, p_kind text, p_now timestamptz default null)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_request ops.privacy_requests;
begin
    perform ops.hold_functions();
    perform ops.check_length('person', p_person, 200);
    if p_kind not in ('export', 'erasure') then
        raise exception using errcode = '22023', message = 'what can be asked for is an export or an erasure';
    end if;
    insert into ops.privacy_requests (id, person, kind, asked_at)
    values (gen_random_uuid(), p_person, p_kind, coalesce(p_now, now()))
    on conflict (person, kind) where closed_at is null do nothing;
    select known.* into v_request
    from ops.privacy_requests as known
    where known.person = p_person and known.kind = p_kind and known.closed_at is null;
    return jsonb_build_object('kind', v_request.kind, 'askedAt', v_request.asked_at);
end
$$;

comment on function public.ops_ask_privacy(text, text, timestamptz) is
    'Notes that somebody asks for an export or to be erased, once until it is closed, and returns since when.';

create or replace function public.ops_list_privacy_requests()
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_build_object(
        'requests', coalesce(
            jsonb_agg(
                jsonb_build_object(
                    'person', open.person, 'kind', open.kind, 'askedAt', open.asked_at,
                    'tries', open.tries, 'trouble', open.trouble
                )
                order by open.asked_at, open.id
            ),
            jsonb_build_array()
        )
    )
    from (
        select known.*
        from ops.privacy_requests as known
        where known.closed_at is null
        order by known.asked_at, known.id
        limit 500
    ) as open
$$;

comment on function public.ops_list_privacy_requests() is
    'Lists what people asked for and nobody has done yet, the oldest first; 500 at most.';

create or replace function public.ops_close_privacy_request(
    p_person text,
    p_kind text,
    p_outcome text,
    p_now timestamptz default null,
    p_by text default null
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_closed integer;
begin
    perform ops.hold_functions();
    update ops.privacy_requests as known
    set closed_at = coalesce(p_now, now()), outcome = p_outcome
    where known.person = p_person and known.kind = p_kind and known.closed_at is null;
    get diagnostics v_closed = row_count;
    -- What was done is written by whoever did it.
    if v_closed > 0 and p_outcome = 'refused' then
        perform ops.write_audit(
            'request.refused', p_by, left(format('user %s: %s', p_person, p_kind), 200), null
        );
    end if;
    return jsonb_build_object('closed', v_closed > 0);
end
$$;

comment on function public.ops_close_privacy_request(text, text, text, timestamptz, text) is
    'Notes that what somebody asked for was done or refused, and returns whether anything was asked for.';
