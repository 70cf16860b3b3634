//! The order and the text of a psql script that restores a backup.
//!
//! What it does with an object or with rows is the same for every backup and stands in
//! `tools/restore.sql`, with which every script begins.

use crate::{
    format::{Checksum, Piece, ScriptObject, TableData, manifest_text::scope_word},
    restore_sql::literal,
    schema::{Scope, Stage, quoted},
    selection::{Chosen, ChosenScript, Parts},
};

use super::Conduct;

/// What a script is put together from.
pub(super) enum Part<'a> {
    /// Text of ours.
    Text(String),
    /// The rows in a piece of the backup.
    Rows(&'a Piece),
    /// One object of a script, within a literal.
    Object(&'a Piece, &'a ScriptObject),
}

/// Everything, in order.
pub(super) fn parts<'a>(chosen: &Chosen<'a>, conduct: Conduct) -> Vec<Part<'a>> {
    let mut script = Builder {
        chosen,
        parts: Vec::new(),
    };
    script.head(conduct);
    script.scripts(Stage::Before);
    script.text("select pg_temp.try_again();\n");
    script.rows();
    script.scripts(Stage::After);
    script.attached();
    script.text("select pg_temp.try_again();\nselect pg_temp.make_unvalidated();\n");
    script.foot();
    script.parts
}

const CONDUCT: &str = include_str!("../tools/restore.sql");

/// psql's own settings. It ends at the first error, of which it shows no more than the
/// message, and an end before the last line is one.
const BEGINNING: &str = "\
\\set QUIET on
\\set ON_ERROR_STOP on
\\if true
\\set ON_ERROR_ROLLBACK off
\\set VERBOSITY terse
\\set SHOW_CONTEXT never
\\o /dev/null
set client_min_messages to error;
begin;
";

/// Rows that are refused must not end the script, and a script that is cut off among
/// them must: psql looks at `ON_ERROR_STOP` before each line, and once more when it commits
/// at its end. It takes a COPY that failed back, so that this commit meets `restore_begin`
/// and fails. The line after COPY is skipped as a heading; if COPY did not begin it ends
/// the script before a row is taken for a command. Of a COPY that failed psql 15 tells
/// nothing in its variables, so they say so before.
const COPY: &str = "\
\\set SQLSTATE unknown
\\set VERBOSITY sqlstate
\\set ON_ERROR_ROLLBACK on
\\set ON_ERROR_STOP off
\\set ON_ERROR_STOP on \\\\ copy :aim;
the_rows_were_not_awaited;
";

/// What is to be done after the rows of a table.
const COPIED: &str = "\
\\.
\\set ON_ERROR_ROLLBACK off
\\set VERBOSITY terse
";

/// Puts the script together.
struct Builder<'c, 'a> {
    chosen: &'c Chosen<'a>,
    parts: Vec<Part<'a>>,
}

