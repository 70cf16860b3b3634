//! `/api/health`

use std::process::ExitCode;

use ops::{edge, health};

fn main() -> ExitCode {
    edge::serve(health::routes())
}
