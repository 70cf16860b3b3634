//! The names that come from elsewhere and are shown one by one: so many at most, each once,
//! and none that does something to whoever looks at it. Pure.

use std::collections::BTreeSet;

/// How long a name may be, in characters.
const LONGEST: usize = 200;

/// The word for all that are not shown.
pub(super) const OTHER: &str = "other";

/// The names that are shown, and how much of the whole they have.
#[derive(Debug)]
pub(super) struct ShownNames {
    most: usize,
    taken: BTreeSet<String>,
}

impl ShownNames {
    /// Nothing yet, and so many at most.
    pub(super) fn at_most(most: usize) -> Self {
        Self {
            most,
            taken: BTreeSet::new(),
        }
    }

    /// The name as it is shown; `None` if it is one of the others: one too many, or one that
    /// looks like another.
    pub(super) fn admit(&mut self, name: &str) -> Option<String> {
        let shown = neutral(name);
        let fresh = self.taken.len() < self.most && shown != OTHER;
        (fresh && self.taken.insert(shown.clone())).then_some(shown)
    }
}

/// A name without what steers a terminal or turns the direction of a text.
pub(super) fn neutral(name: &str) -> String {
    let shown = name.chars().take(LONGEST);
    shown
        .map(|letter| match letter {
            '\u{200e}'
            | '\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}'
            | '\u{feff}' => char::REPLACEMENT_CHARACTER,
            letter if letter.is_control() => char::REPLACEMENT_CHARACTER,
            letter => letter,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_shown_once_and_never_as_the_others() {
        let mut names = ShownNames::at_most(3);
        for (name, shown) in [
            ("GET /wines", Some("GET /wines")),
            ("GET /wines", None),
            ("other", None),
            ("\u{1b}[2Jx\n", Some("\u{fffd}[2Jx\u{fffd}")),
            ("\u{0}[2Jx\r", None),
            ("", Some("")),
            ("GET /fourth", None),
        ] {
            assert_eq!(names.admit(name).as_deref(), shown, "{name:?}");
        }
        assert_eq!(neutral("a\u{202e}b\u{2066}"), "a\u{fffd}b\u{fffd}");
        assert_eq!(neutral(&"ü".repeat(300)).chars().count(), 200);
    }
}
