//! A backup as one plain psql script.
//!
//! `tools/restore.sh` writes the same script, byte for byte, with nothing but
//! stock tools. It is one transaction, so that whatever is cut off restores nothing;
//! within it, what the server refuses takes nothing along.

mod psql_script;

use tokio::io::{AsyncWrite, AsyncWriteExt};

use super::{
    catalogue::ReadError,
    format::Snapshot,
    keys::Identities,
    opened_backup::OpenedBackup,
    selection::{Chosen, Selection, UnknownName},
    store::Store,
};
use psql_script::Part;

/// Why a script could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The backup cannot be read: missing, damaged, or sealed to other keys.
    #[error(transparent)]
    Backup(#[from] ReadError),
    /// A script's directory does not fit its text.
    #[error("a script of the backup is not what its manifest says")]
    Script,
    /// Nobody takes what is written.
    #[error("cannot write the script: {0}")]
    Output(#[from] std::io::Error),
}

/// What happens when the server refuses an object or rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conduct {
    /// Everything else is restored, and what is missing is told.
    Lenient,
    /// Nothing is restored.
    Strict,
}

/// A backup that is opened to be written as a psql script.
pub struct Export<'a>(OpenedBackup<'a>);

impl<'a> Export<'a> {
    /// Opens a backup.
    ///
    /// # Errors
    /// [`ExportError::Backup`].
    pub async fn open(
        store: &'a Store,
        snapshot: &Snapshot,
        identities: &'a Identities,
    ) -> Result<Self, ExportError> {
        let contents = OpenedBackup::open(store, snapshot, identities).await?;
        Ok(Self(contents))
    }

    /// Chooses what is written.
    ///
    /// # Errors
    /// The first name that the backup does not have.
    pub fn choose(&self, selection: &Selection) -> Result<Chosen<'_>, UnknownName> {
        Chosen::of(&self.0.manifest, selection)
    }

    /// Writes what was chosen. A script that could not be written to its end is a part,
    /// which psql rolls back.
    ///
    /// # Errors
    /// See [`ExportError`].
    pub async fn write(
        &self,
        chosen: &Chosen<'_>,
        conduct: Conduct,
        output: &mut (impl AsyncWrite + Unpin),
    ) -> Result<(), ExportError> {
        let mut script = None;
        for part in psql_script::parts(chosen, conduct) {
            match part {
                Part::Text(text) => output.write_all(text.as_bytes()).await?,
                Part::Rows(piece) => output.write_all(&self.0.piece(piece).await?).await?,
                Part::Object(piece, object) => {
                    let text = match script.take() {
                        Some((read, text)) if read == piece => text,
                        _ => self.0.piece(piece).await?,
                    };
                    let statement = object.within(&text);
                    let statement = statement.and_then(|text| str::from_utf8(text).ok());
                    let statement = statement.ok_or(ExportError::Script)?.replace('\'', "''");
                    output.write_all(statement.as_bytes()).await?;
                    script = Some((piece, text));
                }
            }
        }
        output.flush().await?;
        Ok(())
    }
}
