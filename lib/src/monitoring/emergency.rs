//! What happens when the database itself cannot take a tick: nothing can be
//! remembered there, so this instance speaks for itself, at most once an hour,
//! and hands what it said over with the next tick that commits.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use jiff::Timestamp;
use serde::Serialize;

use crate::{
    alerts,
    app::App,
    clock::{self, Deadline},
};

/// How often one instance may tell one channel.
const QUIET: Duration = Duration::from_secs(3600);

/// An outage that this instance saw, and whom it told. In memory only: an
/// instance that dies before handing over leaves a gap in the samples, which the
/// next tick reports.
#[derive(Debug, Default)]
pub struct Emergency {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    since: Option<Timestamp>,
    handover: Option<Handover>,
    told: HashMap<&'static str, Instant>,
}

/// An outage that was already reported, as the database takes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Handover {
    /// When the first tick failed.
    pub since: Timestamp,
    /// When the channels were told.
    pub sent_at: Timestamp,
    /// The channels that accepted the message.
    pub channels: Vec<&'static str>,
    /// Why the database could not take the tick.
    pub reason: String,
}

impl Emergency {
    /// Notes a tick that could not be taken, and tells each channel that was not
    /// told within the hour. Returns the channels told now.
    pub(super) async fn report(
        &self,
        app: &App,
        reason: &str,
        deadline: Deadline,
    ) -> Vec<&'static str> {
        let now = clock::now();
        let since = *self.lock().since.get_or_insert(now);
        let due = self.due(app.config.channels());
        let told = alerts::emergency::send(app, &due, since, reason, deadline).await;
        self.note(&told, since, now, reason);
        told
    }

    /// What the next tick that commits has to hand over.
    pub(super) fn handover(&self) -> Option<Handover> {
        self.lock().handover.clone()
    }

    /// A tick was committed: the outage is over and remembered.
    pub(super) fn clear(&self) {
        let mut state = self.lock();
        state.since = None;
        state.handover = None;
    }

    /// The channels that may hear from this instance again.
    fn due(&self, mut channels: Vec<&'static str>) -> Vec<&'static str> {
        let (state, now) = (self.lock(), clock::instant());
        channels.retain(|channel| {
            let told = state.told.get(channel);
            told.is_none_or(|told| now.duration_since(*told) >= QUIET)
        });
        channels
    }

    fn note(&self, told: &[&'static str], since: Timestamp, now: Timestamp, reason: &str) {
        if told.is_empty() {
            return;
        }
        let mut state = self.lock();
        let at = clock::instant();
        state.told.extend(told.iter().map(|channel| (*channel, at)));
        // What was told first is what a resolution has to answer.
        let handover = state.handover.get_or_insert_with(|| Handover {
            since,
            sent_at: now,
            channels: Vec::new(),
            reason: reason.to_owned(),
        });
        let news = told
            .iter()
            .filter(|channel| !handover.channels.contains(channel));
        let news: Vec<_> = news.copied().collect();
        handover.channels.extend(news);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
