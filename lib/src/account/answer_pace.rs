//! When an answer is given that must not tell, by the time it took, what it does not say.

use std::time::{Duration, Instant};

use outside::clock;

/// Refusals are given at the next whole step after the request came: Auth takes longer for
/// an address that somebody has, by the time it takes to look at a password.
const STEP: Duration = Duration::from_secs(1);
/// "A code is on its way" is given after so long, whatever Auth does meanwhile: for an
/// address that somebody has it answers only once the mail is handed over.
const CODE: Duration = Duration::from_millis(1_500);

/// The time since a request came.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace(Instant);

impl Pace {
    /// From now on.
    pub(super) fn begin() -> Self {
        Self(clock::instant())
    }

    /// Waits until a refusal may be given.
    pub(super) async fn refusal(self) {
        clock::wait(until_step(self.passed())).await;
    }

    /// What is left until a code is said to be on its way.
    pub(super) fn until_code(self) -> Duration {
        CODE.saturating_sub(self.passed())
    }

    fn passed(self) -> Duration {
        clock::instant().saturating_duration_since(self.0)
    }
}

/// How long it is until the next whole step.
fn until_step(passed: Duration) -> Duration {
    let steps = passed.as_millis() / STEP.as_millis() + 1;
    let next = STEP.saturating_mul(u32::try_from(steps).unwrap_or(u32::MAX));
    next.saturating_sub(passed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_given_at_a_whole_step_however_long_it_took() {
        for passed in [0, 1, 70, 999, 1_000, 1_001, 4_321] {
            let wait = until_step(Duration::from_millis(passed));
            let given = u128::from(passed) + wait.as_millis();
            assert_eq!(given % STEP.as_millis(), 0, "{passed}");
            assert!(given > u128::from(passed), "{passed}");
        }
    }
}
