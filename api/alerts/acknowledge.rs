//! `/api/alerts/acknowledge`

use std::process::ExitCode;

use ops::{alerts::acknowledge, edge};

fn main() -> ExitCode {
    edge::serve(acknowledge::routes())
}
