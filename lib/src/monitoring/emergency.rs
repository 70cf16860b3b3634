//! What happens when the database itself cannot take a tick: nothing can be
//! remembered there, so this instance sends by itself, at most once an hour, and
//! hands over what it sent with the next tick that commits.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use jiff::Timestamp;
use outside::clock::{self, Deadline};
use serde::Serialize;

use crate::{alerts, app::App, messages::channels::Channel};

/// How often one instance may send to one channel.
const QUIET: Duration = Duration::from_secs(3600);

/// An outage that this instance saw, and where it sent that. In memory only: an
/// instance that dies before handing over leaves a gap in the samples, which the
/// next tick reports.
#[derive(Debug, Default)]
pub(super) struct Emergency {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    since: Option<Timestamp>,
    handover: Option<Handover>,
    sent: HashMap<Channel, Instant>,
}

/// An outage that was already reported, as the database takes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Handover {
    /// When the first tick failed.
    pub(super) since: Timestamp,
    /// When it was sent to the channels.
    pub(super) sent_at: Timestamp,
    /// The channels that accepted the message.
    pub(super) channels: Vec<Channel>,
    /// Why the database could not take the tick.
    pub(super) reason: String,
}

impl Emergency {
    /// Notes a tick that could not be taken, and sends that to each channel to which
    /// nothing was sent within the hour. Returns the channels that accepted it now.
    pub(super) async fn report(&self, app: &App, reason: &str, deadline: Deadline) -> Vec<Channel> {
        let now = clock::now();
        let since = *self.lock().since.get_or_insert(now);
        let due = self.due(app.config.channels.list(), clock::instant());
        let sent = alerts::emergency::send(app, &due, since, reason, deadline).await;
        self.note(&sent, clock::instant(), since, now, reason);
        sent
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

    /// The channels to which this instance may send again.
    fn due(&self, mut channels: Vec<Channel>, now: Instant) -> Vec<Channel> {
        let state = self.lock();
        channels.retain(|channel| {
            let sent = state.sent.get(channel);
            sent.is_none_or(|sent| now.duration_since(*sent) >= QUIET)
        });
        channels
    }

    fn note(&self, sent: &[Channel], at: Instant, since: Timestamp, now: Timestamp, reason: &str) {
        if sent.is_empty() {
            return;
        }
        let mut state = self.lock();
        state.sent.extend(sent.iter().map(|channel| (*channel, at)));
        // What was sent first is what a resolution has to answer.
        let handover = state.handover.get_or_insert_with(|| Handover {
            since,
            sent_at: now,
            channels: Vec::new(),
            reason: reason.to_owned(),
        });
        let news = sent
            .iter()
            .filter(|channel| !handover.channels.contains(channel));
        let news: Vec<_> = news.copied().collect();
        handover.channels.extend(news);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messages::channels::{email, slack};

    #[test]
    fn a_channel_is_told_once_an_hour_whatever_is_committed_in_between() {
        let emergency = Emergency::default();
        let all = || vec![slack::CHANNEL, email::CHANNEL];
        let (start, now) = (clock::instant(), clock::now());
        emergency.note(&[slack::CHANNEL], start, now, now, "away");
        for (after_s, expected) in [
            (0, vec![email::CHANNEL]),
            (3_599, vec![email::CHANNEL]),
            (3_600, all()),
        ] {
            let at = start + Duration::from_secs(after_s);
            assert_eq!(emergency.due(all(), at), expected, "{after_s} s");
            emergency.clear();
            assert_eq!(emergency.due(all(), at), expected, "{after_s} s, over");
        }
        assert_eq!(emergency.handover(), None);
    }
}
