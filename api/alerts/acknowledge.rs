//! `/api/alerts/acknowledge`

use std::process::ExitCode;

use ops::{alerts::acknowledge, edge, endpoint::Endpoint};

fn main() -> ExitCode {
    edge::serve(Endpoint::Acknowledge, acknowledge::handle)
}
