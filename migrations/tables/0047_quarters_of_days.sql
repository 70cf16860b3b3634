-- Figures are also added up by six hours: a window that begins within a day took its hours
-- one by one, up to twenty-three of each name.

comment on table ops.figures is 'What the application wrote, by minute, hour, six hours, day, week and four weeks in UTC. A figure is added to, and never computed anew.';

-- Nobody but the roll-up writes here, and it waits for the exchange of the functions anyway;
-- whoever reads waits as long as the rows are looked at once.
-- squawk-ignore ban-drop-constraint
alter table ops.figures drop constraint figures_grain_check;
alter table ops.figures
    add constraint figures_grain_check check (grain in (60, 3600, 21600, 86400, 604800, 2419200)) not valid;
-- squawk-ignore constraint-missing-not-valid
alter table ops.figures validate constraint figures_grain_check;
