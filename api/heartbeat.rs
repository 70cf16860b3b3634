//! `/api/heartbeat`

use std::process::ExitCode;

use ops::{edge, endpoint::Endpoint, monitoring::heartbeat};

fn main() -> ExitCode {
    edge::serve(Endpoint::Heartbeat, heartbeat::handle)
}
