//! The order and the text of a psql script that restores a backup.
//!
//! What it does with an object or with rows is the same for every backup and stands in
//! `tools/restore.sql`, with which every script begins.

use crate::{
    format::{Manifest, Piece, Script, ScriptObject, TableData, manifest_text::scope_word},
    restore_sql::literal,
    schema::{Scope, Stage, quoted},
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
pub(super) fn parts(manifest: &Manifest, conduct: Conduct) -> Vec<Part<'_>> {
    let mut script = Builder {
        manifest,
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
/// them must: psql looks at `ON_ERROR_STOP` before each line, and once more at its end. The
/// line after COPY is skipped as a heading; if COPY did not begin it ends the script
/// before a row is taken for a command. Of a COPY that fails psql 15 tells nothing in its
/// variables, so they say so before.
const COPY: &str = "\
\\set ERROR true
\\set SQLSTATE unknown
\\set VERBOSITY sqlstate
\\set ON_ERROR_STOP off
\\set ON_ERROR_STOP on \\\\ copy :aim;
the_rows_were_not_awaited;
";

/// What is to be done after the rows of a table.
const COPIED: &str = "\
\\.
\\set code :SQLSTATE
\\if :ERROR
rollback to savepoint rows;
\\endif
\\set VERBOSITY terse
";

/// Puts the script together.
struct Builder<'a> {
    manifest: &'a Manifest,
    parts: Vec<Part<'a>>,
}

impl<'a> Builder<'a> {
    fn text(&mut self, text: impl Into<String>) {
        self.parts.push(Part::Text(text.into()));
    }

    fn head(&mut self, conduct: Conduct) {
        let manifest = self.manifest;
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
            "insert into pg_temp.restore_conduct values ({strict});\n\
             select pg_temp.examine({}, {}, {}, {});\n",
            manifest.server.version_num,
            array(&manifest.needed_extensions()),
            array(&manifest.app_schemas()),
            array(&manifest.made_schemas())
        ));
    }

    /// The platform's own first, where it lacks them, then the app's.
    fn scripts(&mut self, stage: Stage) {
        let manifest = self.manifest;
        let of_stage = |script: &&Script| script.stage == stage;
        for schema in manifest.managed_schemas() {
            let scope = Scope::Managed(schema.to_owned());
            let scripts = manifest.scripts.iter().filter(of_stage);
            self.objects(scripts.filter(|script| script.scope == scope));
        }
        let scripts = manifest.scripts.iter().filter(of_stage);
        self.objects(scripts.filter(|script| script.scope == Scope::App));
    }

    fn attached(&mut self) {
        let scripts = self.manifest.scripts.iter();
        self.objects(scripts.filter(|script| script.scope == Scope::Attached));
    }

    fn objects(&mut self, scripts: impl Iterator<Item = &'a Script>) {
        for script in scripts {
            let scope = literal(&scope_word(&script.scope));
            for object in &script.objects {
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
        let filled = self.manifest.tables.iter().filter(|data| data.rows > 0);
        let (app, managed): (Vec<_>, Vec<_>) = filled.partition(|data| data.scope == Scope::App);
        for data in managed.into_iter().chain(app) {
            self.copy(data);
        }
        for state in &self.manifest.sequences {
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
            "savepoint rows;\nselect pg_temp.aim({table}, {columns}, {types}) as aim \\gset\n{COPY}"
        ));
        self.parts.extend(data.pieces.iter().map(Part::Rows));
        self.text(format!(
            "{COPIED}select pg_temp.came({table}, {columns}, {is_managed}, {}, :'code');\n\
             release savepoint rows;\n",
            expected(data)
        ));
    }

    fn foot(&mut self) {
        let manifest = self.manifest;
        for data in manifest
            .tables
            .iter()
            .filter(|data| data.scope == Scope::App)
        {
            self.text(format!(
                "select pg_temp.compare({}, {}, {});\n",
                literal(&data.table.to_string()),
                array(&data.columns),
                expected(data)
            ));
        }
        let snapshot = &manifest.snapshot;
        self.text(format!(
            "select pg_temp.settle({}, {});\n\
             select count(*) as missing, count(*) > 0 as incomplete from pg_temp.restore_missing \\gset\n\
             insert into restore_end values (1);\n\
             commit;\n\
             set client_min_messages to error;\n\
             \\o\n\
             \\if :incomplete\n\
             \\echo 'restored' {snapshot} 'but for' :missing 'that the server refuses'\n\
             \\pset tuples_only on\n\
             \\pset format unaligned\n\
             select pg_temp.told();\n\
             \\o restore-missing.sql\n\
             select pg_temp.statements();\n\
             \\o\n\
             select pg_temp.not_whole();\n\
             \\endif\n\
             \\echo 'restored, and equal to the backup {snapshot}'\n\
             \\endif\n",
            literal(snapshot),
            literal(&manifest.taken_at.to_string()),
        ));
    }
}

/// What a table has to hold.
fn expected(data: &TableData) -> String {
    let sums = &data.checksum;
    literal(&format!("{} {} {}", data.rows, sums.first, sums.second))
}

fn optional(text: Option<&str>) -> String {
    text.map_or_else(|| "null".to_owned(), literal)
}

fn array(texts: &[impl AsRef<str>]) -> String {
    let literals: Vec<_> = texts.iter().map(|text| literal(text.as_ref())).collect();
    format!("array[{}]::text[]", literals.join(", "))
}
