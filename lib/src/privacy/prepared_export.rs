//! Makes an export and lays it where a link fetches it once: for whoever asked, without an
//! operator, or for the operator's command.
//!
//! Before there is a file, the database knows of it, and a link works only once it is there. So
//! whoever is killed in between leaves nothing that is not deleted, and the next one begins anew.

use std::{
    io::{self, Cursor, Seek, SeekFrom, Write},
    sync::Arc,
    time::Duration,
};

use backup::files::{StorageApi, StorageError};
use jiff::Timestamp;
use outside::{
    clock::{self, Deadline},
    outbound::Outbound,
};
use tokio::time::timeout;
use tokio_postgres::Client;
use uuid::Uuid;

use super::{
    Person, PrivacyError,
    export::{self, Exported},
    export_bucket,
    export_links::{BeginExport, EndExport, Token},
    ways::Ways,
};
use crate::{
    backups::storage_files::storage,
    config::Supabase,
    rpc::{Rpc, RpcError},
};

/// The largest zip that a link hands out, in bytes: what Storage takes on every plan.
const MOST: u64 = 50_000_000;

/// Kept back for noting what became of it.
const ENDING: Duration = Duration::from_secs(5);

/// Why there is no export behind a link.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// The database's API did not take it.
    #[error(transparent)]
    Rpc(#[from] RpcError),
    /// It could not be gathered or written.
    #[error(transparent)]
    Export(#[from] PrivacyError),
    /// It could not be put there.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// It takes longer than there is time.
    #[error("it takes longer than a job may; `pourtrait privacy export --output` has no limit")]
    Time,
    /// Nothing is random here.
    #[error("the system has no randomness for a link")]
    Randomness,
    /// They asked to be erased, too.
    #[error("the person was erased meanwhile")]
    Erased,
}

/// An export that waits to be fetched.
pub struct Prepared {
    /// Names it.
    pub export: Uuid,
    /// What its link proves.
    pub token: Token,
    /// Until when it works.
    pub expires_at: Timestamp,
    /// What is in it.
    pub exported: Exported,
}

/// Who makes exports for a project.
#[derive(Debug)]
pub struct Maker<'a> {
    rpc: Rpc,
    outbound: &'a Outbound,
    storage: StorageApi,
}

impl<'a> Maker<'a> {
    /// Whoever works on that project.
    #[must_use]
    pub fn of(supabase: &Supabase, outbound: &'a Arc<Outbound>) -> Self {
        Self {
            rpc: Rpc::new(supabase.clone()),
            outbound,
            storage: storage(supabase, outbound),
        }
    }

    /// Makes somebody's export, which ends the links to earlier ones.
    ///
    /// # Errors
    /// See [`PrepareError`]; the request that it was made for keeps the reason.
    pub async fn prepare(
        &self,
        client: &mut Client,
        person: &Person,
        deadline: Deadline,
    ) -> Result<Prepared, PrepareError> {
        let export = Uuid::new_v4();
        let token = Token::random().ok_or(PrepareError::Randomness)?;
        let begin = BeginExport {
            p_export: export,
            p_person: person.id.to_string(),
            p_token_hash: token.hash(),
        };
        let noted = self.rpc.call(self.outbound, &begin, deadline).await?;
        let laid = timeout(
            deadline.remaining(),
            self.lay(client, person, export, deadline),
        );
        let laid = laid.await.unwrap_or(Err(PrepareError::Time));
        let trouble = laid.as_ref().err().map(ToString::to_string);
        let end = EndExport {
            p_export: export,
            p_bytes: laid.as_ref().map_or(0, |(_, bytes)| *bytes),
            p_trouble: trouble,
        };
        let ending = deadline.or_at_least(ENDING);
        let ended = self.rpc.call(self.outbound, &end, ending).await;
        let (exported, _) = laid?;
        if !ended?.noted {
            return Err(PrepareError::Erased);
        }
        Ok(Prepared {
            export,
            token,
            expires_at: noted.expires_at,
            exported,
        })
    }

    async fn lay(
        &self,
        client: &mut Client,
        person: &Person,
        export: Uuid,
        deadline: Deadline,
    ) -> Result<(Exported, u64), PrepareError> {
        let ways = Ways::find(client, &[]).await?;
        let zip = Limited(Cursor::new(Vec::new()));
        let storage = Some(&self.storage);
        let exported = export::export(client, person, &ways, storage, clock::now(), zip);
        let (exported, zip) = exported.await?;
        let zip = zip.0.into_inner();
        let bytes = zip.len() as u64;
        export_bucket::put(&self.storage, export, zip.into(), deadline.remaining()).await?;
        Ok((exported, bytes))
    }
}

/// A URL at which anybody can fetch an export for some minutes.
///
/// # Errors
/// When Storage signs none.
pub async fn sign(
    supabase: &Supabase,
    outbound: &Arc<Outbound>,
    export: Uuid,
) -> Result<String, StorageError> {
    export_bucket::sign(&storage(supabase, outbound), export).await
}

/// What is written into memory, up to [`MOST`] bytes.
struct Limited(Cursor<Vec<u8>>);

impl Write for Limited {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.position() + bytes.len() as u64 > MOST {
            return Err(io::Error::other(format!(
                "it is larger than the {} MB that a link hands out; \
                 `pourtrait privacy export --output` has no limit",
                MOST / 1_000_000
            )));
        }
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Limited {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_a_link_hands_out_is_an_error_and_a_part_written_anew_is_none() {
        let mut limited = Limited(Cursor::new(Vec::new()));
        let part = vec![0; 10_000_000];
        for _ in 0..5 {
            limited.write_all(&part).unwrap();
        }
        let error = limited.write_all(b"x").unwrap_err().to_string();
        assert!(error.starts_with("it is larger than the 50 MB"), "{error}");
        limited.seek(SeekFrom::Start(0)).unwrap();
        limited.write_all(&part).unwrap();
    }
}
