//! Receipts as they lie in the store, read without any key that decrypts.

use std::collections::BTreeSet;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use uuid::Uuid;

use super::{PublicKey, chain::Found, receipt};
use crate::{
    format::object_path,
    hex,
    store::{Store, StoreError},
};

/// How many are read at once.
const READS: usize = 16;

/// The public keys that lie in the store. What is no key is passed over with a warning: a receipt
/// that it should verify is a fault by itself.
///
/// # Errors
/// Why they cannot be read.
pub async fn keys(store: &Store) -> Result<Vec<PublicKey>, StoreError> {
    let mut keys = Vec::new();
    for listed in store.list(object_path::KEYS).await? {
        let text = store.get(&listed.path).await?;
        let key = PublicKey::parse_pem(&String::from_utf8_lossy(&text));
        match key {
            Ok(key) if object_path::public_key(&key.id()) == listed.path => keys.push(key),
            Ok(_) | Err(_) => {
                tracing::warn!(path = listed.path, "it is not the key that it should be");
            }
        }
    }
    Ok(keys)
}

/// A receipt with its text.
#[derive(Debug, Clone)]
pub struct Read {
    /// What it is.
    pub found: Found,
    /// As it lies in the store.
    pub text: Bytes,
}

/// Every receipt, in the order of paths, each held against these keys. `watch` is told how many
/// were read.
///
/// # Errors
/// Why they cannot be read.
pub async fn all(
    store: &Store,
    repo: Uuid,
    keys: &[PublicKey],
    watch: &mut (dyn FnMut(usize) + Send),
) -> Result<Vec<Read>, StoreError> {
    let listed = store.list(object_path::RECEIPTS).await?;
    let paths = listed.into_iter().map(|object| object.path).collect();
    these(store, repo, keys, paths, watch).await
}

/// The receipts at these paths, in the order of those.
pub(super) async fn these(
    store: &Store,
    repo: Uuid,
    keys: &[PublicKey],
    paths: BTreeSet<String>,
    watch: &mut (dyn FnMut(usize) + Send),
) -> Result<Vec<Read>, StoreError> {
    let reading = stream::iter(paths).map(async |path| {
        let text = store.get(&path).await?;
        Ok::<_, StoreError>(Read {
            found: found(path, &text, repo, keys),
            text,
        })
    });
    let mut reading = reading.buffered(READS);
    let mut read = Vec::new();
    while let Some(one) = reading.try_next().await? {
        read.push(one);
        watch(read.len());
    }
    Ok(read)
}

/// What lies at that path.
pub(super) fn found(path: String, text: &[u8], repo: Uuid, keys: &[PublicKey]) -> Found {
    let receipt = receipt::parse(&path, text, repo, keys);
    Found {
        sha256: hex::sha256(text),
        receipt: receipt.map_err(|error| error.to_string()),
        path,
    }
}
