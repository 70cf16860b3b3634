//! What a run notes down of the rows that it reads, for the next one.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use crate::{
    format::{KnownPiece, KnownRows, KnownTable},
    schema::Name,
};

/// What earlier runs noted down, and what this one does.
#[derive(Debug)]
pub(super) struct RowNotes {
    before: KnownRows,
    same_server: bool,
    now: Mutex<KnownRows>,
}

impl RowNotes {
    /// Notes of a run on a server with this version and these settings.
    pub(super) fn new(
        before: KnownRows,
        version_num: u32,
        settings: Vec<(String, String)>,
    ) -> Self {
        Self {
            same_server: before.version_num == version_num && before.settings == settings,
            before,
            now: Mutex::new(KnownRows {
                version_num,
                settings,
                tables: Vec::new(),
            }),
        }
    }

    /// Whether the earlier notes are of the same server with the same settings.
    pub(super) fn same_server(&self) -> bool {
        self.same_server
    }

    /// What was known of a table before.
    pub(super) fn of(&self, table: &Name) -> Option<&KnownTable> {
        let mut tables = self.before.tables.iter();
        tables.find(|known| known.table == *table)
    }

    /// Notes down a table, in place of what this run noted of it.
    pub(super) fn put(&self, table: KnownTable) {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        now.tables.retain(|known| known.table != table.table);
        now.tables.push(table);
    }

    /// Adds the next piece to a table that this run has noted.
    pub(super) fn add(&self, table: &Name, piece: KnownPiece) {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        // The one that was noted last, most often.
        let mut tables = now.tables.iter_mut().rev();
        if let Some(known) = tables.find(|known| known.table == *table) {
            known.pieces.push(piece);
        }
    }

    /// What is known now. Of tables that a run did not come to, that is what was known before;
    /// those that one which came to its end did not find are gone.
    pub(super) fn known(&self, came_to_its_end: bool) -> KnownRows {
        let mut known = self
            .now
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let mut tables: BTreeMap<Name, KnownTable> = BTreeMap::new();
        if !came_to_its_end && self.same_server {
            let before = self.before.tables.iter().cloned();
            tables.extend(before.map(|known| (known.table.clone(), known)));
        }
        tables.extend(
            known
                .tables
                .drain(..)
                .map(|known| (known.table.clone(), known)),
        );
        known.tables = tables.into_values().collect();
        known
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn table(name: &str, rest: u32) -> KnownTable {
        KnownTable {
            table: Name {
                schema: "public".to_owned(),
                name: name.to_owned(),
            },
            read_at: Timestamp::UNIX_EPOCH,
            spread: 0,
            rest,
            columns: Vec::new(),
            types: Vec::new(),
            order: Vec::new(),
            pieces: Vec::new(),
        }
    }

    #[test]
    fn what_a_run_did_not_come_to_stays_known_if_it_was_cut_short() {
        let before = KnownRows {
            version_num: 150_000,
            settings: Vec::new(),
            tables: vec![table("a", 1), table("b", 1)],
        };
        let check = |version_num, came_to_its_end, expected: &[(&str, u32)]| {
            let notes = RowNotes::new(before.clone(), version_num, Vec::new());
            notes.put(table("b", 1));
            notes.put(table("b", 2));
            notes.put(table("c", 2));
            let known = notes.known(came_to_its_end);
            let known = known.tables.iter();
            let found: Vec<_> = known
                .map(|known| (known.table.name.as_str(), known.rest))
                .collect();
            assert_eq!(found, expected);
            assert_eq!(notes.known(came_to_its_end).version_num, version_num);
        };
        check(150_000, true, &[("b", 2), ("c", 2)]);
        check(150_000, false, &[("a", 1), ("b", 2), ("c", 2)]);
        check(170_000, false, &[("b", 2), ("c", 2)]);
    }
}
