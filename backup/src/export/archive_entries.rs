//! What an archive for `pg_restore` lists: objects, rows and the state of sequences, in the
//! words by which that program chooses and orders.
//!
//! It makes what is before the rows one by one in the order of the list, and what is after
//! them in any order that the needs allow: with several jobs, at once.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    format::{Piece, ScriptObject, TableData},
    restore_sql,
    schema::{Name, Stage, quoted},
    selection::Chosen,
};

/// One line of the list.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    /// Its number, by which others need it. A table's is below that of its rows.
    pub(super) id: usize,
    /// What it is, in the words of `pg_restore` where it has any.
    pub(super) kind: String,
    /// Its own name, without the schema and without quotes.
    pub(super) name: String,
    pub(super) schema: Option<&'a str>,
    pub(super) section: Section,
    pub(super) body: Body<'a>,
    /// The numbers of those that come before it. Of rows it is their table alone, of
    /// privileges what they are about: `pg_restore` looks there.
    pub(super) needs: Vec<usize>,
}

/// The part of a restore to which an entry belongs, by the number that it has in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    None = 1,
    BeforeRows = 2,
    Rows = 3,
    AfterRows = 4,
}

/// What an entry does.
#[derive(Debug)]
pub(super) enum Body<'a> {
    /// Runs the statements of an object, which lie in a piece of the backup.
    Object(&'a Piece, &'a ScriptObject),
    /// Runs this.
    Statement(String),
    /// Fills a table.
    Rows(&'a TableData),
}

/// Everything that was chosen, in order.
pub(super) fn list<'a>(chosen: &Chosen<'a>) -> Vec<Entry<'a>> {
    let all: Vec<&ScriptObject> = chosen
        .manifest
        .scripts
        .iter()
        .flat_map(|script| &script.objects)
        .collect();
    let mut list = List {
        chosen,
        next: all.len() + 1,
        all,
        entries: Vec::new(),
    };
    list.settings();
    list.objects(Stage::Before);
    list.rows();
    list.sequences();
    list.objects(Stage::After);
    list.entries
}

/// The list under way. Objects have the numbers of their places in the backup, from 1.
struct List<'c, 'a> {
    chosen: &'c Chosen<'a>,
    all: Vec<&'a ScriptObject>,
    next: usize,
    entries: Vec<Entry<'a>>,
}

impl List<'_, '_> {
    /// What sessions begin with. The database is made by `--create` alone.
    fn settings(&mut self) {
        const SESSION: [(&str, &str); 3] = [
            ("ENCODING", "SET client_encoding = 'UTF8';\n"),
            ("STDSTRINGS", "SET standard_conforming_strings = 'on';\n"),
            (
                "SEARCHPATH",
                "SELECT pg_catalog.set_config('search_path', '', false);\n",
            ),
        ];
        for (kind, statement) in SESSION {
            self.statement(kind, kind, Section::BeforeRows, statement.to_owned());
        }
        let database = &self.chosen.manifest.server.database;
        let make = format!(
            "CREATE DATABASE {} WITH TEMPLATE = template0 ENCODING = 'UTF8';\n",
            quoted(database)
        );
        self.statement("DATABASE", database, Section::None, make);
    }

    fn statement(&mut self, kind: &str, name: &str, section: Section, statement: String) {
        let id = self.number();
        self.entries.push(Entry {
            id,
            kind: kind.to_owned(),
            name: name.to_owned(),
            schema: None,
            section,
            body: Body::Statement(statement),
            needs: Vec::new(),
        });
    }

    fn number(&mut self) -> usize {
        let number = self.next;
        self.next += 1;
        number
    }

    fn objects(&mut self, stage: Stage) {
        let section = match stage {
            Stage::Before => Section::BeforeRows,
            Stage::After => Section::AfterRows,
        };
        for of_script in self.chosen.scripts(stage) {
            for (object, place) in of_script.objects.into_iter().zip(of_script.places) {
                self.entries.push(Entry {
                    id: place + 1,
                    kind: word(&object.kind),
                    name: own_name(object),
                    schema: schema_of(object),
                    section,
                    body: Body::Object(&of_script.script.piece, object),
                    needs: self.needs(object, place),
                });
            }
        }
    }

    /// What an object needs, but for what `pg_restore` makes later whatever anybody needs. It
    /// gives privileges only together with what they are about, which it takes to be the one
    /// thing that they need. A key of a partitioned table may be referred to once its parts are
    /// attached, which the catalogs do not tell.
    fn needs(&self, object: &ScriptObject, own_place: usize) -> Vec<usize> {
        let own = pass(&word(&object.kind));
        let needed = object.needs.iter().copied().filter(|place| {
            let kind = &self.all[*place].kind;
            pass(&word(kind)) <= own && (own != Pass::Privileges || kind != "role")
        });
        let is_key = object.kind == "foreign key";
        let attached =
            (0..own_place).filter(|place| is_key && self.all[*place].kind == "index partition");
        let all: BTreeSet<usize> = needed.chain(attached).map(|place| place + 1).collect();
        all.into_iter().collect()
    }

