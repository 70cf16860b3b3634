//! Evidence: a signed receipt of everything that was done with backups, in the store beside them.
//!
//! A receipt is an object that is written once: a DSSE envelope around a statement of in-toto, so
//! that stock tools verify it with the public key that lies in the store, and nobody needs a key
//! that decrypts anything. Each names the hashes of the receipts before it, as whoever wrote it
//! knew them, so that one that is missing or altered is found. Two writers at once make a fork,
//! which the next receipt joins by naming both.
//!
//! - `signing`: the key of a repository, and the public half of it
//! - `envelope`: what is signed, and how that is written
//! - `receipt`: a fact, and the statement about it
//! - [`chain`]: what receipts come to, one behind the other; pure
//! - [`writing`], [`reading`]: receipts in the store

pub mod chain;
mod envelope;
pub mod reading;
mod receipt;
mod signing;
pub mod writing;

pub use envelope::{EnvelopeError, PAYLOAD_TYPE};
pub use receipt::{Fact, PREDICATE_TYPE, Receipt, ReceiptError, Subject};
pub use signing::{PublicKey, SigningError, SigningKey};
