-- A deployment that was built and made production.
insert into ops.deployments (id, at, key, event, deployment, environment, commit, branch, by)
values
    ('00000000-0000-4000-8000-000000002801', '2026-11-24T11:58:00Z', 1, 'succeeded', 'dpl_1', 'preview', 'c20a55c', 'main', 'usr_1'),
    ('00000000-0000-4000-8000-000000002802', '2026-11-24T12:00:00Z', 1, 'promoted', 'dpl_1', 'production', null, null, null);
