//! `/api/cron/backup`

use std::process::ExitCode;

use ops::{backup, edge, endpoint::Endpoint};

fn main() -> ExitCode {
    edge::serve(Endpoint::Backup, backup::handle)
}
