//! Whose rows a drill restores where not all of them can be: those that were not
//! tried for longest, as many as fit, so that every table has its turn.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::{
    format::{Manifest, TableData},
    schema::Name,
};

/// A table whose rows may be restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Which table.
    pub table: Name,
    /// The length of its rows as COPY text.
    pub bytes: u64,
    /// When a drill restored them last.
    pub drilled_at: Option<Timestamp>,
}

/// The tables of a backup, with the times at which drills restored them last: by a
/// table's plain name, where any drill is known.
#[must_use]
pub fn candidates(
    manifest: &Manifest,
    drilled: Option<&BTreeMap<String, Timestamp>>,
) -> Vec<Candidate> {
    let candidate = |data: &TableData| Candidate {
        table: data.table.clone(),
        bytes: data.pieces.iter().map(|piece| piece.raw_len).sum(),
        drilled_at: drilled.and_then(|drilled| drilled.get(&data.table.plain()).copied()),
    };
    manifest.tables.iter().map(candidate).collect()
}

/// The tables whose turn it is, within so many bytes of COPY text. The one that
/// waits longest always is among them, however big it is: otherwise a table that
/// exceeds the budget alone would never be tried.
#[must_use]
pub fn choose(mut candidates: Vec<Candidate>, budget: u64) -> Vec<Name> {
    candidates.sort_by(|one, other| {
        let key = |candidate: &Candidate| (candidate.drilled_at, candidate.bytes);
        key(one)
            .cmp(&key(other))
            .then_with(|| one.table.cmp(&other.table))
    });
    let mut left = budget;
    let mut chosen = Vec::new();
    for candidate in candidates {
        if candidate.bytes > left && !chosen.is_empty() {
            continue;
        }
        left = left.saturating_sub(candidate.bytes);
        chosen.push(candidate.table);
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(name: &str, bytes: u64, drilled_at: Option<i64>) -> Candidate {
        Candidate {
            table: Name {
                schema: "public".to_owned(),
                name: name.to_owned(),
            },
            bytes,
            drilled_at: drilled_at.map(|second| Timestamp::from_second(second).unwrap()),
        }
    }

    fn chosen(candidates: &[Candidate], budget: u64) -> Vec<String> {
        let names = choose(candidates.to_vec(), budget);
        names.into_iter().map(|name| name.name).collect()
    }

    #[test]
    fn whoever_waits_longest_comes_first_and_the_rest_is_filled_up() {
        let tables = [
            candidate("recent", 10, Some(9)),
            candidate("long_ago", 50, Some(1)),
            candidate("never", 40, None),
            candidate("too_big", 60, Some(2)),
        ];
        assert_eq!(chosen(&tables, 100), ["never", "long_ago", "recent"]);
        assert_eq!(chosen(&tables, 90), ["never", "long_ago"]);
        assert_eq!(chosen(&tables, u64::MAX).len(), 4);
    }

    #[test]
    fn a_table_bigger_than_the_budget_has_its_turn() {
        let tables = [
            candidate("small", 1, Some(5)),
            candidate("huge", 1_000, Some(4)),
        ];
        assert_eq!(chosen(&tables, 100), ["huge"]);
        assert_eq!(chosen(&[], 100), [""; 0]);
    }

    #[test]
    fn every_table_has_its_turn_however_small_the_budget() {
        let sizes = [3, 70, 5, 100, 20, 1];
        let mut tables: Vec<_> = sizes
            .iter()
            .zip(["a", "b", "c", "d", "e", "f"])
            .map(|(bytes, name)| candidate(name, *bytes, None))
            .collect();
        for round in 1..=sizes.len() {
            let now = i64::try_from(round).unwrap();
            for name in choose(tables.clone(), 10) {
                let table = tables.iter_mut().find(|known| known.table == name).unwrap();
                table.drilled_at = Some(Timestamp::from_second(now).unwrap());
            }
        }
        assert!(tables.iter().all(|table| table.drilled_at.is_some()));
    }
}
