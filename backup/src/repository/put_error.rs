//! Why something could not be put into the store.

use crate::{format::FormatError, seal::SealError, store::StoreError};

/// Why a segment could not be stored.
#[derive(Debug, thiserror::Error)]
pub enum PutError {
    /// The store did not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It could not be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// It cannot be described.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// The program is ending.
    #[error("the backup was cut short")]
    Cancelled,
}
