//! What happens in a schedule, step by step, the same for the same seed.

use crate::chance::Dice;

/// Every channel, by the word that the database has for it.
pub(super) const CHANNELS: [&str; 4] = ["slack", "email", "discord", "webhook"];

/// What is watched: two pages and a check, by their names.
pub(super) const WATCHED: [&str; 3] = ["pagea", "pageb", "checkc"];

/// When a request fails, relative to the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    BeforeSending,
    AfterAnswer,
}

/// What becomes of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Lives,
    /// It is killed at that one of its requests.
    Dies {
        at: usize,
        moment: Moment,
    },
    /// From that one of its requests on, the next to the database is lost, or its answer.
    Loses {
        at: usize,
        moment: Moment,
    },
}

/// How a channel's provider behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    Works,
    /// Nothing listens there.
    Refuses,
    /// With that status, to everything.
    Answers(u16),
    /// Too much, with that Retry-After.
    Limits(Option<u32>),
    /// It takes the request and says nothing.
    Hangs,
    /// It cuts the connection and has taken nothing.
    Cuts,
    /// It takes the message and cuts the connection.
    LosesAnswers,
    /// One way or the other, by chance.
    Flaky,
}

/// What a person does about an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Acknowledge,
    /// By the link in an email, if one has come.
    FollowLink,
    Snooze,
    Unacknowledge,
    Resolve,
}

#[derive(Debug, Clone)]
pub(super) enum Step {
    /// So many ticks at once, and a minute later.
    Ticks(Vec<Fate>),
    /// The dispatch cron, so many at once.
    Deliveries(Vec<Fate>),
    /// Somebody raises a new alert at the door, of that severity, oddly written or not.
    Raise {
        severity: usize,
        odd: usize,
        fate: Fate,
    },
    /// Somebody says again that one goes on.
    RaiseAgain(usize),
    /// Somebody says that one is over.
    EndRaised(usize, Fate),
    /// What is watched goes away or comes back.
    Turn(usize),
    Break(usize, Fault),
    Heal(usize),
    Act {
        action: Action,
        nth: usize,
        minutes: i64,
        fate: Fate,
    },
    Silence {
        nth: usize,
        minutes: i64,
    },
    /// Announced maintenance of everything, from so many minutes on.
    Maintain {
        after: i64,
        minutes: i64,
    },
    OpenIncident,
    ChangeIncident {
        close: bool,
    },
    /// The two who are on call change shifts.
    ChangeShifts,
    Pass(i64),
}

/// The schedule of that seed.
pub(super) fn schedule(seed: u64) -> Vec<Step> {
    let mut chance = Chance(Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15)));
    let steps = 18 + chance.up_to(16);
    (0..steps).map(|_| chance.step()).collect()
}

/// How a kind of step is made.
type Make = fn(&mut Chance) -> Step;

/// Each as often as its weight says.
const KINDS: [(usize, Make); 16] = [
    (30, |chance| Step::Ticks(chance.fates(5))),
    (8, |chance| Step::Deliveries(chance.fates(2))),
    (18, |chance| Step::Raise {
        severity: chance.up_to(8),
        odd: chance.up_to(8),
        fate: chance.fate(),
    }),
    (2, |chance| Step::RaiseAgain(chance.up_to(4))),
    (6, |chance| Step::EndRaised(chance.up_to(4), chance.fate())),
    (10, |chance| Step::Turn(chance.up_to(3))),
    (9, |chance| Step::Break(chance.up_to(4), chance.fault())),
    (7, |chance| Step::Heal(chance.up_to(4))),
    (9, |chance| Step::Act {
        action: chance.action(),
        nth: chance.up_to(4),
        minutes: chance.minutes(60),
        fate: chance.fate(),
    }),
    (4, |chance| Step::Silence {
        nth: chance.up_to(4),
        minutes: chance.minutes(40),
    }),
    (2, |chance| Step::Maintain {
        after: chance.minutes(3) - 1,
        minutes: chance.minutes(30),
    }),
    (1, |_| Step::OpenIncident),
    (1, |chance| Step::ChangeIncident {
        close: chance.up_to(2) == 0,
    }),
    (2, |_| Step::ChangeShifts),
    (8, |chance| Step::Pass(60 * chance.minutes(8))),
    (3, |chance| Step::Pass(60 * chance.minutes(60))),
];

struct Chance(Dice);

impl Chance {
    fn up_to(&mut self, sides: usize) -> usize {
        usize::try_from(self.0.roll(sides as u64)).unwrap()
    }

    fn minutes(&mut self, most: i64) -> i64 {
        1 + i64::try_from(self.0.roll(most.unsigned_abs())).unwrap()
    }

    fn step(&mut self) -> Step {
        let mut left = self.up_to(KINDS.iter().map(|(weight, _)| weight).sum());
        for (weight, make) in KINDS {
            if left < weight {
                return make(self);
            }
            left -= weight;
        }
        unreachable!("the weights sum to the sides")
    }

    fn moment(&mut self) -> Moment {
        [Moment::BeforeSending, Moment::AfterAnswer][self.up_to(2)]
    }

    fn fate(&mut self) -> Fate {
        let moment = self.moment();
        match self.up_to(10) {
            0..=2 => Fate::Dies {
                at: 1 + self.up_to(16),
                moment,
            },
            3 => Fate::Loses {
                at: 1 + self.up_to(12),
                moment,
            },
            _ => Fate::Lives,
        }
    }

    /// One process more often than not.
    fn fates(&mut self, most: usize) -> Vec<Fate> {
        let many = if self.up_to(10) < 6 {
            1
        } else {
            1 + self.up_to(most)
        };
        (0..many).map(|_| self.fate()).collect()
    }

    fn fault(&mut self) -> Fault {
        match self.up_to(20) {
            0..=2 => Fault::Refuses,
            3..=5 => Fault::Answers(500),
            6 => Fault::Answers(503),
            7..=8 => Fault::Answers(401),
            9 => Fault::Limits(None),
            10..=11 => Fault::Limits(Some(1 + u32::try_from(self.up_to(300)).unwrap())),
            12 => Fault::Hangs,
            13..=14 => Fault::Cuts,
            15..=16 => Fault::LosesAnswers,
            _ => Fault::Flaky,
        }
    }

    fn action(&mut self) -> Action {
        [
            Action::Acknowledge,
            Action::Acknowledge,
            Action::FollowLink,
            Action::Snooze,
            Action::Unacknowledge,
            Action::Resolve,
        ][self.up_to(6)]
    }
}
