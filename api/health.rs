//! `/api/health`

use std::process::ExitCode;

use ops::{edge, endpoint::Endpoint, health};

fn main() -> ExitCode {
    edge::serve(Endpoint::Health, health::handle)
}
