-- A run that ended and one that is under way.
insert into ops.heartbeat_runs (heartbeat, run, started_at, ended_at, failed)
select name, run, started, ended_at, false
from ops.heartbeats
cross join (values
    ('a', timestamptz '2026-11-24T12:00:00Z', timestamptz '2026-11-24T12:05:00Z'),
    ('b', '2026-11-24T12:10:00Z', null)
) as runs (run, started, ended_at);
