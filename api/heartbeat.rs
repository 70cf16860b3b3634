//! `/api/heartbeat`

use std::process::ExitCode;

use ops::{edge, monitoring::heartbeat};

fn main() -> ExitCode {
    edge::serve(heartbeat::routes())
}
