//! What of a backup is restored, and what of it may run together.

use std::{cmp::Reverse, collections::HashSet};

use super::{Cause, Selection};
use crate::{
    format::{Manifest, ScriptObject, TableData},
    schema::{Name, Scope},
};

/// The kinds of objects that are worth making together: they read whole tables.
const INDEX: &str = "index";
const CONSTRAINT: &str = "constraint";
const FOREIGN_KEY: &str = "foreign key";

/// What of a backup is restored.
pub(super) struct Plan<'a> {
    pub(super) manifest: &'a Manifest,
    /// The app's tables, the biggest first: they decide how long it takes.
    pub(super) app: Vec<&'a TableData>,
    /// The platform's tables, in the order in which they refer to each other.
    pub(super) managed: Vec<&'a TableData>,
    /// The tables without rows here that have rows in the backup.
    left: HashSet<&'a Name>,
}

impl<'a> Plan<'a> {
    pub(super) fn of(manifest: &'a Manifest, selection: &Selection) -> Result<Self, Cause> {
        let is_chosen = |data: &&TableData| match selection {
            Selection::All => true,
            Selection::Only(names) => names.contains(&data.table),
        };
        let unknown = unknown(manifest, selection);
        if !unknown.is_empty() {
            return Err(Cause::NotInBackup(unknown));
        }
        let (chosen, left): (Vec<_>, Vec<_>) = manifest.tables.iter().partition(is_chosen);
        let (mut app, managed): (Vec<_>, Vec<_>) = chosen
            .into_iter()
            .partition(|data| data.scope == Scope::App);
        app.sort_by_key(|data| Reverse(length(data)));
        Ok(Self {
            manifest,
            app,
            managed,
            left: left.into_iter().map(|data| &data.table).collect(),
        })
    }

    /// Every table whose rows are restored.
    pub(super) fn tables(&self) -> impl Iterator<Item = &'a TableData> + '_ {
        self.managed.iter().chain(&self.app).copied()
    }

    /// The length of all rows as COPY text.
    pub(super) fn bytes(&self) -> u64 {
        self.tables().map(length).sum()
    }

    /// Where an object stands among those that are made together: foreign keys
    /// need the keys of other tables, and the biggest table takes longest.
    pub(super) fn urgency(&self, object: &ScriptObject) -> impl Ord + use<> {
        let data = self
            .app
            .iter()
            .find(|data| Some(&data.table) == object.table.as_ref());
        let length = data.map_or(0, |data| length(data));
        (object.kind == FOREIGN_KEY, Reverse(length))
    }

    /// Whether a foreign key would look for rows that were not chosen. A table
    /// that is not in the backup itself is a partitioned one: some of its rows may
    /// be here, and others not.
    pub(super) fn leaves_out(&self, object: &ScriptObject) -> bool {
        let may_have_rows = |table: &Name| !self.left.contains(table);
        let has_all_rows = |table: &Name| self.tables().any(|data| data.table == *table);
        object.kind == FOREIGN_KEY
            && !self.left.is_empty()
            && object.table.as_ref().is_none_or(may_have_rows)
            && !object.refers_to.as_ref().is_none_or(has_all_rows)
    }
}

/// The length of a table's rows as COPY text.
pub(super) fn length(data: &TableData) -> u64 {
    data.pieces.iter().map(|piece| piece.raw_len).sum()
}

/// Whether an object may be made beside others at all.
pub(super) fn reads_tables(object: &ScriptObject) -> bool {
    object.kind == INDEX || object.kind == FOREIGN_KEY || object.kind == CONSTRAINT
}

/// Whether two objects must not be made at once: indexes of one table may, and
/// whatever changes a table has it to itself.
pub(super) fn exclude_each_other(one: &ScriptObject, other: &ScriptObject) -> bool {
    let both_indexes = one.kind == INDEX && other.kind == INDEX;
    !both_indexes && tables(one).any(|table| tables(other).any(|other| other == table))
}

fn tables(object: &ScriptObject) -> impl Iterator<Item = &Name> {
    object.table.iter().chain(&object.refers_to)
}

