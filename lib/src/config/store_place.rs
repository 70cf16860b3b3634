//! A store that variables name: its URL, and what proves that one may use it.

use backup::store::{Credentials, OpenError, Store};
use outside::outbound::Outbound;
use url::Url;

use super::backups::{FLEETING, store};
use crate::variables::Reader;

/// A store.
#[derive(Debug, Clone)]
pub struct StorePlace {
    /// A folder (`file:`) or a bucket (`s3:`), without a password.
    pub url: Url,
    /// Proof for the bucket; a folder needs none.
    pub credentials: Option<Credentials>,
}

/// The variables that name a store.
pub(super) struct Named {
    pub(super) url: &'static str,
    pub(super) key_id: &'static str,
    pub(super) secret: &'static str,
    /// What is said where the URL itself holds a key.
    pub(super) with_key: &'static str,
}

impl StorePlace {
    /// What people call it, and what is kept of it: the URL without how it is reached.
    #[must_use]
    pub fn name(&self) -> &str {
        self.url.as_str().split('?').next().unwrap_or_default()
    }

    /// Opens it.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(&self, outbound: &Outbound) -> Result<Store, OpenError> {
        Store::open(self.url.as_str(), self.credentials.as_ref(), outbound)
    }
}

impl Named {
    /// Whether any of them is set: then the store is wanted.
    pub(super) fn is_wanted(&self, read: &Reader) -> bool {
        read.first(&[self.url, self.key_id, self.secret]).is_some()
    }

    /// The store; what is missing or of no use is a fault each.
    pub(super) fn read(&self, read: &mut Reader) -> Option<StorePlace> {
        read.require(self.url);
        let fleeting = read.first(&FLEETING).is_some();
        let text = read.text(self.url)?;
        let url = read.keep(self.url, store(&text, fleeting, self.with_key))?;
        let is_bucket = url.scheme() == "s3";
        if is_bucket {
            read.require(self.key_id);
            read.require(self.secret);
        }
        let id = read.text(self.key_id);
        let secret = read.key(self.secret);
        let credentials = id.zip(secret).map(|(id, secret)| Credentials {
            key_id: id.into(),
            secret,
        });
        if is_bucket {
            credentials.as_ref()?;
        }
        Some(StorePlace { url, credentials })
    }
}
