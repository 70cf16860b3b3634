//! `/api/account`

use std::process::ExitCode;

use ops::{account, edge};

fn main() -> ExitCode {
    edge::serve(account::routes())
}
