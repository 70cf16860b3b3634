//! Objects that no backup needed when a collection looked, and that are deleted by a later one.

use jiff::Timestamp;

use crate::store::Listed;

use super::{
    FormatError,
    field_lines::{Reader, Writer},
};

const FORMAT: &str = "pourtrait-tombstones";

/// One object as it lay in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tombstone {
    /// Its path.
    pub path: String,
    /// Its length in bytes.
    pub len: u64,
    /// When it was written, by the store's clock: an object that was written again meanwhile is
    /// another one.
    pub modified: Timestamp,
}

impl Tombstone {
    /// Whether it stands for the object that is listed now.
    #[must_use]
    pub fn is_of(&self, listed: &Listed) -> bool {
        let Listed {
            path,
            len,
            modified,
        } = listed;
        (&self.path, self.len, self.modified) == (path, *len, *modified)
    }
}

impl From<&Listed> for Tombstone {
    fn from(listed: &Listed) -> Self {
        Self {
            path: listed.path.clone(),
            len: listed.len,
            modified: listed.modified,
        }
    }
}

/// A list of them.
///
/// As text: a line `pourtrait-tombstones` with the format version, a line `object` with path,
/// length and time for each, and a line `end` with the number of lines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tombstones {
    /// The objects.
    pub objects: Vec<Tombstone>,
}

impl Tombstones {
    /// The list as text.
    #[must_use]
    pub fn render(&self) -> Vec<u8> {
        let mut lines = Writer::new(FORMAT);
        for Tombstone {
            path,
            len,
            modified,
        } in &self.objects
        {
            lines.line("object", [path, len, modified]);
        }
        lines.finish()
    }

    /// Reads what [`Tombstones::render`] wrote.
    ///
    /// # Errors
    /// See [`FormatError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, FormatError> {
        let mut lines = Reader::new(FORMAT, bytes)?;
        let objects = lines.all("object", |[path, len, modified]| {
            Ok(Tombstone {
                path: path.text()?,
                len: len.number()?,
                modified: modified.parsed("a field is not a time")?,
            })
        })?;
        lines.finish()?;
        Ok(Self { objects })
    }
}