    fn rows(&mut self) {
        let tables: BTreeMap<&Name, usize> = self
            .all
            .iter()
            .enumerate()
            .filter(|(_, object)| object.kind == "table")
            .filter_map(|(place, object)| Some((object.table.as_ref()?, place + 1)))
            .collect();
        let managed = self.chosen.managed_tables().into_iter();
        for data in managed.chain(self.chosen.app_tables()) {
            let id = self.number();
            self.entries.push(Entry {
                id,
                kind: "TABLE DATA".to_owned(),
                name: data.table.name.clone(),
                schema: Some(&data.table.schema),
                section: Section::Rows,
                body: Body::Rows(data),
                needs: tables.get(&data.table).copied().into_iter().collect(),
            });
        }
    }

    fn sequences(&mut self) {
        for state in &self.chosen.sequences {
            let id = self.number();
            self.entries.push(Entry {
                id,
                kind: "SEQUENCE SET".to_owned(),
                name: state.sequence.name.clone(),
                schema: Some(&state.sequence.schema),
                section: Section::Rows,
                body: Body::Statement(format!("{};\n", restore_sql::setval(state))),
                needs: Vec::new(),
            });
        }
    }
}

/// In which of its passes `pg_restore` makes something.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Pass {
    Main,
    Privileges,
    Last,
}

fn pass(word: &str) -> Pass {
    match word {
        "ACL" | "DEFAULT ACL" => Pass::Privileges,
        "EVENT TRIGGER" | "MATERIALIZED VIEW DATA" => Pass::Last,
        _ => Pass::Main,
    }
}

/// A kind in the words of `pg_restore`. What it does not know it makes all the same. It gives
/// privileges last of all; those of a schema have to be there before the owners of what lies
/// in it, and so are none to it.
fn word(kind: &str) -> String {
    match kind {
        "grants" | "privileges" => "ACL".to_owned(),
        "schema grants" => "SCHEMA PRIVILEGES".to_owned(),
        "default privileges" => "DEFAULT ACL".to_owned(),
        "foreign key" => "FK CONSTRAINT".to_owned(),
        "domain constraint" => "CHECK CONSTRAINT".to_owned(),
        "partition" => "TABLE ATTACH".to_owned(),
        "index partition" => "INDEX ATTACH".to_owned(),
        "large object" => "BLOB".to_owned(),
        "foreign-data wrapper" => "FOREIGN DATA WRAPPER".to_owned(),
        "sequence owner" => "SEQUENCE OWNED BY".to_owned(),
        "publication schema" => "PUBLICATION TABLES IN SCHEMA".to_owned(),
        other => other.to_uppercase(),
    }
}

/// A name as `pg_restore` is asked for it: without the schema.
fn own_name(object: &ScriptObject) -> String {
    let place = object.schema.as_ref().map(|schema| format!("{schema}."));
    let own = place.and_then(|place| object.name.strip_prefix(&place));
    own.unwrap_or(&object.name).to_owned()
}

/// A schema itself lies in none.
fn schema_of(object: &ScriptObject) -> Option<&str> {
    object.schema.as_deref().filter(|_| object.kind != "schema")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(kind: &str, name: &str, schema: Option<&str>) -> ScriptObject {
        ScriptObject {
            kind: kind.to_owned(),
            name: name.to_owned(),
            table: None,
            refers_to: None,
            schema: schema.map(str::to_owned),
            needs: Vec::new(),
            offset: 0,
            length: 0,
        }
    }

    #[test]
    fn objects_are_called_as_pg_restore_is_asked_for_them() {
        for (kind, name, schema, expected) in [
            (
                "table",
                "public.wines",
                Some("public"),
                ("TABLE", "wines", Some("public")),
            ),
            ("table", "a.b.c", Some("a"), ("TABLE", "b.c", Some("a"))),
            ("schema", "app", Some("app"), ("SCHEMA", "app", None)),
            ("role", "app.reader", None, ("ROLE", "app.reader", None)),
            (
                "grants",
                "table public.wines",
                Some("public"),
                ("ACL", "table public.wines", Some("public")),
            ),
            (
                "foreign key",
                "public.t t_fkey",
                Some("public"),
                ("FK CONSTRAINT", "t t_fkey", Some("public")),
            ),
        ] {
            let object = object(kind, name, schema);
            let told = (word(&object.kind), own_name(&object), schema_of(&object));
            assert_eq!((told.0.as_str(), told.1.as_str(), told.2), expected);
        }
    }

    #[test]
    fn nothing_waits_for_what_pg_restore_makes_later() {
        assert!(pass("INDEX") < pass("MATERIALIZED VIEW DATA"));
        assert!(pass("ACL") < pass("EVENT TRIGGER"));
        assert!(pass("SCHEMA PRIVILEGES") < pass("ACL"));
    }
}
