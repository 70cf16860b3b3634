//! The rules as a reader can check them by eye, in seconds since the schedule
//! began. Times are the database's, which may be set back.

use std::collections::VecDeque;

use super::schedule::{Action, SUBJECTS, Seen, Verdict};

const MINUTE: i64 = 60;
const BAD_AFTER: u32 = 3;
const GOOD_AFTER: u32 = 2;
/// So many bad ones of so many observations open an alert as well.
const MOST_RECENT: usize = 5;
const RECENT: usize = 9;
/// From so many openings within an hour on, twice as much good is needed.
const FLAPPING: usize = 3;

/// How long what people do lasts.
pub(super) const ACKNOWLEDGED: i64 = 60 * MINUTE;
pub(super) const SNOOZED: i64 = 90 * MINUTE;
pub(super) const SILENCED: i64 = 20 * MINUTE;

/// Minutes after a ladder began at which each rung is due, and whom it asks.
const RUNGS: [(i64, &[&str]); 5] = [
    (0, &["on_call_primary"]),
    (15, &["on_call_secondary"]),
    (30, &["engineering_manager", "senior_engineer"]),
    (60, &["cto", "vendor_support"]),
    (120, &["executive", "external_consultant"]),
];
/// How long after its last rung a ladder begins again.
const REPEATED: i64 = 60 * MINUTE;
/// A rung that is later than that makes those after it as late.
const PUNCTUAL: i64 = 5 * MINUTE;

/// What can be read of an alert afterwards.
#[derive(Debug, Default, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct History {
    pub(super) subject: usize,
    pub(super) opened: i64,
    pub(super) resolved: Option<i64>,
    /// Whom the ladder asked, and when, in order.
    pub(super) told: Vec<(i64, String)>,
}

#[derive(Debug, Default)]
struct Alert {
    history: History,
    acknowledged_until: Option<i64>,
    ladder: Ladder,
}

/// A rung: when it is due, and which of [`RUNGS`] it is.
type Rung = (i64, usize);

/// Whom an alert asks, and has asked.
#[derive(Debug, Default)]
struct Ladder {
    /// In the order in which they are due.
    waiting: Vec<Rung>,
    /// Each with the time at which it asked.
    taken: Vec<(i64, Rung)>,
}

impl Ladder {
    fn begin(&mut self, at: i64) {
        let rungs = RUNGS.iter().enumerate();
        self.waiting = rungs
            .map(|(nth, (after, _))| (at + after * MINUTE, nth))
            .collect();
    }

    fn delay(&mut self, length: i64) {
        for (due, _) in &mut self.waiting {
            *due += length;
        }
    }

    fn last_due(&self) -> Option<i64> {
        self.taken.iter().map(|(_, (due, _))| *due).max()
    }

    /// Goes on from now: the next rung comes as long after now as after the last one.
    fn resume(&mut self, now: i64) {
        if let Some((next, _)) = self.waiting.first().copied() {
            let distance = next - self.last_due().unwrap_or(next);
            self.delay((now + distance - next).max(0));
        }
    }

    fn climb(&mut self, now: i64) {
        while let Some(rung) = self.waiting.first().copied().filter(|(due, _)| *due <= now) {
            self.waiting.remove(0);
            self.taken.push((now, rung));
            if now - rung.0 > PUNCTUAL {
                self.delay(now - rung.0);
            }
        }
    }

    /// What was asked at those times reached nobody, and is still to be asked.
    fn take_back(&mut self, times: &[i64]) {
        let unasked = |(at, _): &(i64, Rung)| times.contains(at);
        self.waiting.extend(
            self.taken
                .iter()
                .filter(|taken| unasked(taken))
                .map(|(_, rung)| *rung),
        );
        self.taken.retain(|taken| !unasked(taken));
        self.waiting.sort_unstable();
    }

    fn told(&self) -> Vec<(i64, String)> {
        let asked = self.taken.iter().flat_map(|(at, (_, nth))| {
            let (_, roles) = RUNGS[*nth];
            roles.iter().map(|role| (*at, (*role).to_owned()))
        });
        let mut told: Vec<_> = asked.collect();
        told.sort_unstable();
        told
    }
}

/// What is remembered of a subject between two ticks.
#[derive(Debug, Default, Clone)]
struct Counts {
    bad: u32,
    good: u32,
    /// The last observations while no alert was open, and whether each was bad.
    recent: VecDeque<bool>,
}

impl Counts {
    fn remember(&mut self, bad: bool) {
        self.recent.push_back(bad);
        if self.recent.len() > RECENT {
            self.recent.pop_front();
        }
    }

    /// Whether it was bad more often than not of late.
    fn comes_and_goes(&self) -> bool {
        self.recent.iter().filter(|bad| **bad).count() >= MOST_RECENT
    }
}

