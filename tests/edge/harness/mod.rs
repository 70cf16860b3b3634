//! Both platforms, and Sentry, as the functions see them.

pub(crate) mod aws;
pub(crate) mod http;
pub(crate) mod process;
pub(crate) mod sentry;
pub(crate) mod vercel;

use std::{future::Future, time::Duration};

/// How long anything may take here before a test fails instead of hanging.
const PATIENCE: Duration = Duration::from_secs(10);

/// Waits for something that has to happen.
#[track_caller]
pub(crate) fn expect<T>(what: &str, future: impl Future<Output = T>) -> impl Future<Output = T> {
    let awaited = tokio::time::timeout(PATIENCE, future);
    async move {
        awaited
            .await
            .unwrap_or_else(|_| panic!("{what} within {PATIENCE:?}"))
    }
}
