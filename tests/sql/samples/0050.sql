-- Deployments of the watched app, of this bundle, and of a project that nobody watches.
insert into ops.deployments (id, at, key, event, deployment, environment, project)
values
    ('00000000-0000-4000-8000-000000005001', '2026-11-24T11:58:00Z', 1, 'promoted', 'dpl_app', 'production', 'prj_app'),
    ('00000000-0000-4000-8000-000000005002', '2026-11-24T11:59:00Z', 1, 'promoted', 'dpl_ops', 'production', 'prj_ops'),
    ('00000000-0000-4000-8000-000000005003', '2026-11-24T12:00:00Z', 1, 'promoted', 'dpl_other', 'production', 'prj_other');
