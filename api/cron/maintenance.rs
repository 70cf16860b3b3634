//! `/api/cron/maintenance`

use std::process::ExitCode;

use ops::{edge, monitoring::maintenance};

fn main() -> ExitCode {
    edge::serve(maintenance::routes())
}
