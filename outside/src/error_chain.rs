//! What stands behind an error.

use std::error::Error;

/// An error and everything behind it. An `io::Error` hides the error it wraps
/// from `source`, and TLS failures arrive in one.
pub(crate) fn causes<'a>(
    error: &'a (dyn Error + 'static),
) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    fn behind<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
        let wrapped = error
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref);
        wrapped
            .map(|inner| inner as &(dyn Error + 'static))
            .or_else(|| error.source())
    }
    std::iter::successors(Some(error), |error| behind(*error))
}
