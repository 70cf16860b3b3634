//! How many rows a part deletes: so many that whoever changes one of them, and finds it
//! locked until the part ends, hardly notices.

use std::time::Duration;

/// What a part should take at most.
const LONGEST: Duration = Duration::from_millis(100);

/// The fewest rows of a part.
const FEWEST: u32 = 125;

/// The most.
const MOST: u32 = 16_000;

/// The size of a table's next part.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Pace(u32);

impl Default for Pace {
    fn default() -> Self {
        Self(1_000)
    }
}

impl Pace {
    /// How many rows the next part deletes at most.
    pub(crate) fn rows(&self) -> u32 {
        self.0
    }

    /// Takes into account how long the last part took.
    pub(crate) fn took(&mut self, time: Duration) {
        if time > LONGEST {
            self.0 = (self.0 / 2).max(FEWEST);
        } else if time < LONGEST / 3 {
            self.0 = (self.0 * 2).min(MOST);
        }
    }

    /// After a part that failed: the fewest rows. False if it had no more.
    pub(crate) fn slow_down(&mut self) -> bool {
        std::mem::replace(&mut self.0, FEWEST) > FEWEST
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_grows_while_it_is_quick_and_shrinks_where_it_is_slow() {
        for (rows, milliseconds, next) in [
            (1_000, 20, 2_000),
            (1_000, 33, 2_000),
            (1_000, 34, 1_000),
            (1_000, 100, 1_000),
            (1_000, 101, 500),
            (200, 5_000, FEWEST),
            (FEWEST, 5_000, FEWEST),
            (MOST, 0, MOST),
        ] {
            let mut pace = Pace(rows);
            pace.took(Duration::from_millis(milliseconds));
            assert_eq!(pace, Pace(next), "{rows} in {milliseconds} ms");
        }
    }

    #[test]
    fn a_part_that_failed_is_tried_once_more_with_the_fewest_rows() {
        let mut pace = Pace::default();
        assert!(pace.slow_down());
        assert_eq!(pace.rows(), FEWEST);
        assert!(!pace.slow_down());
    }
}
