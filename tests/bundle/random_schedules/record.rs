//! The schedule's own record: what was really so, and when. It is written from what the
//! schedule did and from what ticks saw, and rests on no rule of the database. What was
//! done happened at some time between its beginning and its answer.

use std::collections::{BTreeMap, VecDeque};

use jiff::{SignedDuration, Timestamp};

const BAD_AFTER: usize = 3;
const GOOD_AFTER: usize = 2;
/// So many bad ones of so many observations open an alert as well.
const MOST_RECENT: usize = 5;
const RECENT: usize = 9;
/// From so many openings within an hour on, twice as much good is needed.
const FLAPPING: usize = 3;
const ACKNOWLEDGED: SignedDuration = SignedDuration::from_mins(60);

/// Between these two times something happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
}

/// How something ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Good,
    ByHand,
}

/// Somebody has said that they are at it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Answered {
    pub(super) given: Span,
    pub(super) until: Timestamp,
    /// When they, or somebody, said something else.
    pub(super) ended: Option<Span>,
}

impl Answered {
    /// Whether it was certainly in force from one time to the other.
    pub(super) fn holds(&self, from: Timestamp, until: Timestamp) -> bool {
        self.given.until < from
            && until < self.until
            && self.ended.is_none_or(|end| until < end.from)
    }
}

/// From a beginning to its end.
#[derive(Debug, Clone)]
pub(super) struct Episode {
    pub(super) opened: Span,
    pub(super) ended: Option<(Span, End)>,
    pub(super) answers: Vec<Answered>,
}

impl Episode {
    fn new(opened: Span) -> Self {
        Self {
            opened,
            ended: None,
            answers: Vec::new(),
        }
    }
}

/// What ticks have seen of something, as far as it decides what comes next.
#[derive(Debug, Default)]
struct Seen {
    bad: usize,
    good: usize,
    recent: VecDeque<bool>,
}

/// Something that goes wrong and becomes well again.
#[derive(Debug, Default)]
pub(super) struct Thing {
    pub(super) severity: &'static str,
    pub(super) watched: bool,
    pub(super) episodes: Vec<Episode>,
    seen: Seen,
}

impl Thing {
    pub(super) fn open(&self) -> Option<&Episode> {
        self.episodes.last().filter(|last| last.ended.is_none())
    }

    fn open_mut(&mut self) -> Option<&mut Episode> {
        self.episodes.last_mut().filter(|last| last.ended.is_none())
    }

    pub(super) fn begin(&mut self, at: Span) {
        if self.open().is_none() {
            self.episodes.push(Episode::new(at));
        }
    }

    pub(super) fn end(&mut self, at: Span, how: End) {
        if let Some(open) = self.open_mut() {
            open.ended = Some((at, how));
        }
        // What is still bad counts anew.
        self.seen = Seen::default();
    }

    pub(super) fn answer(&mut self, given: Span, until: Option<Timestamp>) {
        self.take_answer_back(given);
        if let Some(open) = self.open_mut() {
            open.answers.push(Answered {
                given,
                until: until.unwrap_or(given.from + ACKNOWLEDGED),
                ended: None,
            });
        }
    }

    pub(super) fn take_answer_back(&mut self, at: Span) {
        let answers = self.open_mut().map(|open| &mut open.answers);
        for answer in answers.into_iter().flatten() {
            answer.ended.get_or_insert(at);
        }
    }

    pub(super) fn observe(&mut self, good: bool, at: Span) {
        if good {
            self.observe_good(at);
        } else {
            self.observe_bad(at);
        }
    }

    fn observe_bad(&mut self, at: Span) {
        self.seen.bad += 1;
        self.seen.good = 0;
        if self.open().is_some() {
            return;
        }
        self.remember(true);
        let bad = self.seen.recent.iter().filter(|bad| **bad).count();
        if self.seen.bad >= BAD_AFTER || bad >= MOST_RECENT {
            self.seen.recent.clear();
            self.begin(at);
        }
    }

    fn observe_good(&mut self, at: Span) {
        self.seen.good += 1;
        let enough = if self.flaps(at.from) {
            2 * GOOD_AFTER
        } else {
            GOOD_AFTER
        };
        match self.open() {
            Some(_) if self.seen.good < enough => {}
            Some(_) => self.end(at, End::Good),
            None => {
                self.seen.bad = 0;
                self.remember(false);
            }
        }
    }

    fn remember(&mut self, bad: bool) {
        self.seen.recent.push_back(bad);
        if self.seen.recent.len() > RECENT {
            self.seen.recent.pop_front();
        }
    }

    fn flaps(&self, now: Timestamp) -> bool {
        let hour_ago = now - SignedDuration::from_hours(1);
        let lately = self
            .episodes
            .iter()
            .filter(|episode| episode.opened.from > hour_ago);
        lately.count() >= FLAPPING
    }
}

/// Nothing is to be said, of one thing or of all, from when on at the latest and until
/// when.
#[derive(Debug)]
pub(super) struct Silence {
    pub(super) of: Option<String>,
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
}

/// When a contact is on duty, by the hours of the day; `None` is always.
pub(super) type Hours = Option<(i64, i64)>;

#[derive(Debug, Default)]
pub(super) struct Record {
    /// By the word that every message about it holds.
    pub(super) things: BTreeMap<String, Thing>,
    pub(super) silences: Vec<Silence>,
    /// Who was on duty when, by name: the hours that were set, in order of time.
    pub(super) shifts: Vec<(Timestamp, &'static str, Hours)>,
    /// Titles of the incidents that people opened.
    pub(super) incidents: Vec<String>,
    /// Ticks that were done while every channel worked and nothing broke.
    pub(super) undisturbed: Vec<Timestamp>,
    /// When any channel did not work, or a process died.
    pub(super) disturbed: Vec<Timestamp>,
}

impl Record {
    pub(super) fn observe(&mut self, name: &str, good: bool, at: Span) {
        let mut things = self.things.iter_mut();
        if let Some((_, thing)) =
            things.find(|(token, thing)| thing.watched && name.ends_with(token.as_str()))
        {
            thing.observe(good, at);
        }
    }

    /// Whether nothing is to be said about something, certainly from one time to the other.
    pub(super) fn is_silent(&self, token: &str, from: Timestamp, until: Timestamp) -> bool {
        self.silences.iter().any(|silence| {
            silence.of.as_deref().is_none_or(|of| of == token)
                && silence.from < from
                && until < silence.until
        })
    }

    /// Whether a contact is on duty then, as far as is known of it.
    pub(super) fn is_on_duty(&self, name: &str, at: Timestamp) -> bool {
        let mut shifts = self.shifts.iter();
        let hour = at.as_second() / 3_600 % 24;
        match shifts.rfind(|(from, who, _)| *who == name && *from <= at) {
            Some((_, _, Some((from, until)))) if from < until => (*from..*until).contains(&hour),
            Some((_, _, Some((from, until)))) => hour >= *from || hour < *until,
            Some((_, _, None)) => true,
            None => false,
        }
    }
}
