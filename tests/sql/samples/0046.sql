insert into ops.own_reports (client, hour, requests) values ('a', '2026-11-24T12:00:00Z', 1);
