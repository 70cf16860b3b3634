//! What the door changed about what came through it, so that the caller can be
//! told, and whoever reads the alert sees that it is not as it was sent.

/// How many notes are named; more would not be read.
const NAMED: usize = 20;

/// Notes on a request, in its order.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct DoorNotes {
    named: Vec<String>,
    more: usize,
}

impl DoorNotes {
    /// Notes something about a place, such as `alerts[1].title`.
    pub(super) fn add(&mut self, place: &str, note: &str) {
        if self.named.len() < NAMED {
            self.named.push(format!("{place}: {note}"));
        } else {
            self.more += 1;
        }
    }

    /// Notes what was noted about one element of a list.
    pub(super) fn append(&mut self, place: &str, notes: Self) {
        for note in notes.named {
            if self.named.len() < NAMED {
                self.named.push(format!("{place}{note}"));
            } else {
                self.more += 1;
            }
        }
        self.more += notes.more;
    }

    /// One text each, the last of which says how many are left out; none if there
    /// is nothing to tell.
    pub(super) fn texts(&self) -> Vec<String> {
        let mut texts = self.named.clone();
        if self.more > 0 {
            texts.push(format!("and {} more", self.more));
        }
        texts
    }

    /// All of them in one text; nothing if there is nothing to tell.
    pub(super) fn text(&self) -> Option<String> {
        let texts = self.texts();
        (!texts.is_empty()).then(|| texts.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_notes_are_named_and_the_others_counted() {
        assert_eq!(DoorNotes::default().text(), None);
        let mut element = DoorNotes::default();
        for number in 0..15 {
            element.add(&number.to_string(), "cut");
        }
        let mut notes = DoorNotes::default();
        notes.add("body", "repaired");
        notes.append("alerts[0].", element);
        assert_eq!(notes.texts()[..2], ["body: repaired", "alerts[0].0: cut"]);
        for number in 0..7 {
            notes.add(&number.to_string(), "left out");
        }
        let texts = notes.texts();
        assert_eq!((texts.len(), texts[20].as_str()), (21, "and 3 more"));
    }
}
