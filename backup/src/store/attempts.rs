//! The attempts at one request: whether a failure may pass, and how long to wait
//! until the next one.

use std::{error::Error, io, time::Duration};

use outside::{clock, failure::Failure};
use uuid::Uuid;

use super::{StoreError, http_connector::Status};

/// How often one request is made before it is given up.
const ATTEMPTS: u32 = 5;

/// What is waited at most before the second attempt; each wait may be twice the
/// one before.
const FIRST_WAIT: Duration = Duration::from_millis(200);

/// What a request that failed may have led to.
enum Trouble {
    /// It will fail again.
    Final(StoreError),
    /// It may have worked, or may work the next time.
    Passing(String),
}

/// Why a request failed, if it may have worked nevertheless, or may work the
/// next time; else the error that ends it.
pub(super) fn passing(path: &str, error: &object_store::Error) -> Result<String, StoreError> {
    match trouble(path, error) {
        Trouble::Passing(reason) => Ok(reason),
        Trouble::Final(error) => Err(error),
    }
}

/// The same of a write that is to create an object and not to replace one.
pub(super) fn passing_creation(
    path: &str,
    error: &object_store::Error,
) -> Result<String, StoreError> {
    if is_not_implemented(error) {
        return Err(StoreError::CannotCreate);
    }
    passing(path, error)
}

/// What a store answered, for people.
pub(super) fn in_words(error: &object_store::Error) -> String {
    match trouble("", error) {
        Trouble::Final(error) => error.what(),
        Trouble::Passing(reason) => reason,
    }
}

/// The attempts at one request.
#[derive(Debug, Default)]
pub(super) struct Attempts(u32);

impl Attempts {
    /// Waits before the next attempt.
    pub(super) async fn wait(&mut self, path: &str, reason: String) -> Result<(), StoreError> {
        self.0 += 1;
        if self.0 >= ATTEMPTS {
            return Err(StoreError::Failing {
                path: path.into(),
                reason,
            });
        }
        let most = FIRST_WAIT * 2_u32.pow(self.0 - 1);
        // A store that sheds load must not be asked again by everybody at once.
        clock::wait(most / 2 + most.mul_f64(f64::from(random_byte()) / 512.0)).await;
        Ok(())
    }

    /// Waits before the next attempt, unless the failure is final.
    pub(super) async fn again(
        &mut self,
        path: &str,
        error: &object_store::Error,
    ) -> Result<(), StoreError> {
        self.wait(path, passing(path, error)?).await
    }
}

fn random_byte() -> u8 {
    Uuid::new_v4().into_bytes()[0]
}

fn trouble(path: &str, error: &object_store::Error) -> Trouble {
    use object_store::Error as E;
    if is_full(error) {
        return Trouble::Final(StoreError::Full { path: path.into() });
    }
    let refused = |reason: &str| {
        Trouble::Final(StoreError::Refused {
            path: path.into(),
            reason: reason.into(),
        })
    };
    match error {
        E::PermissionDenied { .. } => refused("permission is denied"),
        E::Unauthenticated { .. } => refused("the credentials are not accepted"),
        E::NotFound { .. } => refused("the bucket or folder does not exist"),
        E::NotImplemented { .. } | E::NotSupported { .. } => refused("it cannot do that"),
        E::AlreadyExists { .. } | E::Precondition { .. } | E::NotModified { .. } => {
            Trouble::Passing("it says that something is there already".into())
        }
        E::InvalidPath { .. } => refused("it does not accept the path"),
        // The enum is another crate's: what is left are failures of transport
        // and answers that tell of a passing condition, or an unknown one.
        _ => match (cause::<Status>(error), io_kind(error)) {
            (Some(status), _) if status.is_passing() => Trouble::Passing(status.to_string()),
            (Some(status), _) => refused(&status.to_string()),
            (None, Some(io::ErrorKind::PermissionDenied)) => refused("permission is denied"),
            (None, Some(io::ErrorKind::ReadOnlyFilesystem)) => refused("it is read-only"),
            (None, Some(kind)) => Trouble::Passing(kind.to_string()),
            (None, None) => Trouble::Passing(match cause::<Failure>(error) {
                Some(failure) => failure.to_string(),
                None => "no usable answer".into(),
            }),
        },
    }
}

fn is_not_implemented(error: &object_store::Error) -> bool {
    use object_store::Error as E;
    matches!(error, E::NotImplemented { .. } | E::NotSupported { .. })
        || cause::<Status>(error).is_some_and(Status::is_not_implemented)
}

fn io_kind(error: &object_store::Error) -> Option<io::ErrorKind> {
    causes(error).find_map(|cause| Some(cause.downcast_ref::<io::Error>()?.kind()))
}

fn is_full(error: &object_store::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(
        io_kind(error),
        Some(StorageFull | QuotaExceeded | FileTooLarge)
    )
}

fn cause<T: Error + Copy + 'static>(error: &object_store::Error) -> Option<T> {
    causes(error).find_map(|cause| cause.downcast_ref::<T>().copied())
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}
