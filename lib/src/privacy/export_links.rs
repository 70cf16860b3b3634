//! Links that hand out an export once, and what the database knows of exports.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jiff::Timestamp;
use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use url::Url;
use uuid::Uuid;

use crate::{
    hexadecimal::hexadecimal,
    rpc::{Call, Retry},
};

/// The page that a link leads to; what it proves stands behind `#`, which no server is sent.
const PAGE: &str = "your-data.html";

/// What a link proves: whoever has it may fetch one export, once.
#[derive(PartialEq, Eq)]
pub struct Token([u8; 32]);

impl Token {
    /// One that nobody has; `None` where the system has no randomness.
    #[must_use]
    pub fn random() -> Option<Self> {
        let mut bytes = [0; 32];
        SystemRandom::new().fill(&mut bytes).ok()?;
        Some(Self(bytes))
    }

    /// Reads what stands in a link.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text.trim()).ok()?;
        Some(Self(bytes.try_into().ok()?))
    }

    /// What the database keeps of it.
    #[must_use]
    pub fn hash(&self) -> String {
        hexadecimal(&Sha256::digest(self.0))
    }

    /// The link, for whoever may have it.
    #[must_use]
    pub fn link(&self, base: &Url) -> String {
        let base = base.as_str().trim_end_matches('/');
        format!("{base}/{PAGE}#{}", BASE64_URL_SAFE_NO_PAD.encode(self.0))
    }
}

/// What is to be done about exports.
#[derive(Debug, Serialize)]
pub(super) struct DueExports {}

/// What is due.
#[derive(Debug, Deserialize)]
pub(super) struct Due {
    /// Whose export is to be made next.
    pub(super) person: Option<String>,
    /// Whose files are to be deleted.
    pub(super) past: Vec<Uuid>,
}

impl Call for DueExports {
    const NAME: &'static str = "ops_due_exports";
    const RETRY: Retry = Retry::Read;
    type Output = Due;
}

/// Notes that one is being made.
#[derive(Debug, Serialize)]
pub(super) struct BeginExport {
    pub(super) p_export: Uuid,
    pub(super) p_person: String,
    pub(super) p_token_hash: String,
}

/// That one is being made.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Begun {
    /// Until when its link works.
    pub(super) expires_at: Timestamp,
}

impl Call for BeginExport {
    const NAME: &'static str = "ops_begin_export";
    const RETRY: Retry = Retry::Idempotent;
    type Output = Begun;
}

/// Notes what became of one.
#[derive(Debug, Serialize)]
pub(super) struct EndExport {
    pub(super) p_export: Uuid,
    pub(super) p_bytes: u64,
    pub(super) p_trouble: Option<String>,
}

/// Whether that was noted.
#[derive(Debug, Deserialize)]
pub(super) struct Noted {
    /// False where the person was erased meanwhile.
    pub(super) noted: bool,
}

impl Call for EndExport {
    const NAME: &'static str = "ops_end_export";
    const RETRY: Retry = Retry::Idempotent;
    type Output = Noted;
}

/// Notes that a file is gone.
#[derive(Debug, Serialize)]
pub(super) struct NoteRemoved {
    pub(super) p_export: Uuid,
}

impl Call for NoteRemoved {
    const NAME: &'static str = "ops_note_export_removed";
    const RETRY: Retry = Retry::Idempotent;
    type Output = Noted;
}

/// Uses a link, or one's own export.
#[derive(Debug, Serialize)]
pub struct FetchExport {
    /// The hash of what the link holds.
    pub p_token_hash: Option<String>,
    /// Whoever is signed in, where there is no link.
    pub p_person: Option<String>,
    /// False to see what using it would say.
    pub p_is_used: bool,
}

/// What comes of using a link.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "outcome", rename_all = "lowercase")]
pub enum Fetched {
    /// It is there, this once.
    Ready {
        /// Names the file.
        export: Uuid,
    },
    /// It was fetched before.
    Used,
    /// It is past its time.
    Expired,
    /// There is none.
    Unknown,
}

impl Call for FetchExport {
    const NAME: &'static str = "ops_fetch_export";
    // The second answer would be that it is used.
    const RETRY: Retry = Retry::Never;
    type Output = Fetched;
}

/// How somebody's export stands.
#[derive(Debug, Serialize)]
pub struct ShowExport {
    /// The number of the account.
    pub p_person: String,
}

/// How it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Stands {
    /// Since when one is asked for that is not there yet.
    pub asked_at: Option<Timestamp>,
    /// When the newest was ready.
    pub ready_at: Option<Timestamp>,
    /// Until when it can be fetched.
    pub expires_at: Option<Timestamp>,
    /// When it was.
    pub fetched_at: Option<Timestamp>,
}

impl Call for ShowExport {
    const NAME: &'static str = "ops_show_export";
    const RETRY: Retry = Retry::Read;
    type Output = Stands;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_read_back_and_another_text_is_none() {
        let base = Url::parse("https://ops.wine.example/").unwrap();
        let token = Token::random().unwrap();
        let link = token.link(&base);
        let text = link.strip_prefix("https://ops.wine.example/your-data.html#");
        let text = text.unwrap();
        assert!(Token::parse(text) == Some(Token(token.0)));
        assert_eq!(Token::parse(text).unwrap().hash().len(), 64);
        for odd in ["", "x", &text[1..], &format!("{text}A"), "é", "..%2f"] {
            assert!(Token::parse(odd).is_none(), "{odd}");
        }
    }
}
