-- What an older release rolled up is in no figure of four weeks.

select ops.add_up_four_weeks();
