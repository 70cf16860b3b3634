//! `/api/status`

use std::process::ExitCode;

use ops::{edge, status};

fn main() -> ExitCode {
    edge::serve(status::routes())
}
