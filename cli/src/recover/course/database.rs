//! The steps that bring rows and files back.

use anyhow::{Context, bail};
use backup::{
    catalogue,
    drill::{self, NotRestored},
    files::{
        OpenedFiles, StorageApi,
        restore::{self as file_restore, Target},
    },
    restore::{self, Missing, Request, Restored},
    selection::Selection,
    store::Store,
};
use outside::{database, secure_url};
use secrecy::SecretString;
use terminal::output;

use super::{Carried, Course, lacking};
use crate::{
    backup::{progress::Progress, quantities, restore_files, signals},
    privacy::following,
    recover::plan::Step,
};

/// The file that names what a backup does not hold.
pub(super) const UNCOVERED: &str = "uncovered.txt";

/// How many sessions restore at once.
const JOBS: usize = 4;

/// What stands in the database that is to be filled.
enum Standing {
    /// Nothing that an earlier call of ours left.
    Free,
    /// A part: that call was killed.
    Half,
    /// All of this backup.
    Restored,
}

impl Course<'_> {
    /// Restores the backup, and compares the two. One that an earlier call ended, and could not
    /// note, is not made again.
    pub(super) async fn restore(&mut self) -> anyhow::Result<Carried> {
        if let Some(server) = self.lending_server() {
            return self.restore_aside(&server).await;
        }
        match self.standing().await? {
            Standing::Restored => {
                output::note("  it is restored there already");
                self.list_uncovered(&self.repository()?.store).await?;
                return Ok(Carried::Done);
            }
            Standing::Half if self.journal.made_project.is_some() => {
                self.make_project_again().await?;
            }
            // What is half restored and not ours, the restore itself refuses in words.
            Standing::Free | Standing::Half => {}
        }
        let (url, ca) = self.database()?;
        let (repository, selection) = (self.repository()?, Selection::default());
        let request = Request {
            store: &repository.store,
            snapshot: self.chosen()?,
            identities: &self.identities,
            into: &url,
            ca: ca.as_deref(),
            selection: &selection,
            jobs: JOBS,
            strict: false,
            masking: None,
        };
        let progress = Progress::new();
        let restored = restore::restore(request, &|event| progress.show(event)).await;
        progress.finish();
        let restored = restored?;
        let (store, snapshot) = (&repository.store, self.chosen()?);
        let whole = following::is_followed(store, snapshot, &self.identities, &url, ca.as_deref());
        let whole = whole.await;
        let left = self.told(&restored)?;
        self.list_uncovered(store).await?;
        if !whole {
            bail!(
                "people who were erased since may be in it: call `pourtrait privacy erase` for them"
            );
        }
        Ok(left.map_or(Carried::Done, Carried::ByHand))
    }

    /// The server that lends a drill a database; nothing where a project is made for it.
    fn lending_server(&self) -> Option<SecretString> {
        let target = self.wanted.target.as_ref()?;
        let server = target.into.as_deref().filter(|_| self.journal.is_drill)?;
        Some(server.trim().into())
    }

    async fn restore_aside(&self, server: &SecretString) -> anyhow::Result<Carried> {
        let target = self.wanted.target.as_ref();
        let ca = target.and_then(|target| target.ca.clone());
        let ca = ca.or_else(|| self.source.get("DATABASE_CA"));
        let repository = self.repository()?;
        let request = drill::Request {
            store: &repository.store,
            snapshot: self.chosen()?,
            identities: &self.identities,
            server,
            ca: ca.as_deref(),
            selection: &Selection::default(),
            queries: &[],
            jobs: JOBS,
        };
        let progress = Progress::new();
        let drilled = drill::drill(request, signals()?, &|event| progress.show(event)).await;
        progress.finish();
        let drilled = drilled.context("no database was lent")?;
        if let Some(error) = drilled.left {
            output::note(&format!("  {error}; the next drill tries again"));
        }
        match drilled.restored {
            Ok(restored) => Ok(self.told(&restored)?.map_or(Carried::Done, Carried::ByHand)),
            Err(NotRestored::Restore(cause)) => bail!("{cause}"),
            Err(NotRestored::Ended) => bail!("it was ended by a signal"),
        }
    }

    /// Says what was restored, and gives what is left to do of it.
    fn told(&self, restored: &Restored) -> anyhow::Result<Option<String>> {
        for note in &restored.notes {
            output::note(&format!("  note: {note}"));
        }
        output::note(&format!(
            "  {} rows of {} tables, {}, equal to the backup",
            quantities::count(restored.rows),
            quantities::count(restored.tables as u64),
            quantities::bytes(restored.bytes)
        ));
        if restored.missing.is_empty() {
            return Ok(None);
        }
        let file = self.journal.place("restore-missing.sql");
        let script: String = restored.missing.iter().map(statement).collect();
        std::fs::write(&file, script)
            .with_context(|| format!("cannot write {}", file.display()))?;
        let named: Vec<_> = restored
            .missing
            .iter()
            .map(|one| one.what.as_str())
            .collect();
        Ok(Some(format!(
            "the server refused {}: once it is mended, run {} with psql",
            named.join(", "),
            file.display()
        )))
    }

    /// Writes into the folder what the backup does not hold, each with where it comes from.
    async fn list_uncovered(&self, store: &Store) -> anyhow::Result<()> {
        let manifest = catalogue::manifest(store, self.chosen()?, &self.identities).await?;
        let all = manifest.gaps.iter().chain(&manifest.excluded);
        let lines: Vec<_> = all
            .map(|one| format!("{}: {}", one.what, one.why))
            .collect();
        let file = self.journal.place(UNCOVERED);
        std::fs::write(&file, lines.join("\n") + "\n")
            .with_context(|| format!("cannot write {}", file.display()))
    }

    /// The new database, and what its certificate is verified with.
    fn database(&self) -> anyhow::Result<(SecretString, Option<String>)> {
        let url = self.variables.get("DATABASE_URL");
        let url = url.ok_or_else(|| lacking("DATABASE_URL"))?;
        let ca = self.variables.get("DATABASE_CA").cloned();
        Ok((url.clone().into(), ca))
    }

    async fn standing(&self) -> anyhow::Result<Standing> {
        let (url, ca) = self.database()?;
        let session = database::connect(&url, ca.as_deref()).await?;
        if restore::unfinished(&session).await?.is_some() {
            return Ok(Standing::Half);
        }
        let there = "select to_regclass('ops.restores') is not null";
        if !session.query_one(there, &[]).await?.get::<_, bool>(0) {
            return Ok(Standing::Free);
        }
        // No backup holds that it was restored itself.
        let restored = "select exists (select from ops.restores where snapshot = $1)";
        let name = self.chosen()?.snapshot.as_str();
        let row = session.query_one(restored, &[&name]).await?;
        Ok(if row.get(0) {
            Standing::Restored
        } else {
            Standing::Free
        })
    }

    /// Restores the files of Storage into the new project.
    pub(super) async fn restore_files(&mut self) -> anyhow::Result<Carried> {
        let (url, ca) = self.database()?;
        let repository = self.repository()?;
        let (store, snapshot) = (&repository.store, self.chosen()?);
        let files = OpenedFiles::open(store, snapshot, &self.identities).await?;
        let files = files.context("the backup was taken without files")?;
        let variable = |name: &str| {
            let value = self.variables.get(name);
            value.cloned().ok_or_else(|| lacking(name))
        };
        let project = secure_url::parse(&variable("SUPABASE_URL")?)
            .map_err(|error| anyhow::anyhow!("SUPABASE_URL: {error}"))?;
        let key = variable("SUPABASE_SECRET_KEY")?;
        let api = StorageApi::new(std::sync::Arc::clone(&self.outbound), project, key.into());
        let target = Target {
            api: &api,
            database: &url,
            ca: ca.as_deref(),
        };
        let erased = following::erased_since(store, snapshot, &self.identities).await?;
        let restored = file_restore::restore(&files, &target, &erased, &|_| {}).await?;
        output::note(&format!(
            "  {} uploaded, {}; {} were there already",
            quantities::count(restored.uploaded),
            quantities::bytes(restored.uploaded_bytes),
            quantities::count(restored.already_there)
        ));
        for note in restore_files::notes(&restored) {
            output::note(&format!("  {note}"));
        }
        if restored.refused.is_empty() {
            return Ok(Carried::Done);
        }
        let (count, step) = (restored.refused.len(), Step::Files.title());
        bail!("Storage refused {count} files: mend what it says, and `{step}` goes on from there")
    }
}

/// What makes a missing object, under what it is.
fn statement(missing: &Missing) -> String {
    let plain = |text: &str| text.replace(['\n', '\r'], " ");
    let (what, reason) = (plain(&missing.what), plain(&missing.reason));
    format!("-- {what}\n-- {reason}\n{}\n", missing.statement)
}
