//! Every object a backup rests on, so that its integrity can be checked, and
//! the backup copied elsewhere, without a key.

use serde::{Deserialize, Serialize};

use super::{
    FormatError,
    field_lines::{Reader, Writer},
};

const FORMAT: &str = "pourtrait-inventory";

/// One object as it lies in the store.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stored {
    /// Its path.
    pub path: String,
    /// Its length in bytes, as it lies there.
    pub len: u64,
    /// SHA-256 of it, as it lies there, in hexadecimal.
    pub sha256: String,
}

/// The objects of one backup, or those that an unfinished run stored.
///
/// As text: a line `pourtrait-inventory` with the format version, a line
/// `object` with path, length and SHA-256 for each, and a line `end` with the
/// number of lines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inventory {
    /// The objects, in order of their paths.
    pub objects: Vec<Stored>,
}

impl Inventory {
    /// The inventory as text.
    #[must_use]
    pub fn render(&self) -> Vec<u8> {
        let mut lines = Writer::new(FORMAT);
        for Stored { path, len, sha256 } in &self.objects {
            lines.line("object", [path, len, sha256]);
        }
        lines.finish()
    }

    /// Reads what [`Inventory::render`] wrote.
    ///
    /// # Errors
    /// See [`FormatError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, FormatError> {
        let mut lines = Reader::new(FORMAT, bytes)?;
        let objects = lines.all("object", |[path, len, sha256]| {
            Ok(Stored {
                path: path.text()?,
                len: len.number()?,
                sha256: sha256.hash()?,
            })
        })?;
        lines.finish()?;
        Ok(Self { objects })
    }
}
