-- What an older release rolled up is in no figure that it did not know.

select ops.make_up_figures(3600, 21600);
select ops.make_up_figures(604800, 2419200);
