//! The page's document as this instance has it: asked of the database every few seconds at
//! most, kept for when the database is away, and looked for in the copy outside where this
//! instance has never seen it. So the page always answers, and says how old its figures are.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use backup::store::Store;
use outside::clock::{self, Deadline, Moment};

use super::{
    document::{Document, ReadStatus},
    outside_copy::DOCUMENT,
};
use crate::app::App;

/// How long an answer of the database is passed on.
const FRESH: Duration = Duration::from_secs(5);

/// How long the database may take, and the store after it.
const ASKING: Duration = Duration::from_secs(4);
const READING: Duration = Duration::from_secs(3);

/// What an instance remembers of the page.
#[derive(Debug, Default)]
pub(super) struct KeptCopy {
    kept: Mutex<Option<Kept>>,
    asking: tokio::sync::Mutex<()>,
}

#[derive(Debug, Clone)]
struct Kept {
    document: Document,
    /// When the database was asked last, whether or not it answered.
    asked: Moment,
}

impl KeptCopy {
    /// The document, as young as it can be had.
    pub(super) async fn document(&self, app: &App, deadline: Deadline) -> Document {
        if let Some(document) = self.fresh() {
            return document;
        }
        let asking = match (self.asking.try_lock(), self.last()) {
            (Ok(asking), _) => asking,
            // Somebody asks already: nobody waits for what can be answered at once.
            (Err(_), Some(document)) => return document,
            (Err(_), None) => self.asking.lock().await,
        };
        let document = match self.fresh() {
            Some(document) => document,
            None => self.ask(app, deadline).await,
        };
        drop(asking);
        document
    }

    async fn ask(&self, app: &App, deadline: Deadline) -> Document {
        let call = ReadStatus {
            p_environment: app.config.deployment.environment.as_str(),
        };
        let document = match app.call(&call, deadline.within(ASKING)).await {
            Ok(document) => document,
            Err(error) => {
                tracing::warn!(%error, "the status page is answered from a copy");
                match self.last() {
                    Some(document) => document,
                    None => outside(app, deadline)
                        .await
                        .unwrap_or_else(|| Document::of_nothing(clock::now())),
                }
            }
        };
        self.keep(document.clone());
        document
    }

    fn keep(&self, document: Document) {
        let kept = Kept {
            document,
            asked: Moment::now(),
        };
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(kept);
    }

    fn kept(&self) -> Option<Kept> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.clone()
    }

    fn fresh(&self) -> Option<Document> {
        let kept = self.kept()?;
        (kept.asked.age(Moment::now()) < FRESH).then_some(kept.document)
    }

    /// The last one that says something.
    fn last(&self) -> Option<Document> {
        let kept = self.kept()?.document;
        let says_something = !kept.is_public || kept.last_look_at.is_some();
        says_something.then_some(kept)
    }
}

/// The document in the copy outside.
async fn outside(app: &App, deadline: Deadline) -> Option<Document> {
    let copy = app.config.status_copy.as_ref()?;
    let store = Store::open(copy.url.as_str(), copy.credentials.as_ref(), &app.outbound)
        .inspect_err(|error| tracing::warn!(%error, "the copy of the status page cannot be opened"))
        .ok()?;
    let time = deadline.within(READING).remaining();
    let read = tokio::time::timeout(time, store.get_if_there(DOCUMENT))
        .await
        .ok()?;
    let bytes = read
        .inspect_err(|error| tracing::warn!(%error, "the copy of the status page cannot be read"))
        .ok()??;
    serde_json::from_slice(&bytes)
        .inspect_err(
            |error| tracing::warn!(%error, "the copy of the status page is not understood"),
        )
        .ok()
}
