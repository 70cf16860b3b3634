-- The jobs are known before they first run, so that the dashboard can show that they do not.

insert into ops.jobs (job, every_seconds)
values
    ('monitor', 60),
    ('backup', 1800),
    ('maintenance', 600)
on conflict (job) do nothing;
