//! A backup as one plain psql script, or as a folder for `pg_restore`.
//!
//! `tools/restore.sh` writes the same script, byte for byte, with nothing but
//! stock tools. It is one transaction, so that whatever is cut off restores nothing;
//! within it, what the server refuses takes nothing along.
//!
//! The folder is what `pg_dump --format directory` makes: `archive_entries` says what is in
//! it, `archive_toc` writes the list.

mod archive_entries;
mod archive_toc;
mod psql_script;

use std::io;

use bytes::Bytes;
use tokio::io::{AsyncWrite, AsyncWriteExt, BufWriter};

use super::{
    catalogue::ReadError,
    format::{Piece, ScriptObject, Snapshot, TableData},
    keys::Identities,
    opened_backup::OpenedBackup,
    selection::{Chosen, Selection, UnknownName},
    store::Store,
};
use archive_entries::Body;
use archive_toc::Toc;
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
    #[error("cannot write the export: {0}")]
    Output(#[from] io::Error),
}

/// What ends a table's rows.
const END_OF_ROWS: &[u8] = b"\\.\n\n\n";

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
        let mut scripts = Scripts::of(&self.0);
        for part in psql_script::parts(chosen, conduct) {
            match part {
                Part::Text(text) => output.write_all(text.as_bytes()).await?,
                Part::Rows(piece) => output.write_all(&self.0.piece(piece).await?).await?,
                Part::Object(piece, object) => {
                    let statement = scripts.statement(piece, object).await?;
                    let literal = statement.replace('\'', "''");
                    output.write_all(literal.as_bytes()).await?;
                }
            }
        }
        output.flush().await?;
        Ok(())
    }

    /// Writes what was chosen as a folder for `pg_restore`; `create` makes a file of a name
    /// in it. The list comes last: without it a folder is no archive.
    ///
    /// # Errors
    /// See [`ExportError`].
    pub async fn write_directory<W: AsyncWrite + Unpin>(
        &self,
        chosen: &Chosen<'_>,
        create: impl Fn(&str) -> io::Result<W>,
    ) -> Result<(), ExportError> {
        let entries = archive_entries::list(chosen);
        let mut toc = Toc::new(chosen.manifest, entries.len());
        let mut scripts = Scripts::of(&self.0);
        for entry in &entries {
            match &entry.body {
                Body::Object(piece, object) => {
                    toc.push(entry, scripts.statement(piece, object).await?);
                }
                Body::Statement(statement) => toc.push(entry, statement),
                Body::Rows(data) => {
                    if let Some(name) = archive_toc::rows_file(entry) {
                        self.write_rows(data, create(&name)?).await?;
                    }
                    toc.push(entry, "");
                }
            }
        }
        let mut file = create("toc.dat")?;
        file.write_all(&toc.finish()).await?;
        file.shutdown().await?;
        Ok(())
    }

    async fn write_rows(
        &self,
        data: &TableData,
        file: impl AsyncWrite + Unpin,
    ) -> Result<(), ExportError> {
        let mut file = BufWriter::new(file);
        for piece in &data.pieces {
            file.write_all(&self.0.piece(piece).await?).await?;
        }
        file.write_all(END_OF_ROWS).await?;
        file.shutdown().await?;
        Ok(())
    }
}

/// Reads objects' statements, and each script once for those of it that follow each other.
struct Scripts<'a> {
    source: &'a OpenedBackup<'a>,
    read: Option<(String, Bytes)>,
}

impl<'a> Scripts<'a> {
    fn of(source: &'a OpenedBackup<'a>) -> Self {
        Self { source, read: None }
    }

    async fn statement(
        &mut self,
        piece: &Piece,
        object: &ScriptObject,
    ) -> Result<&str, ExportError> {
        let kept = self.read.take().filter(|(name, _)| *name == piece.name);
        let read = match kept {
            Some(kept) => kept,
            None => (piece.name.clone(), self.source.piece(piece).await?),
        };
        let (_, text) = self.read.insert(read);
        let statement = object.within(text);
        let statement = statement.and_then(|text| str::from_utf8(text).ok());
        statement.ok_or(ExportError::Script)
    }
}
