//! `/api/cron/monitor`

use std::process::ExitCode;

use ops::{edge, endpoint::Endpoint, monitoring};

fn main() -> ExitCode {
    edge::serve(Endpoint::Monitor, monitoring::handle)
}
