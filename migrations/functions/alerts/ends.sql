-- How an alert ended, where it did not end because what was bad is good again: somebody
-- closed it, or what it was about is no longer watched. A message must not say then that all
-- is well.

create or replace function ops.make_end(p_how text, p_by text, p_note text)
returns jsonb
language sql
immutable
parallel safe
set search_path = ''
as $$
    select jsonb_build_object('ended', jsonb_build_object('how', p_how, 'by', p_by, 'note', p_note))
$$;

comment on function ops.make_end(text, text, text) is
    'Returns the fact that an alert was closed, or is unwatched, with who did that and why, as far as that is known.';

create or replace function ops.unwatched_by(p_rule text, p_subject text, p_since timestamptz)
returns text
language plpgsql
stable
set search_path = ''
as $$
begin
    return case
        when p_rule in ('check_failing', 'check_slow') then (
            select change.changed_by
            from ops.check_changes as change
            where change.name = p_subject and change.changed_at >= p_since
            order by change.changed_at desc, change.id desc
            limit 1
        )
        when p_rule in ('app_down', 'app_slow', 'certificate_urgent', 'certificate_expiring') then (
            select change.changed_by
            from ops.setting_changes as change
            where change.key = 'app.urls' and change.changed_at >= p_since
            order by change.changed_at desc, change.id desc
            limit 1
        )
    end;
end
$$;

comment on function ops.unwatched_by(text, text, timestamptz) is
    'Returns who changed since then what is watched, so that the subject of a rule no longer is; null if that is not known.';

create or replace function ops.end_of(p_observation ops.observation, p_alert uuid)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
    return case
        when p_observation.facts ->> 'reason' = 'removed' then ops.make_end(
            'unwatched',
            ops.unwatched_by(
                p_observation.rule, p_observation.subject,
                (select first_bad_at from ops.alerts where id = p_alert)
            ),
            null
        )
        else '{}'
    end;
end
$$;

comment on function ops.end_of(ops.observation, uuid) is
    'Returns how an alert ends by a good observation: nothing where it is good again, else that its subject is no longer watched.';
