//! Chance for tests that is the same in every run of the same seed.

/// Numbers that look random and are the same in every run.
#[derive(Clone, Debug)]
pub struct Dice(pub u64);

impl Dice {
    /// The next number, below `sides`.
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    /// The same for sums in which numbers are negative, too.
    pub fn below(&mut self, sides: u64) -> i64 {
        i64::try_from(self.roll(sides)).unwrap_or_default()
    }

    /// One of them, of which there is at least one.
    pub fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        let index = self.roll(all.len() as u64);
        &all[usize::try_from(index).unwrap_or_default()]
    }
}

/// A number that the environment may set for this run.
///
/// # Panics
/// If it is none: a test of another number than was asked for shows nothing.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "what to test is no configuration of the bundle"
)]
#[expect(
    clippy::expect_used,
    reason = "only tests ask, and this one is not to be run"
)]
pub fn wanted(variable: &str) -> Option<u64> {
    let value = std::env::var(variable).ok()?;
    Some(value.parse().expect("a number"))
}

/// Any number that leaves room for as many seeds as anybody has time for.
#[must_use]
pub fn any_seed() -> u64 {
    u64::from(uuid::Uuid::new_v4().as_fields().0)
}
