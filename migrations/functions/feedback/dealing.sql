-- What people wrote, as callers see it, and what is done about it.

create or replace function ops.feedback_document(p_feedback ops.feedback)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_build_object(
        'id', p_feedback.id,
        'at', p_feedback.at,
        'source', p_feedback.source,
        'environment', p_feedback.environment,
        'release', p_feedback.release,
        'person', p_feedback.person,
        'page', p_feedback.page,
        'message', p_feedback.message,
        'status', p_feedback.status,
        -- Where they are reached stays here until somebody answers them.
        'reachable', p_feedback.contact is not null,
        'issue', (
            select jsonb_build_object('id', known.id, 'title', known.title, 'status', known.status)
            from ops.issues as known
            where known.id = p_feedback.issue
        ),
        'incident', (select known.number from ops.incidents as known where known.id = p_feedback.incident),
        'answer', p_feedback.answer,
        'answeredAt', p_feedback.answered_at,
        'answeredBy', p_feedback.answered_by,
        'mailedAt', p_feedback.mailed_at,
        'closedAt', p_feedback.closed_at,
        'closedBy', p_feedback.closed_by,
        'note', p_feedback.note
    )
$$;

comment on function ops.feedback_document(ops.feedback) is
    'Returns feedback as callers see it: without where the person is reached.';

create or replace function ops.find_feedback(p_feedback uuid)
returns ops.feedback
language plpgsql
stable
set search_path = ''
as $$
declare
    v_feedback ops.feedback;
begin
    select * into v_feedback from ops.feedback where id = p_feedback;
    if not found then
        perform ops.refuse('feedback', 'the id of feedback', p_feedback::text);
    end if;
    return v_feedback;
end
$$;

comment on function ops.find_feedback(uuid) is 'Returns feedback. Refuses with SQLSTATE 22023 what is none.';

create or replace function public.ops_list_feedback(p_status text default 'open', p_limit integer default 50)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
    perform ops.check_word('status', p_status, array['open', 'closed', 'all']);
    perform ops.check_number('limit', p_limit, 1, 500);
    return jsonb_build_object(
        'feedback', (
            select coalesce(jsonb_agg(ops.feedback_document(latest) order by latest.at desc, latest.id), '[]')
            from (
                select *
                from ops.feedback
                where p_status in (status, 'all')
                order by at desc, id
                limit p_limit
            ) as latest
        ),
        'more', (select greatest(0, count(*) - p_limit) from ops.feedback where p_status in (status, 'all'))
    );
end
$$;

comment on function public.ops_list_feedback(text, integer) is
    'Lists feedback that is open, closed or either, the newest first, and says how much more there is.';

create or replace function public.ops_show_feedback(p_feedback uuid)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
    return ops.feedback_document(ops.find_feedback(p_feedback));
end
$$;

comment on function public.ops_show_feedback(uuid) is 'Returns one piece of feedback.';

create or replace function ops.dashboard_feedback(p_environment text)
returns jsonb
language sql
stable
set search_path = ''
as $$
    select jsonb_build_object(
        'open', count(*),
        'unanswered', count(*) filter (where contact is not null and mailed_at is null)
    )
    from ops.feedback
    where status = 'open' and environment = p_environment
$$;

comment on function ops.dashboard_feedback(text) is
    'How many pieces of feedback of an environment are open now, and how many of them their writers wait to be answered.';

create or replace function public.ops_change_feedback(
    p_feedback uuid,
    p_action text,
    p_text text,
    p_by text,
    p_now timestamptz default null
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_by text;
    v_feedback ops.feedback;
begin
    perform ops.hold_functions();
    perform ops.check_word('action', p_action, array['answer', 'mailed', 'close']);
    v_by := ops.check_by(p_by);
    if p_action = 'answer' or p_text is not null then
        perform ops.check_length('text', btrim(p_text), 5000);
    end if;
    v_feedback := ops.find_feedback(p_feedback);
    if p_action <> 'close' and v_feedback.status = 'closed' then
        perform ops.refuse('feedback', 'feedback that is open', 'feedback that was closed');
    end if;
    case p_action
        when 'answer' then
            update ops.feedback
            set answer = btrim(p_text), answered_at = v_now, answered_by = v_by, mailed_at = null
            where id = p_feedback
            returning * into v_feedback;
            -- Whoever answers has to know where.
            return ops.feedback_document(v_feedback) || jsonb_build_object('contact', v_feedback.contact);
        when 'mailed' then
            update ops.feedback
            set mailed_at = v_now
            where id = p_feedback and answer is not null
            returning * into v_feedback;
        else
            update ops.feedback
            set
                status = 'closed', contact = null, note = coalesce(btrim(p_text), note),
                closed_at = coalesce(closed_at, v_now), closed_by = coalesce(closed_by, v_by)
            where id = p_feedback
            returning * into v_feedback;
    end case;
    return ops.feedback_document(ops.find_feedback(p_feedback));
end
$$;

comment on function public.ops_change_feedback(uuid, text, text, text, timestamptz) is
    'Answers feedback, notes that the answer was mailed, or closes it, which erases where the person is reached; returns it, and with an answer where it goes.';
