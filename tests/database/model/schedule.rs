//! What may happen to the monitor, in any order: a schedule is at most twenty
//! steps, the same in every run of the same seed.

use crate::chance::Dice;

/// The most steps of a schedule.
const STEPS: u64 = 20;

/// What is watched: two pages, whose alerts are critical and climb the ladder,
/// and a service, whose alert is of medium severity.
pub(super) const SUBJECTS: [&str; 3] = ["https://app.example/", "https://app.example/shop", "ai"];

/// What a tick found out about one subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Good,
    Bad,
    /// Not enough is known to say.
    Insufficient,
}

/// What a tick found out about each of [`SUBJECTS`].
pub(super) type Seen = [Verdict; 3];

/// How a channel answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Takes,
    /// It may have worked, and may work later.
    Jams,
    /// It cannot have worked, and may work later.
    Bounces,
    /// It will never work.
    Refuses,
    /// The worker dies before it sends.
    DiesBefore,
    /// The worker dies once the provider has the message.
    DiesAfter,
}

/// What a person does about an open alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Acknowledge,
    Snooze,
    Unacknowledge,
    Silence,
    Resolve,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    Tick(Seen),
    /// The answer of a commit is lost, so it is repeated.
    Repeated(Seen),
    /// Another caller comes in the same slot, while the tick works and after it.
    Doubled(Seen),
    /// A tick dies before it commits.
    Killed,
    /// A tick is so late that the next one has committed before it.
    Overtaken {
        late: Seen,
        next: Seen,
    },
    /// Nobody calls for so many seconds.
    Missed(i64),
    /// The database's clock is set back by so many seconds.
    SetBack(i64),
    /// Delivery by Slack and by email.
    Deliver([Answer; 2]),
    /// Delivery moves the ladder, whatever ticks do.
    Advance,
    /// On one of the open alerts.
    Act(Action, usize),
}

/// How a kind of step is made.
type Make = fn(&mut Fate) -> Step;

/// Each as often as its weight says.
const KINDS: [(u64, Make); 11] = [
    (30, |fate| Step::Tick(fate.seen())),
    (4, |fate| Step::Repeated(fate.seen())),
    (4, |fate| Step::Doubled(fate.seen())),
    (4, |_| Step::Killed),
    (4, |fate| Step::Overtaken {
        late: fate.seen(),
        next: fate.seen(),
    }),
    (5, |fate| Step::Missed(fate.between(60, 1_500))),
    (2, |fate| Step::SetBack(fate.between(1, 240))),
    (18, |fate| Step::Deliver([fate.answer(), fate.answer()])),
    (6, |_| Step::Advance),
    (10, |fate| Step::Act(fate.action(), fate.index(3))),
    (3, |_| Step::Missed(7_300)),
];

/// The schedule of that seed.
pub(super) fn schedule(seed: u64) -> Vec<Step> {
    let mut fate = Fate::new(seed);
    let steps = 5 + fate.roll(STEPS - 4);
    (0..steps).map(|_| fate.step()).collect()
}

/// What happens next, by chance.
pub(super) struct Fate {
    dice: Dice,
    /// How things stand; they change less often than they are looked at.
    now: Seen,
}

impl Fate {
    fn new(seed: u64) -> Self {
        Self {
            // Neighbours would begin alike.
            dice: Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15)),
            now: [Verdict::Good; 3],
        }
    }

    fn roll(&mut self, sides: u64) -> u64 {
        self.dice.roll(sides)
    }

    fn index(&mut self, sides: usize) -> usize {
        usize::try_from(self.roll(sides as u64)).unwrap()
    }

    fn between(&mut self, least: i64, most: i64) -> i64 {
        least + i64::try_from(self.roll((most - least).unsigned_abs())).unwrap()
    }

    fn step(&mut self) -> Step {
        let mut left = self.roll(KINDS.iter().map(|(weight, _)| weight).sum());
        for (weight, make) in KINDS {
            if left < weight {
                return make(self);
            }
            left -= weight;
        }
        unreachable!("the weights sum to the sides")
    }

    fn seen(&mut self) -> Seen {
        for subject in 0..self.now.len() {
            if self.roll(4) == 0 {
                self.now[subject] = match self.now[subject] {
                    Verdict::Bad => Verdict::Good,
                    Verdict::Good | Verdict::Insufficient => Verdict::Bad,
                };
            }
        }
        let mut seen = self.now;
        if self.roll(8) == 0 {
            seen[self.index(3)] = Verdict::Insufficient;
        }
        seen
    }

    fn answer(&mut self) -> Answer {
        match self.roll(12) {
            0..=5 => Answer::Takes,
            6..=7 => Answer::Jams,
            8 => Answer::Bounces,
            9 => Answer::Refuses,
            10 => Answer::DiesBefore,
            _ => Answer::DiesAfter,
        }
    }

    fn action(&mut self) -> Action {
        [
            Action::Acknowledge,
            Action::Snooze,
            Action::Unacknowledge,
            Action::Silence,
            Action::Resolve,
        ][self.index(5)]
    }
}
