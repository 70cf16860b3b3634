//! A row of the audit log, and how it is hashed.
//!
//! The canonical form is a text of eight fields: the words `pourtrait audit 1`, then seq, at,
//! action, actor, subject, details and previous. A field is written as the number of its bytes
//! in UTF-8, a colon and its text, and one that is null as a hyphen; each is followed by a line
//! feed. The hash is SHA-256 over that text, in lower-case hexadecimal digits. The database
//! computes the same in `ops.audit_hash`.

use std::fmt::Write;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::hexadecimal::{bytes, hexadecimal};

/// What the canonical form begins with.
const VERSION: &str = "pourtrait audit 1";

/// The hash that the first row names.
const NO_ROW: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// A row, with all that is hashed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Its number, from 1 on.
    pub seq: i64,
    /// When, in UTC with six digits of a second.
    pub at: String,
    /// What was done.
    pub action: String,
    /// Who did it, as a keyed hash.
    pub actor: Option<String>,
    /// What it was done to.
    pub subject: Option<String>,
    /// The hash of its details.
    pub details: String,
    /// The hash of the row before.
    pub previous: String,
    /// Its own.
    pub hash: String,
    /// With which the details were hashed; nothing where they were erased.
    pub salt: Option<String>,
    /// The details.
    pub document: Option<String>,
}

impl Row {
    /// The hash that the row before the first one would have.
    #[must_use]
    pub fn no_row() -> &'static str {
        NO_ROW
    }

    /// The hash that belongs to what the row says.
    #[must_use]
    pub fn own_hash(&self) -> String {
        hexadecimal(&Sha256::digest(self.canonical()))
    }

    /// Whether the details are those that were hashed; nothing where they were erased.
    #[must_use]
    pub fn details_hold(&self) -> Option<bool> {
        let (salt, document) = match (&self.salt, &self.document) {
            (None, None) => return None,
            (Some(salt), Some(document)) => (salt, document),
            (Some(_), None) | (None, Some(_)) => return Some(false),
        };
        let Some(salt) = bytes(salt) else {
            return Some(false);
        };
        let hash = Sha256::new().chain_update(salt).chain_update(document);
        Some(hexadecimal(&hash.finalize()) == self.details)
    }

    /// The text that is hashed.
    fn canonical(&self) -> String {
        let seq = self.seq.to_string();
        let fields: [Option<&str>; 8] = [
            Some(VERSION),
            Some(&seq),
            Some(&self.at),
            Some(&self.action),
            self.actor.as_deref(),
            self.subject.as_deref(),
            Some(&self.details),
            Some(&self.previous),
        ];
        fields.iter().fold(String::new(), |mut text, field| {
            let _ = match field {
                Some(field) => writeln!(text, "{}:{field}", field.len()),
                None => writeln!(text, "-"),
            };
            text
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn row() -> Row {
        Row {
            seq: 7,
            at: "2026-11-24T12:00:00.000001Z".to_owned(),
            action: "setting.changed".to_owned(),
            actor: None,
            subject: Some("Müller\n".to_owned()),
            details: "d".repeat(64),
            previous: NO_ROW.to_owned(),
            hash: String::new(),
            salt: None,
            document: None,
        }
    }

    #[test]
    fn the_canonical_form_reads_like_this() {
        assert_eq!(
            row().canonical(),
            format!(
                "17:pourtrait audit 1\n1:7\n27:2026-11-24T12:00:00.000001Z\n15:setting.changed\n-\n\
                 8:Müller\n\n64:{}\n64:{NO_ROW}\n",
                "d".repeat(64)
            )
        );
    }

    #[test]
    fn details_are_held_against_their_hash() {
        let document = r#"{"actor": "anna"}"#;
        let salt = "0a".repeat(32);
        let hash = Sha256::new()
            .chain_update([0x0a; 32])
            .chain_update(document);
        let whole = Row {
            details: hexadecimal(&hash.finalize()),
            salt: Some(salt),
            document: Some(document.to_owned()),
            ..row()
        };
        assert_eq!(whole.details_hold(), Some(true));
        assert_eq!(row().details_hold(), None);
        let changed = |change: fn(&mut Row)| {
            let mut row = whole.clone();
            change(&mut row);
            row.details_hold()
        };
        assert_eq!(
            changed(|row| row.document = Some("{}".to_owned())),
            Some(false)
        );
        assert_eq!(changed(|row| row.document = None), Some(false));
        assert_eq!(changed(|row| row.salt = None), Some(false));
        assert_eq!(changed(|row| row.salt = Some("x".to_owned())), Some(false));
    }

    proptest! {
        /// No two rows that differ are written alike, wherever a text would begin or end.
        #[test]
        fn rows_that_differ_are_hashed_otherwise(
            one in (any::<Option<String>>(), any::<Option<String>>(), any::<String>()),
            other in (any::<Option<String>>(), any::<Option<String>>(), any::<String>()),
        ) {
            let of = |(actor, subject, action): &(Option<String>, Option<String>, String)| Row {
                actor: actor.clone(),
                subject: subject.clone(),
                action: action.clone(),
                ..row()
            };
            prop_assert_eq!(of(&one).own_hash() == of(&other).own_hash(), one == other);
        }
    }
}
