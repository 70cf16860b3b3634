//! `/api/monitoring/dashboard`

use std::process::ExitCode;

use ops::{edge, endpoint::Endpoint, monitoring::dashboard};

fn main() -> ExitCode {
    edge::serve(Endpoint::Dashboard, dashboard::handle)
}
