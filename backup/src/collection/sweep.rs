//! Which objects go, and which are going to: a pure function of what is listed and what is needed.

use std::collections::{BTreeMap, HashSet};

use jiff::{SignedDuration, Timestamp};

use crate::{format::Tombstone, store::Listed, tombstones::List};

/// An object that is younger than this may be one that a run has just stored for its backup.
pub const YOUNG: SignedDuration = SignedDuration::from_hours(72);

/// How long an object is on a list before it is deleted.
pub const NOTICE: SignedDuration = SignedDuration::from_hours(24);

/// One pass deletes at most one object of so many, unless it is told to.
pub const SHARE: usize = 4;

/// What one pass does.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Sweep {
    /// Objects that are deleted now, the oldest first.
    pub(super) ripe: Vec<Listed>,
    /// How many more were due, and would be too many at once.
    pub(super) held_back: usize,
    /// Objects that go onto a new list.
    pub(super) fresh: Vec<Tombstone>,
    /// Objects that are on a list, whose time has not come, and their bytes.
    pub(super) waiting: Vec<Listed>,
    /// Lists on which nothing is left that is going to be deleted.
    pub(super) settled: Vec<String>,
}

/// Decides it, by the store's clock.
pub(super) fn plan(
    listed: &[Listed],
    is_needed: impl Fn(&str) -> bool,
    lists: &[List],
    now: Timestamp,
    is_forced: bool,
) -> Sweep {
    let is_old = |object: &&Listed| now.duration_since(object.modified) > YOUNG;
    let candidates: BTreeMap<&str, &Listed> = listed
        .iter()
        .filter(|object| !is_needed(&object.path))
        .filter(is_old)
        .map(|object| (object.path.as_str(), object))
        .collect();
    let mut sweep = Sweep::default();
    let mut known = HashSet::new();
    for list in lists {
        let living = list.objects.iter().filter_map(|tombstone| {
            let object = candidates.get(tombstone.path.as_str())?;
            tombstone.is_of(object).then_some(*object)
        });
        let is_due = now.duration_since(list.since) >= NOTICE;
        let mut is_settled = true;
        for object in living {
            is_settled = false;
            if known.insert(object.path.as_str()) {
                let place = if is_due {
                    &mut sweep.ripe
                } else {
                    &mut sweep.waiting
                };
                place.push(object.clone());
            }
        }
        if is_settled {
            sweep.settled.push(list.path.clone());
        }
    }
    let new = candidates
        .values()
        .filter(|object| !known.contains(object.path.as_str()));
    sweep.fresh = new.map(|object| Tombstone::from(*object)).collect();
    sweep
        .ripe
        .sort_by(|one, other| (one.modified, &one.path).cmp(&(other.modified, &other.path)));
    if !is_forced {
        let most = (listed.len() / SHARE).max(1);
        sweep.held_back = sweep.ripe.len().saturating_sub(most);
        sweep.ripe.truncate(most);
    }
    sweep
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::constant(1_800_000_000, 0);

    fn hours_ago(hours: i64) -> Timestamp {
        NOW - SignedDuration::from_hours(hours)
    }

    fn object(path: &str, hours: i64) -> Listed {
        Listed {
            path: path.to_owned(),
            len: 10,
            modified: hours_ago(hours),
        }
    }

    fn list(path: &str, hours: i64, objects: &[Listed]) -> List {
        List {
            path: path.to_owned(),
            since: hours_ago(hours),
            objects: objects.iter().map(Tombstone::from).collect(),
        }
    }

    fn paths(objects: &[Listed]) -> Vec<&str> {
        objects.iter().map(|object| object.path.as_str()).collect()
    }

    #[test]
    fn what_is_old_and_not_needed_goes_onto_a_list_first() {
        let listed = [
            object("needed", 1000),
            object("young", 72),
            object("old", 73),
            object("ahead", -5),
        ];
        let sweep = plan(&listed, |path| path == "needed", &[], NOW, false);
        assert_eq!(sweep.fresh, [Tombstone::from(&listed[2])]);
        assert_eq!((sweep.ripe.len(), sweep.settled.len()), (0, 0));
    }

    #[test]
    fn what_is_on_a_list_for_a_day_goes_if_it_is_as_it_was() {
        let listed = [
            object("a", 100),
            object("b", 100),
            object("needed", 100),
            object("written again", 80),
        ];
        let on_it = [
            object("a", 100),
            object("needed", 100),
            object("written again", 100),
            object("gone", 100),
        ];
        let lists = [list("ripe", 24, &on_it), list("young", 23, &listed[1..2])];
        let sweep = plan(&listed, |path| path == "needed", &lists, NOW, true);
        assert_eq!(paths(&sweep.ripe), ["a"]);
        assert_eq!(paths(&sweep.waiting), ["b"]);
        assert_eq!(sweep.fresh, [Tombstone::from(&listed[3])]);
        assert_eq!(sweep.settled, Vec::<String>::new());
        let sweep = plan(&listed[2..], |path| path == "needed", &lists, NOW, true);
        assert_eq!(sweep.settled, ["ripe", "young"]);
    }

    #[test]
    fn a_clock_that_went_back_deletes_nothing() {
        let listed = [object("a", -1000)];
        let lists = [list("of the future", -900, &listed)];
        let sweep = plan(&listed, |_| false, &lists, NOW, true);
        assert_eq!(
            sweep,
            Sweep {
                settled: vec!["of the future".into()],
                ..Sweep::default()
            }
        );
    }

    #[test]
    fn a_pass_deletes_a_quarter_unless_it_is_forced() {
        let listed: Vec<_> = (0..40)
            .map(|number| object(&format!("{number:02}"), 200 - number))
            .collect();
        let lists = [list("ripe", 30, &listed)];
        let sweep = plan(&listed, |_| false, &lists, NOW, false);
        assert_eq!((sweep.ripe.len(), sweep.held_back), (10, 30));
        assert_eq!(paths(&sweep.ripe)[..2], ["00", "01"]);
        let sweep = plan(&listed, |_| false, &lists, NOW, true);
        assert_eq!((sweep.ripe.len(), sweep.held_back), (40, 0));
    }
}
