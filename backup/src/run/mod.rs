//! One backup, from the first session to the commit record.
//!
//! Whatever ends a run early ends it without a backup: what was stored is
//! written down for the next run, the sessions are cut off, and nothing that a
//! restore would look at is there. In reading order:
//!
//! - `opened_source`: sessions in one snapshot, every table locked, every doubt out
//!   of the way
//! - `earlier_backups`: what the database knows of the store
//! - `audit_head`: where the audit log stands, which is anchored in the store
//! - `ranges`: what of a table has to be read, by what earlier runs noted of it
//! - `row_notes`: what they noted, and what this one does
//! - `copied_tables`, `migration_ledgers`: what is read
//! - `memory_left`: an end in words where a value does not fit
//! - `run_figures`, `run_error`: what it took, or why there is no backup

mod audit_head;
mod copied_tables;
mod earlier_backups;
mod memory_left;
mod migration_ledgers;
mod opened_source;
mod ranges;
mod row_notes;
mod run_error;
mod run_figures;

use std::time::Duration;

use outside::{
    clock::{self, Deadline},
    database::Received,
};
use secrecy::SecretString;
use uuid::Uuid;

pub use run_error::RunError;
pub use run_figures::{Counts, Figures, Reading};

use self::{
    copied_tables::Copying, opened_source::OpenedSource, ranges::Circumstances, row_notes::RowNotes,
};
use super::{
    audit_anchors,
    files::{self, FileFigures, FileRows, FileSource, Saving},
    format::{KnownRows, Manifest, RowHash, Script, Snapshot, TableRead},
    keys::{Recipients, Secret},
    repository::{Repository, Writer},
    schema::{Exclusion, Name, Object},
    script_text,
    segments::Segment,
    source::computed_values,
    store::Store,
};

/// Kept back from reading, for writing down what was stored.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// Kept back from fetching files, for sealing the backup, which is worth more than they are.
const SEALING: Duration = Duration::from_secs(45);

/// Everything that a run needs to know.
#[derive(Debug)]
pub struct Request<'a> {
    /// The session URL of the database.
    pub url: &'a SecretString,
    /// The root that signed the server's certificate: PEM text or a path.
    pub ca: Option<&'a str>,
    /// Where backups lie.
    pub store: Store,
    /// What names objects.
    pub secret: &'a Secret,
    /// Who can read backups.
    pub recipients: Recipients,
    /// The run's fencing token.
    pub fence: u64,
    /// How many sessions read; there is one more that keeps the snapshot.
    pub workers: usize,
    /// When the run has to have ended.
    pub deadline: Deadline,
    /// What a restore without this program needs, by name.
    pub tools: &'a [(&'a str, &'a [u8])],
    /// Where the files of Storage are fetched; a backup without it has none of them.
    pub files: Option<&'a FileSource>,
    /// Whether everything is read, also what the server would vouch for.
    pub whole: bool,
}

/// A backup that exists.
#[derive(Debug)]
pub struct Backup {
    /// Its commit record.
    pub record: Snapshot,
    /// What it took.
    pub figures: Figures,
    /// What is not in it, and why.
    pub excluded: Vec<Exclusion>,
    /// What of the app's it cannot hold, and why.
    pub gaps: Vec<Exclusion>,
    /// How each table was read, and why so.
    pub reads: Vec<(Name, TableRead)>,
}

