//! `/api/monitoring/dashboard`

use std::process::ExitCode;

use ops::{edge, monitoring::dashboard};

fn main() -> ExitCode {
    edge::serve(dashboard::routes())
}
