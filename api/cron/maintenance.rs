//! `/api/cron/maintenance`

use std::process::ExitCode;

use ops::{edge, endpoint::Endpoint, monitoring::maintenance};

fn main() -> ExitCode {
    edge::serve(Endpoint::Maintenance, maintenance::handle)
}
