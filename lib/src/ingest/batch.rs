//! A batch: the items of one request, what was left out of it, and the client's clock.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use outside::clock;
use uuid::Uuid;

use super::{check_in::CheckIn, check_run::CheckRun, deployment::Deployment, item::Item};

/// How many items a request may bring.
pub(super) const MOST: usize = 1_000;

/// Why those are left out that are more.
pub(super) const TOO_MANY: &str = "too many in a request";

/// How far a client's clock may be off before it is corrected.
const TOLERANCE: SignedDuration = SignedDuration::from_secs(60);

/// How many items were left out, by reason.
pub(super) type Drops = BTreeMap<String, u64>;

/// What a request brings.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// In the order in which they came.
    pub(super) items: Vec<Item>,
    /// What became of deployments.
    pub(super) deployments: Vec<Deployment>,
    /// What the client calls the limit under which each item falls; empty where it knows none.
    pub(super) categories: Vec<&'static str>,
    /// Reports of jobs, which no quota holds back.
    pub(super) check_ins: Vec<CheckIn>,
    /// Runs of the deployment check, which no quota holds back.
    pub(super) check_runs: Vec<CheckRun>,
    /// What was left out, and what the client says that it left out itself.
    pub(super) drops: Drops,
    /// What the client's clock said when it sent this.
    pub(super) sent_at: Option<Timestamp>,
    /// What the client calls all of it.
    pub(super) reference: Option<Uuid>,
}

impl Batch {
    /// Adds an item, or notes that it was one too many.
    pub(super) fn add(&mut self, item: Item) {
        if self.items.len() < MOST {
            self.items.push(item);
        } else {
            self.drop(TOO_MANY, 1);
        }
    }

    /// Adds an item under a limit of the client's, or notes that it was one too many.
    pub(super) fn add_of(&mut self, category: &'static str, item: Item) {
        self.add(item);
        self.categories.push(category);
        self.categories.truncate(self.items.len());
    }

    /// Notes what was left out.
    pub(super) fn drop(&mut self, reason: &str, items: u64) {
        if items > 0 {
            *self.drops.entry(reason.to_owned()).or_default() += items;
        }
    }

    /// The same with each error as part of an issue, and without those that are none.
    pub(super) fn judged(mut self) -> Self {
        let categories = std::mem::take(&mut self.categories);
        for (nth, mut item) in std::mem::take(&mut self.items).into_iter().enumerate() {
            match item.judge() {
                Ok(()) => {
                    self.items.push(item);
                    self.categories.extend(categories.get(nth));
                }
                Err(reason) => self.drop(reason, 1),
            }
        }
        self
    }

    /// The same with times by our clock, where the client's is off.
    pub(super) fn corrected(mut self) -> Self {
        let Some(sent_at) = self.sent_at else {
            return self;
        };
        let off = clock::now().duration_since(sent_at);
        if off.abs() > TOLERANCE {
            for item in &mut self.items {
                item.time = item.time.and_then(|time| time.checked_add(off).ok());
            }
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::item::Kind;

    #[test]
    fn a_clock_that_is_off_by_years_is_corrected_and_one_that_is_right_is_not() {
        let item = |time: Timestamp| Item::new(Kind::Event, "x", None, b"x").at(Some(time));
        let then: Timestamp = "1999-12-31T23:59:50Z".parse().unwrap();
        let batch = Batch {
            items: vec![item(then)],
            sent_at: Some("2000-01-01T00:00:00Z".parse().unwrap()),
            ..Batch::default()
        };
        let time = batch.corrected().items[0].time.unwrap();
        let ago = clock::now().duration_since(time);
        assert!((9..=12).contains(&ago.as_secs()), "{ago}");
        let now = clock::now();
        let batch = Batch {
            items: vec![item(now)],
            sent_at: Some(now),
            ..Batch::default()
        };
        assert_eq!(batch.corrected().items[0].time, Some(now));
    }

    #[test]
    fn what_is_no_error_takes_its_category_along() {
        let error = |message: &str| {
            let detail = serde_json::json!({ "message": message });
            let detail = detail.as_object().cloned().unwrap();
            Item::new(Kind::Error, "Error", None, message.as_bytes()).detail(detail)
        };
        let mut batch = Batch::default();
        batch.add_of("error", error("NEXT_REDIRECT;/login"));
        batch.add_of("span", Item::new(Kind::Span, "x", None, b"x"));
        batch.add_of("error", error("no wine"));
        let batch = batch.judged();
        assert_eq!(batch.items.len(), 2);
        assert_eq!(batch.categories, ["span", "error"]);
    }

    #[test]
    fn what_is_too_much_is_counted() {
        let mut batch = Batch::default();
        for nth in 0..=MOST {
            batch.add(Item::new(Kind::Event, "x", None, &nth.to_le_bytes()));
        }
        assert_eq!(batch.items.len(), MOST);
        assert_eq!(batch.drops["too many in a request"], 1);
    }
}
