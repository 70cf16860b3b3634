-- Planned maintenance as everybody may read it: the windows that somebody gave words for.

create or replace function ops.public_occurrences(
    p_window ops.maintenance_windows,
    p_now timestamptz,
    out id text,
    out span tstzrange,
    out state text
)
returns setof record
language sql
stable
set search_path = ''
as $$
    with spans as (
        select
            case
                when p_window.weekdays is null then ops.public_id(p_window.id::text)
                else ops.public_id(format('%s %s', p_window.id, extract(epoch from lower(occurrence))))
            end as id,
            occurrence as span,
            null::text as state
        from ops.occurrences(p_window, p_now - interval '30 days', p_now + interval '400 days') as occurrence

        union all
        -- A calendar that has it hears that it will not be.
        select ops.public_id(p_window.id::text), tstzrange(p_window.starts_at, p_window.ends_at), 'cancelled'
        where p_window.weekdays is null
            and p_window.removed_at <= p_window.starts_at
            and p_window.removed_at > p_now - interval '30 days'
            and p_window.starts_at > p_now - interval '30 days'
            and p_window.ends_at < p_now + interval '400 days'
    )
    select
        spans.id,
        spans.span,
        coalesce(spans.state, case
            when upper(spans.span) <= p_now then 'over'
            when lower(spans.span) <= p_now then 'active'
            else 'planned'
        end)
    from spans
    order by upper(spans.span) <= p_now, case when upper(spans.span) > p_now then lower(spans.span) end, lower(spans.span) desc
    limit 10
$$;

comment on function ops.public_occurrences(ops.maintenance_windows, timestamptz) is
    'The occurrences of a window that the page shows: ten at most, those to come first.';

create or replace function ops.public_maintenances(p_components ops.components[], p_now timestamptz)
returns jsonb
language sql
stable
set search_path = ''
as $$
    with shown as (
        select
            occurrence.*,
            announced.public_title,
            announced.public_words,
            announced.published_at,
            announced.removed_at,
            announced.public_changes,
            array(
                select component.slug
                from unnest(p_components) as component
                where ops.window_concerns(announced, component)
                order by component.position, component.slug
            ) as components
        from ops.maintenance_windows as announced
        cross join lateral ops.public_occurrences(announced, p_now) as occurrence
        where announced.public_words is not null
            and announced.ends_at > p_now - interval '30 days'
            and announced.starts_at < p_now + interval '400 days'
        order by lower(occurrence.span) desc
        limit 50
    )
    select coalesce(
        jsonb_agg(
            jsonb_build_object(
                'id', shown.id,
                'title', shown.public_title,
                'words', left(shown.public_words, 5000),
                'from', lower(shown.span),
                'to', upper(shown.span),
                'state', shown.state,
                'components', to_jsonb(shown.components),
                'sequence', shown.public_changes,
                'publishedAt', least(shown.published_at, p_now),
                'updatedAt', greatest(shown.published_at, shown.removed_at)
            )
            order by lower(shown.span), shown.id
        ),
        '[]'
    )
    from shown
$$;

comment on function ops.public_maintenances(ops.components[], timestamptz) is
    'The maintenance that was made public: what is planned, what goes on, and what was or was cancelled in the last 30 days.';

create or replace function public.ops_publish_maintenance(
    p_id uuid,
    p_title text,
    p_words text,
    p_by text,
    p_now timestamptz default null
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_now timestamptz := coalesce(p_now, now());
    v_title text;
    v_words text;
    v_window ops.maintenance_windows;
begin
    perform ops.hold_functions();
    perform ops.check_by(p_by);
    v_words := ops.check_text('public', p_words, 2000);
    if p_title is not null then
        v_title := ops.check_text('title', p_title, 200);
    end if;
    update ops.maintenance_windows
    set
        public_title = v_title,
        public_words = v_words,
        published_at = v_now,
        public_changes = public_changes + case when public_words is null then 0 else 1 end
    where id = p_id
        and removed_at is null
        and (public_title, public_words) is distinct from (v_title, v_words);
    if found then
        perform ops.write_audit(
            'status.written', p_by, p_id::text, jsonb_build_object('title', v_title, 'words', v_words)
        );
    end if;

    select * into v_window from ops.maintenance_windows where id = p_id and removed_at is null;
    if not found then
        perform ops.refuse('id', 'the id of a maintenance window that was not removed', p_id::text);
    end if;
    return ops.maintenance_document(v_window, v_now);
end
$$;

comment on function public.ops_publish_maintenance(uuid, text, text, text, timestamptz) is
    'Makes a maintenance window public with these words, or changes them. The same again changes nothing.';