/// Makes a backup. `lease` tells whether the run is still the one that may: it
/// is asked before anything is read, and right before the backup is sealed.
///
/// # Errors
/// See [`RunError`]: there is no backup then. Only when the answer to the very
/// last request is lost there may be one, and it is whole.
pub async fn run<L: Future<Output = bool>>(
    request: Request<'_>,
    lease: impl Fn() -> L,
) -> Result<Backup, RunError> {
    let Request {
        url,
        ca,
        store,
        secret,
        recipients,
        fence,
        workers,
        deadline,
        tools,
        files,
        whole,
    } = request;
    let began = clock::instant();
    let before = store.requests();
    let reading = deadline.reserving(LAST_WORDS);
    let opening = Repository::open(store.clone(), secret, recipients, clock::now());
    let repository = in_time(reading, Box::pin(opening)).await?;
    let source = in_time(reading, Box::pin(opened_source::open(url, ca, workers))).await?;
    if !lease().await {
        return Err(RunError::Superseded);
    }
    let remembered = earlier_backups::newest(source.snapshot.session().client()).await?;
    if let Some(remembered) = remembered {
        in_time(reading, repository.must_hold(&remembered)).await?;
    }
    let taken_at = source.snapshot.taken_at;
    let client = source.snapshot.session().client();
    let anchor = Box::pin(audit_head::newest(client, taken_at)).await?;
    let database_bytes = source.snapshot.database_bytes;
    let writing = Writer::begin(repository, taken_at, fence, Uuid::new_v4());
    let writer = in_time(reading, Box::pin(writing)).await?;
    let damaged = earlier_backups::damaged(client).await?;
    let writer = in_time(reading, Box::pin(writer.without(&damaged))).await?;
    let rows = match files {
        Some(_) => in_time(reading, Box::pin(files::read(client))).await?,
        None => None,
    };
    let settings = source.snapshot.session().settings().await?;
    let known = writer.repository().known_rows().await;
    let notes = RowNotes::new(known, source.snapshot.server.version_num, settings);
    let received = source.received();
    let read = in_time(reading, Box::pin(read(source, &writer, &notes, whole))).await;
    // Also before sealing, which may fail or be killed.
    keep_progress(&writer, deadline).await;
    keep_notes(&writer, notes.known(read.is_ok()), deadline).await;
    let manifest = read?;
    if let Some(anchor) = anchor {
        in_time(deadline, Box::pin(audit_anchors::write(&store, &anchor))).await?;
    }

    let excluded = manifest.excluded.clone();
    let gaps = manifest.gaps.clone();
    let reads = reads(&manifest);
    let stored = writer.figures();
    let (writer, files) = match files.zip(rows) {
        Some((from, rows)) => Box::pin(save_files(writer, rows, from, deadline)).await?,
        None => (writer, None),
    };
    let segments = manifest.pieces().count() as u64;
    let sealing = writer.seal(manifest, tools, clock::now(), lease);
    let record = in_time(deadline, Box::pin(sealing)).await?;
    let reading = Reading::of(&reads);
    let bytes_received = received.iter().map(Received::bytes).sum();
    let figures = Figures {
        tables: record.totals.tables,
        rows: record.totals.rows,
        segments,
        segments_stored: stored.new_objects,
        segments_reused: segments.saturating_sub(stored.new_objects),
        bytes_stored: record.totals.new_bytes,
        bytes_reused: stored
            .reused_raw_bytes
            .saturating_sub(reading.bytes_taken_over),
        requests: Counts::between(before, store.requests()),
        duration_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        database_bytes,
        bytes_received,
        projected_monthly_egress_bytes: run_figures::monthly(bytes_received),
        reading,
        files,
    };
    Ok(Backup {
        record,
        figures,
        excluded,
        gaps,
        reads,
    })
}

/// How each table was read.
fn reads(manifest: &Manifest) -> Vec<(Name, TableRead)> {
    let tables = manifest.tables.iter();
    let reads = tables.filter_map(|data| Some((data.table.clone(), data.read?)));
    reads.collect()
}

