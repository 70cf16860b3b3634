//! Chance that is the same in every run of the same seed.

/// Numbers that look random and are the same in every run.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// A number that the environment may set for this run.
#[expect(
    clippy::disallowed_methods,
    reason = "what to test is no configuration of the bundle"
)]
pub(crate) fn wanted(variable: &str) -> Option<u64> {
    let value = std::env::var(variable).ok()?;
    Some(value.parse().expect("a number"))
}

/// Any number that leaves room for as many seeds as anybody has time for.
pub(crate) fn any_seed() -> u64 {
    u64::from(uuid::Uuid::new_v4().as_fields().0)
}
