-- Times are counted in every other bucket: a percentile adds up half as many numbers, and is
-- within 2 % instead of 1 %. Nothing has to be converted: what was counted in odd buckets is
-- read with the even ones above. And figures are also added up by four weeks, so that a long
-- range is few rows.

comment on table ops.figures is 'What the application wrote, by minute, hour, day, week and four weeks in UTC. A figure is added to, and never computed anew.';
comment on column ops.figures.buckets is 'The buckets of the numbers, ascending: number n, which is even, holds what is above 1.0202 ^ (n - 2), up to 1.0202 ^ n; -2000 holds 0. Rows of before hold odd numbers too, for half of that.';

-- Nobody but the roll-up writes here, and it waits for the exchange of the functions anyway;
-- whoever reads waits as long as the rows are looked at once.
-- squawk-ignore ban-drop-constraint
alter table ops.figures drop constraint figures_grain_check;
alter table ops.figures
    add constraint figures_grain_check check (grain in (60, 3600, 86400, 604800, 2419200)) not valid;
-- squawk-ignore constraint-missing-not-valid
alter table ops.figures validate constraint figures_grain_check;