/// Reads everything that changed and stores it, and closes the sessions. The manifest lacks
/// what only the writer knows.
async fn read(
    source: OpenedSource,
    writer: &Writer,
    notes: &RowNotes,
    whole: bool,
) -> Result<Manifest, RunError> {
    let scripts = store_scripts(&source.schema.objects, writer).await?;
    let tables = source.snapshot.by_size(&source.schema.tables).await?;
    let control = source.snapshot.session().client();
    let computed = computed_values::list(control, &source.schema).await?;
    let oids: Vec<u32> = tables.iter().map(|table| table.oid).collect();
    let oids = [oids, computed.iter().map(|(oid, _)| *oid).collect()].concat();
    let plannable = source.snapshot.plannable(&oids).await?;
    let copying = Copying {
        writer,
        plannable: &plannable,
        circumstances: Circumstances {
            taken_at: source.snapshot.taken_at,
            after_suspect: writer
                .previous()
                .is_some_and(|before| before.suspect.is_some()),
            same_server: notes.same_server(),
            whole,
        },
        notes,
    };
    let reading = async {
        let readers = &source.readers;
        let copied = copied_tables::copy_all(readers, &tables, &copying).await?;
        let computed = copied_tables::prove_all(readers, &computed, &plannable).await?;
        Ok::<_, RunError>((copied, computed))
    };
    let (copied, computed) = tokio::select! {
        read = reading => read?,
        held_up = source.snapshot.give_way() => match held_up? {},
        short = memory_left::watch() => return Err(short),
    };
    let settings = source.snapshot.session().settings().await?;
    let migrations = migration_ledgers::read(source.snapshot.session().client()).await?;
    let OpenedSource {
        snapshot,
        readers,
        schema,
        canary,
    } = source;
    let server = snapshot.server.clone();
    let taken_at = snapshot.taken_at;
    let sequences = opened_source::close(snapshot, readers, &schema.sequences).await?;
    Ok(Manifest {
        row_hash: RowHash::Mixed,
        snapshot: String::new(),
        repo: Uuid::nil(),
        taken_at,
        server,
        settings,
        epoch: 0,
        dedupe_key: String::new(),
        canary: canary.nonce,
        extensions: schema.extensions,
        roles: schema.roles,
        scripts,
        tables: copied,
        sequences,
        computed,
        migrations,
        excluded: schema.excluded,
        gaps: schema.gaps,
    })
}

async fn store_scripts(objects: &[Object], writer: &Writer) -> Result<Vec<Script>, RunError> {
    let mut scripts = Vec::new();
    for text in script_text::write(objects) {
        scripts.push(Script {
            stage: text.stage,
            scope: text.scope,
            piece: writer.put(Segment::script(text.sql)).await?,
            objects: text.objects,
        });
    }
    Ok(scripts)
}

/// The files of Storage, in what is left of the time after what sealing needs.
async fn save_files(
    writer: Writer,
    rows: FileRows,
    from: &FileSource,
    deadline: Deadline,
) -> Result<(Writer, Option<FileFigures>), RunError> {
    let fetching = deadline.reserving(SEALING);
    let saved = in_time(deadline, files::save(&writer, rows, from, fetching)).await;
    keep_progress(&writer, deadline).await;
    let Saving { held, figures } = saved?;
    Ok((writer.holding(held), Some(figures)))
}

/// What cannot be written down is stored once more by the next run.
async fn keep_progress(writer: &Writer, deadline: Deadline) {
    let keeping = writer.keep_progress();
    if let Err(error) = in_time(deadline.or_at_least(LAST_WORDS), keeping).await {
        tracing::warn!(%error, "the progress of a backup cannot be written");
    }
}

/// Without its notes the next run reads everything.
async fn keep_notes(writer: &Writer, known: KnownRows, deadline: Deadline) {
    let keeping = writer.repository().note_rows(known);
    if let Err(error) = in_time(deadline.or_at_least(LAST_WORDS), keeping).await {
        tracing::warn!(%error, "what is known of rows cannot be noted down");
    }
}

async fn in_time<T, E>(
    deadline: Deadline,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, RunError>
where
    RunError: From<E>,
{
    match tokio::time::timeout(deadline.remaining(), work).await {
        Ok(done) => Ok(done?),
        Err(_) => Err(RunError::Deadline),
    }
}
