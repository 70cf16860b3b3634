insert into ops.door_totals (outcome, name, items) values ('taken', '1', 12), ('dropped', 'sentry', 3);
