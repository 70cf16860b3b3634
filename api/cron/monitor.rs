//! `/api/cron/monitor`

use std::process::ExitCode;

use ops::{edge, monitoring};

fn main() -> ExitCode {
    edge::serve(monitoring::routes())
}
