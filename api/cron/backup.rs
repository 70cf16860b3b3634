//! `/api/cron/backup`

use std::process::ExitCode;

use ops::{backups, edge};

fn main() -> ExitCode {
    edge::serve(backups::routes())
}
