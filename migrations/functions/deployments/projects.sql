-- Whose deployments are told. A team's webhooks tell of all its projects; which of these is the
-- watched app and which is this bundle, the readings of the projects say.

create or replace function ops.watched_projects(out app text, out own text)
language plpgsql
stable
set search_path = ''
as $$
begin
    app := (ops.newest_reading('app_project')).document ->> 'id';
    own := (ops.newest_reading('own_project')).document ->> 'id';
end
$$;

comment on function ops.watched_projects() is
    'The platform''s ids of the watched app''s project and of this bundle''s; null where none was read.';

create or replace function ops.whose_deployment(p_project text, p_app text, p_own text)
returns text
language plpgsql
immutable
set search_path = ''
as $$
begin
    return case
        when p_project = p_own then 'own'
        when p_project <> p_app then 'other'
        -- Told of no project, or read of none: as far as anybody knows it is the app's.
        else 'app'
    end;
end
$$;

comment on function ops.whose_deployment(text, text, text) is
    'Whose a deployment of a project is: the app''s, this bundle''s own, or some other''s of the team. Of what is not known to be another''s it is the app''s.';

create or replace function ops.list_deployments(
    p_whose text,
    p_environment text,
    p_from timestamptz,
    p_to timestamptz
)
returns setof ops.deployments
language plpgsql
stable
set search_path = ''
as $$
begin
    return query
    select event.*
    from ops.watched_projects() as projects
    cross join ops.deployments as event
    where event.environment = p_environment
        and event.at > p_from
        and event.at <= p_to
        and ops.whose_deployment(event.project, projects.app, projects.own) = p_whose;
end
$$;

comment on function ops.list_deployments(text, text, timestamptz, timestamptz) is
    'What was told of somebody''s deployments to an environment, app or own, after a time and up to another.';
