//! `/api/ingest`

use std::process::ExitCode;

use ops::{edge, ingest};

fn main() -> ExitCode {
    edge::serve(ingest::routes())
}