#[derive(Debug, Default)]
pub(super) struct Reference {
    alerts: Vec<Alert>,
    counts: [Counts; 3],
    silenced_until: [Option<i64>; 3],
}

impl Reference {
    pub(super) fn observe(&mut self, seen: Seen, now: i64) {
        for (subject, verdict) in seen.into_iter().enumerate() {
            match verdict {
                Verdict::Bad => self.observe_bad(subject, now),
                Verdict::Good => self.observe_good(subject, now),
                Verdict::Insufficient => {}
            }
        }
        self.advance(now);
    }

    fn observe_bad(&mut self, subject: usize, now: i64) {
        let open = self.open(subject).is_some();
        let counts = &mut self.counts[subject];
        counts.bad += 1;
        counts.good = 0;
        if open {
            return;
        }
        counts.remember(true);
        if counts.bad >= BAD_AFTER || counts.comes_and_goes() {
            counts.recent.clear();
            let history = History {
                subject,
                opened: now,
                ..History::default()
            };
            let mut ladder = Ladder::default();
            if SUBJECTS[subject].starts_with("https") {
                ladder.begin(now);
            }
            self.alerts.push(Alert {
                history,
                acknowledged_until: None,
                ladder,
            });
        }
    }

    fn observe_good(&mut self, subject: usize, now: i64) {
        let flapping = self.openings(subject, now) >= FLAPPING;
        let enough = if flapping { 2 * GOOD_AFTER } else { GOOD_AFTER };
        self.counts[subject].good += 1;
        if self.open(subject).is_some() && self.counts[subject].good < enough {
            return;
        }
        let mut recent = std::mem::take(&mut self.counts[subject]).recent;
        if let Some(alert) = self.open(subject) {
            alert.history.resolved = Some(now);
            return;
        }
        std::mem::swap(&mut self.counts[subject].recent, &mut recent);
        self.counts[subject].remember(false);
    }

    fn openings(&self, subject: usize, now: i64) -> usize {
        let lately = now - 60 * MINUTE + 1..=now;
        let openings = self.alerts.iter();
        openings
            .map(|alert| &alert.history)
            .filter(|alert| alert.subject == subject && lately.contains(&alert.opened))
            .count()
    }

    fn open(&mut self, subject: usize) -> Option<&mut Alert> {
        let mut alerts = self.alerts.iter_mut();
        alerts.find(|alert| alert.history.subject == subject && alert.history.resolved.is_none())
    }

    pub(super) fn open_subjects(&self) -> Vec<usize> {
        let open = self.alerts.iter().map(|alert| &alert.history);
        open.filter(|alert| alert.resolved.is_none())
            .map(|alert| alert.subject)
            .collect()
    }

    /// Every alert so far, sorted.
    pub(super) fn histories(&self) -> Vec<History> {
        let mut histories: Vec<_> = self
            .alerts
            .iter()
            .map(|alert| History {
                told: alert.ladder.told(),
                ..alert.history.clone()
            })
            .collect();
        histories.sort();
        histories
    }

    /// Everybody is told whose time has come, if the alert fires by then.
    pub(super) fn advance(&mut self, now: i64) {
        let open = self.alerts.iter_mut();
        for alert in open.filter(|alert| alert.history.resolved.is_none()) {
            if alert.acknowledged_until.is_some_and(|until| until <= now) {
                alert.acknowledged_until = None;
                alert.ladder.resume(now);
            }
            let silenced = self.silenced_until[alert.history.subject] > Some(now);
            if alert.acknowledged_until.is_some() || silenced {
                continue;
            }
            alert.ladder.climb(now);
            if let (true, Some(last)) = (alert.ladder.waiting.is_empty(), alert.ladder.last_due()) {
                alert.ladder.begin(last + REPEATED);
            }
        }
    }

    /// Somebody does something about an alert. What asked people at those times was
    /// given to nobody.
    pub(super) fn act(&mut self, action: Action, subject: usize, unheard: &[i64], now: i64) {
        let Some(alert) = self.open(subject) else {
            return;
        };
        if matches!(action, Action::Acknowledge | Action::Snooze) {
            alert.ladder.take_back(unheard);
        }
        match action {
            Action::Acknowledge => alert.acknowledged_until = Some(now + ACKNOWLEDGED),
            Action::Snooze => alert.acknowledged_until = Some(now + SNOOZED),
            Action::Unacknowledge => alert.acknowledged_until = None,
            Action::Resolve => {
                alert.history.resolved = Some(now);
                // What is still bad counts anew.
                self.counts[subject] = Counts::default();
            }
            Action::Silence => {
                let until = &mut self.silenced_until[subject];
                *until = (*until).max(Some(now + SILENCED));
            }
        }
    }
}
