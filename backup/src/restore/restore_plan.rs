//! What of a backup is restored, and what of it may run together.

use std::cmp::Reverse;

use crate::{
    format::{ScriptObject, TableData},
    schema::Name,
    selection::Chosen,
};

/// The kinds of objects that are worth making together: they read whole tables.
const INDEX: &str = "index";
const CONSTRAINT: &str = "constraint";
const FOREIGN_KEY: &str = "foreign key";

/// What of a backup is restored.
pub(super) struct Plan<'a> {
    pub(super) chosen: Chosen<'a>,
    /// The app's tables, the biggest first: they decide how long it takes.
    pub(super) app: Vec<&'a TableData>,
    /// The platform's tables, in the order in which they refer to each other.
    pub(super) managed: Vec<&'a TableData>,
}

impl<'a> Plan<'a> {
    pub(super) fn of(chosen: Chosen<'a>) -> Self {
        let mut app: Vec<_> = chosen.app_tables().collect();
        app.sort_by_key(|data| Reverse(length(data)));
        Self {
            managed: chosen.managed_tables(),
            chosen,
            app,
        }
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

#[cfg(test)]
mod tests {
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
}
