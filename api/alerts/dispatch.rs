//! `/api/alerts/dispatch`

use std::process::ExitCode;

use ops::{alerts, edge, endpoint::Endpoint};

fn main() -> ExitCode {
    edge::serve(Endpoint::Dispatch, alerts::handle)
}
