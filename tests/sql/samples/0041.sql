insert into ops.check_runs (run, deployment, key, received_at) values ('run_1', 'dpl_1', 1, '2026-11-24T12:00:00Z');
