//! What a provider brings back: who answered which alert, by a button, a digit or a
//! reply.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, header};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// A call of a provider, as it came.
#[derive(Debug, Clone, Copy)]
pub struct Callback<'a> {
    /// The address that was called, whole: some providers sign it.
    pub url: &'a str,
    /// Its headers.
    pub headers: &'a HeaderMap,
    /// Its body.
    pub body: &'a [u8],
}

impl Callback<'_> {
    /// A header's text; nothing where it is no text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// What a call says whose proof was right.
#[derive(Debug)]
pub struct CalledBack {
    /// What people answered; a call may hold nothing that concerns us.
    pub answers: Vec<ProviderAnswer>,
    /// How the provider is answered.
    pub reply: Reply,
}

/// What somebody answered by way of a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderAnswer {
    /// Which alert it is about.
    pub about: About,
    /// What it does.
    pub does: Does,
    /// Who answered, as far as the provider says.
    pub by: Option<String>,
    /// The provider's name of what happened: however often it is told, it acts once.
    pub event: String,
}

impl ProviderAnswer {
    /// The request by which the database knows this answer again.
    #[must_use]
    pub fn request(&self, channel: &str) -> Uuid {
        let hash = Sha256::digest(format!("{channel} {}", self.event));
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash[..16]);
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }
}

/// Which alert an answer is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    /// That one.
    Alert(Uuid),
    /// The one of a message, whose answer counts once.
    Message {
        /// Which alert.
        alert: Uuid,
        /// By which message.
        message: Uuid,
    },
    /// The one that a message carried by that token of ours.
    Token(String),
    /// One of those that this address was told of, by the code in the message; the only
    /// one where there is no code.
    Address {
        /// The phone number.
        address: String,
        /// The code.
        code: Option<String>,
    },
}

/// What an answer does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Does {
    /// It acknowledges.
    Acknowledge,
    /// It resolves.
    Resolve,
}

/// How a provider is answered, given what came of it in words.
#[derive(Debug)]
pub struct Reply {
    /// The media type.
    pub media_type: &'static str,
    /// The body, of what the call is known by and of the words.
    pub body: fn(&str, &str) -> String,
    /// What the call is known by.
    pub id: String,
}

impl Reply {
    /// Nothing more than that it came.
    pub(super) fn empty() -> Self {
        Self {
            media_type: "text/plain",
            body: |_, _| String::new(),
            id: String::new(),
        }
    }

    /// The answer that says so.
    #[must_use]
    pub fn said(self, words: &str) -> Response<Bytes> {
        let body = (self.body)(&self.id, words);
        let mut response = Response::new(Bytes::from(body));
        response.headers_mut().insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static(self.media_type),
        );
        response
    }
}

/// Why a call is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// The channel brings nothing back, or the secret is missing that would prove it.
    Closed,
    /// The proof is wrong.
    Wrong,
    /// The proof is right, and the body is not what the provider documents.
    Unreadable,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_event_is_the_same_request_and_another_is_not() {
        let answer = |event: &str| ProviderAnswer {
            about: About::Alert(Uuid::nil()),
            does: Does::Acknowledge,
            by: None,
            event: event.to_owned(),
        };
        assert_eq!(answer("a").request("voice"), answer("a").request("voice"));
        assert_ne!(answer("a").request("voice"), answer("b").request("voice"));
        assert_ne!(answer("a").request("voice"), answer("a").request("sms"));
    }
}
