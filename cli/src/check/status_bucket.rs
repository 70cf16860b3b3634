//! Whether the status page's copy can be written where it shall lie, and read again.

use backup::store::Store;
use outside::outbound::Outbound;

use super::finding::{Finding, Level};
use crate::environment::Environment;

const SUBJECT: &str = "status copy";

/// The object that is written and read. It says nothing, and stays.
const PROBE: &str = "pourtrait-check.txt";

/// None where no copy is wanted.
pub(super) async fn look(environment: &Environment) -> Option<Finding> {
    let copy = environment.config().status_copy?;
    let store = Store::open(
        copy.url.as_str(),
        copy.credentials.as_ref(),
        &Outbound::default(),
    );
    let store = match store {
        Ok(store) => store,
        Err(error) => return Some(Finding::new(Level::Error, SUBJECT, error.to_string())),
    };
    let bytes: &'static [u8] = b"written by `pourtrait check`\n";
    // It is read back there.
    Some(match store.put_over(PROBE, bytes.into()).await {
        Ok(()) => Finding::new(Level::Ok, SUBJECT, "its bucket takes and gives"),
        Err(error) => {
            let text = format!("its bucket cannot be written and read: {error}");
            Finding::new(Level::Error, SUBJECT, text)
        }
    })
}
