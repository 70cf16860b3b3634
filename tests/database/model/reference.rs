//! The rules as a reader can check them by eye, in seconds since the schedule
//! began. Times are the database's, which may be set back.

use std::collections::{BTreeMap, VecDeque};

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

/// Minutes after a critical alert opened at which each role is due.
const DUE: [(&str, i64); 8] = [
    ("on_call_primary", 0),
    ("on_call_secondary", 15),
    ("engineering_manager", 30),
    ("senior_engineer", 30),
    ("cto", 60),
    ("vendor_support", 60),
    ("executive", 120),
    ("external_consultant", 120),
];

/// What can be read of an alert afterwards.
#[derive(Debug, Default, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct History {
    pub(super) subject: usize,
    pub(super) opened: i64,
    pub(super) resolved: Option<i64>,
    /// Who was told by the ladder, and when.
    pub(super) told: BTreeMap<String, i64>,
}

#[derive(Debug, Default)]
struct Alert {
    history: History,
    acknowledged_until: Option<i64>,
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
            self.alerts.push(Alert {
                history,
                acknowledged_until: None,
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
            .map(|alert| alert.history.clone())
            .collect();
        histories.sort();
        histories
    }

    /// Everybody is told whose time has come, if the alert fires by then.
    pub(super) fn advance(&mut self, now: i64) {
        let open = self.alerts.iter_mut();
        for alert in open.filter(|alert| alert.history.resolved.is_none()) {
            let history = &mut alert.history;
            if alert.acknowledged_until.is_some_and(|until| until <= now) {
                alert.acknowledged_until = None;
            }
            let silenced = self.silenced_until[history.subject] > Some(now);
            let climbs = SUBJECTS[history.subject].starts_with("https");
            if alert.acknowledged_until.is_some() || silenced || !climbs {
                continue;
            }
            for (role, due) in DUE {
                if history.opened + due * MINUTE <= now {
                    history.told.entry(role.to_owned()).or_insert(now);
                }
            }
        }
    }

    pub(super) fn act(&mut self, action: Action, subject: usize, now: i64) {
        let Some(alert) = self.open(subject) else {
            return;
        };
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
