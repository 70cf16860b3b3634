//! What is known of one thing that is watched: when something has become of it that people
//! are to be told. Pure.
//!
//! Three bad looks in a row open, two good ones resolve. A look that says nothing, because the
//! network here is lost, changes nothing. What was never told is not resolved either.

use jiff::Timestamp;

/// How many looks in a row open, and how many resolve.
const BAD: u32 = 3;
const GOOD: u32 = 2;

/// What one look saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Seen {
    /// It answers as it should.
    Up,
    /// It does not; why.
    Down(String),
    /// Nobody could look from here.
    Unknown,
}

/// What people are to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum News {
    /// It does not work, since when and why.
    Opened { since: Timestamp, reason: String },
    /// It works again, after how it was since when.
    Resolved { since: Timestamp },
    /// It works, whatever an earlier run of this command left open.
    Works,
}

/// Who took the word that it does not work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// The bundle.
    Dispatch,
    /// The channels, by this command itself.
    Itself,
}

/// One thing that is watched.
#[derive(Debug, Default)]
pub(super) struct Watched {
    bad: u32,
    good: u32,
    /// Since when it has been bad, while it is.
    since: Option<Timestamp>,
    is_open: bool,
    /// Whether it was ever seen to work or to fail for good.
    is_settled: bool,
    /// By which way people know that it does not work.
    known_by: Option<Way>,
    pending: Option<News>,
}

impl Watched {
    /// Takes in what a look saw.
    pub(super) fn observe(&mut self, seen: &Seen, now: Timestamp) {
        match seen {
            Seen::Unknown => {}
            Seen::Down(reason) => {
                self.good = 0;
                self.bad = (self.bad + 1).min(BAD);
                let since = *self.since.get_or_insert(now);
                if self.bad == BAD && !self.is_open {
                    self.is_open = true;
                    self.is_settled = true;
                    self.pending = Some(News::Opened {
                        since,
                        reason: reason.clone(),
                    });
                }
            }
            Seen::Up => {
                self.bad = 0;
                self.good = (self.good + 1).min(GOOD);
                if self.is_open && self.good < GOOD {
                    return;
                }
                let since = self.since.take();
                if self.is_open {
                    self.is_open = false;
                    // What nobody was told of ends without a word.
                    self.pending = since
                        .filter(|_| self.known_by.is_some())
                        .map(|since| News::Resolved { since });
                } else if !self.is_settled && self.good == GOOD {
                    self.is_settled = true;
                    self.pending = Some(News::Works);
                }
            }
        }
    }

    /// What people are still to be told.
    pub(super) fn pending(&self) -> Option<&News> {
        self.pending.as_ref()
    }

    /// By which way a resolution has to go: that by which people know of it.
    pub(super) fn known_by(&self) -> Option<Way> {
        self.known_by
    }

    /// Somebody took it.
    pub(super) fn told(&mut self, way: Way) {
        self.known_by = match self.pending.take() {
            Some(News::Opened { .. }) => Some(way),
            Some(News::Resolved { .. } | News::Works) | None => None,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + 60 * minute).unwrap()
    }

    /// What is told after each look: `d`own, `u`p, `?`; everything is taken at once.
    fn told(looks: &str) -> Vec<(usize, String)> {
        let mut watched = Watched::default();
        let mut told = Vec::new();
        for (nth, look) in looks.chars().enumerate() {
            let seen = match look {
                'd' => Seen::Down("503".to_owned()),
                'u' => Seen::Up,
                _ => Seen::Unknown,
            };
            watched.observe(&seen, at(i64::try_from(nth).unwrap()));
            if let Some(news) = watched.pending() {
                let word = match news {
                    News::Opened { since, .. } => {
                        format!("opened {}", since.duration_since(at(0)).as_mins())
                    }
                    News::Resolved { .. } => "resolved".to_owned(),
                    News::Works => "works".to_owned(),
                };
                told.push((nth, word));
                watched.told(Way::Dispatch);
            }
        }
        told
    }

    #[test]
    fn three_bad_looks_open_and_two_good_ones_resolve() {
        for (looks, expected) in [
            ("ddd", vec![(2, "opened 0")]),
            ("udd", vec![]),
            ("ddudd", vec![]),
            ("dddddd", vec![(2, "opened 0")]),
            ("dddu", vec![(2, "opened 0")]),
            ("ddduu", vec![(2, "opened 0"), (4, "resolved")]),
            ("dddudu", vec![(2, "opened 0")]),
            ("uu", vec![(1, "works")]),
            (
                "uuuuuddduu",
                vec![(1, "works"), (7, "opened 5"), (9, "resolved")],
            ),
            // The network here is lost for a while: nothing is counted, nothing forgotten.
            ("dd??d", vec![(4, "opened 0")]),
            ("ddd??u?u", vec![(2, "opened 0"), (7, "resolved")]),
            ("????", vec![]),
        ] {
            let expected: Vec<_> = expected
                .into_iter()
                .map(|(nth, word)| (nth, word.to_owned()))
                .collect();
            assert_eq!(told(looks), expected, "{looks}");
        }
    }

    #[test]
    fn what_nobody_took_stays_pending_and_is_forgotten_when_it_is_over() {
        let mut watched = Watched::default();
        for minute in 0..4 {
            watched.observe(&Seen::Down("503".to_owned()), at(minute));
        }
        assert!(matches!(watched.pending(), Some(News::Opened { .. })));
        for minute in 4..6 {
            watched.observe(&Seen::Up, at(minute));
        }
        assert_eq!(watched.pending(), None);
    }

    #[test]
    fn a_resolution_goes_the_way_of_its_opening() {
        let mut watched = Watched::default();
        for minute in 0..3 {
            watched.observe(&Seen::Down("503".to_owned()), at(minute));
        }
        watched.told(Way::Itself);
        for minute in 3..5 {
            watched.observe(&Seen::Up, at(minute));
        }
        assert_eq!(watched.known_by(), Some(Way::Itself));
        assert!(matches!(watched.pending(), Some(News::Resolved { .. })));
        watched.told(Way::Itself);
        assert_eq!((watched.known_by(), watched.pending()), (None, None));
    }
}
