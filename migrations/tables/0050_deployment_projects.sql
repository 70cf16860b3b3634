-- Whose deployments they are: a team's webhooks tell of all its projects, and only those of the
-- watched app say anything of its users.

alter table ops.deployments add column project text;

comment on column ops.deployments.project is 'The platform''s id of the project; null where it was not told, as in rows of before there was this column, which count as the app''s.';
