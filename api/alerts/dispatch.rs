//! `/api/alerts/dispatch`

use std::process::ExitCode;

use ops::{alerts, edge};

fn main() -> ExitCode {
    edge::serve(alerts::routes())
}