fn unknown(manifest: &Manifest, selection: &Selection) -> Vec<String> {
    let Selection::Only(names) = selection else {
        return Vec::new();
    };
    let is_unknown = |name: &&Name| !manifest.tables.iter().any(|data| data.table == **name);
    names
        .iter()
        .filter(is_unknown)
        .map(ToString::to_string)
        .collect()
}

#[cfg(test)]
mod tests {
    use crate::format::{Checksum, ServerFacts};

    use super::*;

    fn table(name: &str) -> Name {
        Name {
            schema: "public".into(),
            name: name.into(),
        }
    }

    fn object(kind: &str, on: &str, refers_to: Option<&str>) -> ScriptObject {
        ScriptObject {
            kind: kind.into(),
            name: on.into(),
            table: Some(table(on)),
            refers_to: refers_to.map(table),
            schema: None,
            needs: Vec::new(),
            offset: 0,
            length: 0,
        }
    }

    fn manifest(tables: &[&Name]) -> Manifest {
        let data = |table: &&Name| TableData {
            table: (*table).clone(),
            scope: Scope::App,
            columns: Vec::new(),
            types: Vec::new(),
            order: Vec::new(),
            rows: 0,
            checksum: Checksum {
                first: "0".into(),
                second: "0".into(),
            },
            pieces: Vec::new(),
        };
        Manifest {
            snapshot: String::new(),
            repo: uuid::Uuid::nil(),
            taken_at: jiff::Timestamp::UNIX_EPOCH,
            server: ServerFacts {
                version_num: 150_000,
                version: String::new(),
                database: String::new(),
                wal_lsn: String::new(),
                snapshot: String::new(),
            },
            settings: Vec::new(),
            epoch: 1,
            dedupe_key: String::new(),
            canary: String::new(),
            extensions: Vec::new(),
            roles: Vec::new(),
            scripts: Vec::new(),
            tables: tables.iter().map(data).collect(),
            sequences: Vec::new(),
            computed: Vec::new(),
            migrations: Vec::new(),
            excluded: Vec::new(),
            gaps: Vec::new(),
        }
    }

    #[test]
    fn what_changes_a_table_has_it_to_itself() {
        for (one, other, exclude) in [
            (
                object("index", "a", None),
                object("index", "a", None),
                false,
            ),
            (
                object("index", "a", None),
                object("constraint", "a", None),
                true,
            ),
            (
                object("constraint", "a", None),
                object("constraint", "b", None),
                false,
            ),
            (
                object("foreign key", "a", Some("b")),
                object("index", "b", None),
                true,
            ),
            (
                object("foreign key", "a", Some("b")),
                object("foreign key", "b", Some("a")),
                true,
            ),
            (
                object("foreign key", "a", Some("b")),
                object("foreign key", "c", Some("d")),
                false,
            ),
        ] {
            assert_eq!(
                exclude_each_other(&one, &other),
                exclude,
                "{one:?} {other:?}"
            );
            assert_eq!(
                exclude_each_other(&other, &one),
                exclude,
                "{other:?} {one:?}"
            );
        }
    }

    #[test]
    fn a_foreign_key_to_rows_that_are_not_here_is_left_out() {
        // `parted` is partitioned: only its partitions have rows of their own.
        let (here, elsewhere) = (table("here"), table("elsewhere"));
        let manifest = manifest(&[&here, &elsewhere]);
        let all = Plan::of(&manifest, &Selection::All).unwrap();
        let some = Plan::of(&manifest, &Selection::Only(vec![here])).unwrap();
        for (on, refers_to, left_out) in [
            ("here", "here", false),
            ("here", "elsewhere", true),
            ("elsewhere", "here", false),
            ("elsewhere", "elsewhere", false),
            ("here", "parted", true),
            ("parted", "elsewhere", true),
            ("parted", "here", false),
        ] {
            let key = object("foreign key", on, Some(refers_to));
            assert_eq!(some.leaves_out(&key), left_out, "{on} to {refers_to}");
            assert!(!all.leaves_out(&key), "{on} to {refers_to}");
        }
        assert!(!some.leaves_out(&object("index", "here", None)));
    }
}