impl<'a> Builder<'_, 'a> {
    fn text(&mut self, text: impl Into<String>) {
        self.parts.push(Part::Text(text.into()));
    }

    fn head(&mut self, conduct: Conduct) {
        let chosen = self.chosen;
        let manifest = chosen.manifest;
        self.text(format!(
            "-- The backup {} as a script for psql -1. It needs an empty database.\n{BEGINNING}",
            manifest.snapshot
        ));
        for (name, value) in &manifest.settings {
            let (name, value) = (quoted(name), literal(value));
            self.text(format!("set {name} to {value};\n"));
        }
        self.text(CONDUCT);
        let strict = conduct == Conduct::Strict;
        self.text(format!(
            "insert into pg_temp.restore_conduct values ({strict}, {}, {});\n\
             select pg_temp.examine({}, {}, {}, {});\n",
            literal(&manifest.server.search_path),
            literal(manifest.row_hash.word()),
            manifest.server.version_num,
            array(&chosen.needed_extensions()),
            array(&self.filled_schemas()),
            array(&chosen.made_schemas())
        ));
        if chosen.parts == Parts::Data {
            let tables = array(&self.tables());
            self.text(format!("select pg_temp.play_replica({tables});\n"));
        }
    }

    /// The schemas in which nothing may be yet. Rows alone come into tables that are there.
    fn filled_schemas(&self) -> Vec<&'a str> {
        match self.chosen.parts {
            Parts::Data => Vec::new(),
            Parts::All | Parts::Schema => self.chosen.app_schemas(),
        }
    }

    /// The tables whose rows are chosen, as SQL.
    fn tables(&self) -> Vec<String> {
        let tables = self.chosen.tables.iter();
        tables.map(|data| data.table.to_string()).collect()
    }

    /// The platform's own first, where it lacks them, then the app's.
    fn scripts(&mut self, stage: Stage) {
        for schema in self.chosen.managed_schemas() {
            self.objects(stage, &Scope::Managed(schema.to_owned()));
        }
        self.objects(stage, &Scope::App);
    }

    fn attached(&mut self) {
        for stage in [Stage::Before, Stage::After] {
            self.objects(stage, &Scope::Attached);
        }
    }

    fn objects(&mut self, stage: Stage, scope: &Scope) {
        let scripts = self.chosen.scripts(stage);
        for ChosenScript {
            script, objects, ..
        } in scripts.filter(|one| one.script.scope == *scope)
        {
            let scope = literal(&scope_word(scope));
            for object in objects {
                let table = object.table.as_ref().map(ToString::to_string);
                let constraint = object.name_in_table();
                self.text(format!(
                    "select pg_temp.make({scope}, {}, {}, {}, {}, '",
                    literal(&object.kind),
                    literal(&object.name),
                    optional(table.as_deref()),
                    optional(constraint)
                ));
                self.parts.push(Part::Object(&script.piece, object));
                self.text("');\n");
            }
        }
    }

    fn rows(&mut self) {
        let managed = self.chosen.managed_tables().into_iter();
        let all: Vec<_> = managed.chain(self.chosen.app_tables()).collect();
        for data in all.into_iter().filter(|data| data.rows > 0) {
            self.copy(data);
        }
        for state in &self.chosen.sequences {
            let sequence = literal(&state.sequence.to_string());
            let statement = format!(
                "select pg_catalog.setval({sequence}, {}, {});\n",
                state.last_value, state.is_called
            );
            self.text(format!(
                "select pg_temp.make('app', 'state of sequence', {sequence}, null, null, {});\n",
                literal(&statement)
            ));
        }
    }

    fn copy(&mut self, data: &'a TableData) {
        let (table, columns) = (literal(&data.table.to_string()), array(&data.columns));
        let is_managed = data.scope != Scope::App;
        let types = if is_managed {
            array(&data.types)
        } else {
            "null".to_owned()
        };
        self.text(format!(
            "select pg_temp.aim({table}, {columns}, {types}) as aim \\gset\n{COPY}"
        ));
        self.parts.extend(data.pieces.iter().map(Part::Rows));
        self.text(format!(
            "{COPIED}select pg_temp.came({table}, {columns}, {is_managed}, {}, :'SQLSTATE');\n",
            expected(data)
        ));
    }

    fn foot(&mut self) {
        let chosen = self.chosen;
        for data in chosen.tables.iter().filter(|data| data.scope == Scope::App) {
            self.text(format!(
                "select pg_temp.compare({}, {}, {});\n",
                literal(&data.table.to_string()),
                array(&data.columns),
                expected(data)
            ));
        }
        if chosen.parts == Parts::Data {
            let tables = array(&self.tables());
            self.text(format!("select pg_temp.find_orphans({tables});\n"));
        }
        let manifest = chosen.manifest;
        for computed in chosen.computed() {
            let proof = computed.proof.as_ref();
            let proof = proof.map(|(rows, sums)| sums_text(*rows, sums));
            self.text(format!(
                "select pg_temp.compare_computed({}, {}, {}, {});\n",
                literal(&computed.to_string()),
                literal(&computed.relation.to_string()),
                array(&computed.columns),
                optional(proof.as_deref())
            ));
        }
        let snapshot = &manifest.snapshot;
        // A part of a database is nothing that the bundle goes on from.
        let (restored, settle) = if chosen.whole {
            let taken_at = literal(&manifest.taken_at.to_string());
            let settle = format!(
                "select pg_temp.settle({}, {taken_at});\n",
                literal(snapshot)
            );
            ("restored", settle)
        } else {
            ("restored what was chosen", String::new())
        };
        self.text(format!(
            "{settle}select count(*) as missing, count(*) > 0 as incomplete from pg_temp.restore_missing \\gset\n\
             select pg_temp.doubted() as doubts \\gset\n\
             insert into restore_end values (1);\n\
             commit;\n\
             set client_min_messages to error;\n\
             \\o\n\
             \\if :incomplete\n\
             \\echo '{restored}' {snapshot} 'but for' :missing 'that the server refuses'\n\
             \\pset tuples_only on\n\
             \\pset format unaligned\n\
             select pg_temp.told();\n\
             \\o restore-missing.sql\n\
             select pg_temp.statements();\n\
             \\o\n\
             select pg_temp.not_whole();\n\
             \\endif\n\
             \\echo '{restored}, and equal to the backup {snapshot}':doubts\n\
             \\endif\n"
        ));
    }
}

/// What a table has to hold.
fn expected(data: &TableData) -> String {
    literal(&sums_text(data.rows, &data.checksum))
}

/// As `pg_temp.sums` has them.
fn sums_text(rows: u64, sums: &Checksum) -> String {
    format!("{rows} {} {}", sums.first, sums.second)
}

fn optional(text: Option<&str>) -> String {
    text.map_or_else(|| "null".to_owned(), literal)
}

fn array(texts: &[impl AsRef<str>]) -> String {
    let literals: Vec<_> = texts.iter().map(|text| literal(text.as_ref())).collect();
    format!("array[{}]::text[]", literals.join(", "))
}
