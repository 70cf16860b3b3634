//! Web Push: a message to a browser by the push service of its vendor, without an account
//! anywhere. A browser hands out a [`Subscription`]; what is sent there is encrypted to it
//! (RFC 8291), by somebody whom it knows by a key (RFC 8292, `vapid_key`), in one request
//! (`push_request`, RFC 8030).
//!
//! All of it rests on ring, the one provider of the bundle. The libraries of the field bring
//! a second one, and a third for the tokens. `p256`, which `age` brings, does what ring does
//! not: it makes the public half of a key that was kept as its private half alone, and tells
//! a point of the curve from what is none.

mod encryption;
mod push_request;
mod subscription;
mod vapid_key;

use url::Url;

pub use self::{
    encryption::PLAIN_LIMIT,
    push_request::{Outcome, Push, Urgency},
    subscription::Subscription,
    vapid_key::VapidKey,
};
use crate::variables::Reader;

/// Who sends, and to which push services.
#[derive(Debug)]
pub struct WebPush {
    key: VapidKey,
    /// Whom a push service tells of trouble: `https:` or `mailto:`.
    contact: String,
    /// A push service beside those that are known.
    named_service: Option<Url>,
}

impl WebPush {
    /// Opens it if there is a key. What is wrong with the variables is noted.
    pub(crate) fn open(read: &mut Reader) -> Option<Self> {
        let key = read.text("VAPID_PRIVATE_KEY")?;
        let key = read.keep("VAPID_PRIVATE_KEY", VapidKey::parse(&key));
        let named_service = read.url(&["PUSH_SERVICE_URL"]);
        let contact = contact(read);
        if contact.is_none() {
            read.missing("BASE_URL");
        }
        Some(Self {
            key: key?,
            contact: contact?,
            named_service,
        })
    }

    /// What a page gives its browser as `applicationServerKey`: 65 bytes in base64url.
    #[must_use]
    pub fn public_key(&self) -> &str {
        self.key.public_key()
    }

    /// Reads a subscription as a browser writes it.
    ///
    /// # Errors
    /// What is wrong with it, without what it holds.
    pub fn subscription(&self, json: &serde_json::Value) -> Result<Subscription, &'static str> {
        Subscription::read(json, self.named_service.as_ref())
    }
}

/// The bundle's own address where it is public, else that of whoever gets its emails.
fn contact(read: &Reader) -> Option<String> {
    let base = ["BASE_URL", "VERCEL_PROJECT_PRODUCTION_URL"]
        .iter()
        .find_map(|name| read.text(name))?;
    if let Some(host) = base.strip_prefix("https://") {
        return Some(format!("https://{}", host.trim_end_matches('/')));
    }
    if !base.contains("://") {
        return Some(format!("https://{base}"));
    }
    let addresses = read.text("ADMIN_EMAIL").unwrap_or_default();
    let first = addresses.split(',').next().unwrap_or_default();
    let address = match first.rsplit_once('<') {
        Some((_, rest)) => rest.trim_end().trim_end_matches('>'),
        None => first.trim(),
    };
    Some(if address.contains('@') {
        format!("mailto:{address}")
    } else {
        "mailto:nobody@localhost".to_owned()
    })
}

#[cfg(test)]
mod tests;
