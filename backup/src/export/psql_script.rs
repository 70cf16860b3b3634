//! The order and the text of a psql script that restores a backup.

use crate::{
    format::{Manifest, Piece, Script, ScriptObject, TableData},
    restore_sql,
    schema::{Scope, Stage, quoted},
};

/// What a script is put together from.
pub(super) enum Part<'a> {
    /// Text of ours.
    Text(String),
    /// A whole piece of the backup.
    Piece(&'a Piece),
    /// One object of a piece, for a literal within a literal.
    Attached(&'a Piece, &'a ScriptObject),
}

/// Everything, in order.
pub(super) fn parts(manifest: &Manifest) -> Vec<Part<'_>> {
    let mut script = Builder {
        manifest,
        platform: manifest.managed_schemas(),
        parts: Vec::new(),
    };
    script.head();
    script.scripts(Stage::Before);
    script.rows();
    script.scripts(Stage::After);
    script.attached();
    script.foot();
    script.parts
}

/// How the session behaves, besides the settings that the backup names.
const CONDUCT: &str = "\
set statement_timeout to 0;
set lock_timeout to 0;
set idle_in_transaction_session_timeout to 0;
set client_min_messages to warning;
set check_function_bodies to off;
set row_security to off;
set synchronize_seqscans to off;
set search_path to '';
";

/// Whoever runs the script in a transaction of their own commits at its end,
/// wherever that is: a row refers to another that only the last line makes.
const GUARD: &str = "\
create temporary table restore_end (id integer primary key) on commit drop;
create temporary table restore_begin (
    id integer constraint the_script_ended_early
        references restore_end deferrable initially deferred
) on commit drop;
insert into restore_begin values (1);
";

/// Puts the script together.
struct Builder<'a> {
    manifest: &'a Manifest,
    platform: Vec<&'a str>,
    parts: Vec<Part<'a>>,
}

impl<'a> Builder<'a> {
    fn text(&mut self, text: impl Into<String>) {
        self.parts.push(Part::Text(text.into()));
    }

    fn head(&mut self) {
        let manifest = self.manifest;
        self.text(format!(
            "-- The backup {} as a script for psql. It needs an empty database.\n\
             \\set QUIET on\n\\set ON_ERROR_STOP on\n\\o /dev/null\nbegin;\n",
            manifest.snapshot
        ));
        for (name, value) in &manifest.settings {
            let (name, value) = (quoted(name), restore_sql::literal(value));
            self.text(format!("set {name} to {value};\n"));
        }
        self.text(CONDUCT);
        self.text(GUARD);
        self.text(emptiness(manifest));
        for (index, schema) in self.platform.clone().into_iter().enumerate() {
            let schema = restore_sql::literal(&quoted(schema));
            self.text(format!(
                "select pg_catalog.to_regnamespace({schema}) is null as managed_{index} \\gset\n"
            ));
        }
    }

    /// The platform's own first, where it lacks them, then the app's.
    fn scripts(&mut self, stage: Stage) {
        let of_stage = |script: &&Script| script.stage == stage;
        for (index, schema) in self.platform.clone().into_iter().enumerate() {
            let scripts = self.manifest.scripts.iter().filter(of_stage);
            for script in scripts.filter(|script| script.scope == Scope::Managed(schema.to_owned()))
            {
                self.text(format!("\\if :managed_{index}\n"));
                self.parts.push(Part::Piece(&script.piece));
                self.text("\\endif\n");
            }
        }
        let scripts = self.manifest.scripts.iter().filter(of_stage);
        for script in scripts.filter(|script| script.scope == Scope::App) {
            self.parts.push(Part::Piece(&script.piece));
        }
    }

    fn rows(&mut self) {
        let filled = self.manifest.tables.iter().filter(|data| data.rows > 0);
        for data in filled.clone().filter(|data| data.scope != Scope::App) {
            self.text(format!("{};\n", restore_sql::make_incoming(data)));
            self.copy(
                data,
                &restore_sql::copy(&restore_sql::incoming(), &data.columns, false),
            );
            self.text(restore_sql::assertion(&restore_sql::incoming(), data));
            self.text(taking_over(data));
        }
        for data in filled.filter(|data| data.scope == Scope::App) {
            self.copy(data, &restore_sql::copy(&data.table, &data.columns, true));
        }
        for state in &self.manifest.sequences {
            self.text(format!("{};\n", restore_sql::setval(state)));
        }
    }

    fn copy(&mut self, data: &'a TableData, copy: &str) {
        self.text(format!("{copy};\n"));
        self.parts.extend(data.pieces.iter().map(Part::Piece));
        self.text("\\.\n");
    }

    /// What the target does not allow is undone and told, and nothing else is.
    /// The statements stand in a literal within a literal.
    fn attached(&mut self) {
        let scripts = self.manifest.scripts.iter();
        for script in scripts.filter(|script| script.scope == Scope::Attached) {
            for object in &script.objects {
                self.text("do 'begin execute ''");
                self.parts.push(Part::Attached(&script.piece, object));
                self.text(format!(
                    "'';\nexception when others then raise warning ''not made: {}: %'', sqlerrm;\nend';\n",
                    printable(&format!("{} {}", object.kind, object.name))
                ));
            }
        }
    }

    fn foot(&mut self) {
        let manifest = self.manifest;
        for data in &manifest.tables {
            if data.scope == Scope::App {
                self.text(format!("analyze {};\n", data.table));
                self.text(restore_sql::assertion(&data.table, data));
            }
        }
        self.text(format!(
            "do $after$ begin if exists (select from pg_proc where proname = 'after_restore'\n\
             and pronamespace = pg_catalog.to_regnamespace('ops')) then\n\
             perform ops.after_restore({}, {}, extract(epoch from clock_timestamp() - now())::numeric);\n\
             end if; end $after$;\n\
             insert into restore_end values (1);\ncommit;\n\\o\n\
             \\echo 'restored, and equal to the backup {}'\n",
            restore_sql::literal(&manifest.snapshot),
            restore_sql::literal(&manifest.taken_at.to_string()),
            manifest.snapshot
        ));
    }
}

/// Raises an exception where the backup's schemas hold anything.
fn emptiness(manifest: &Manifest) -> String {
    let there = restore_sql::THERE
        .replace("$1", &array(&manifest.app_schemas()))
        .replace("$2", &array(&manifest.made_schemas()));
    format!(
        "do $empty$ declare found text; begin\n\
         select string_agg(what, ', ') into found from (\n{there}\n) as there;\n\
         if found is not null then raise exception 'the target is not empty, it has %', found; end if;\n\
         end $empty$;\n"
    )
}

fn array(names: &[&str]) -> String {
    let literals: Vec<_> = names
        .iter()
        .map(|name| restore_sql::literal(name))
        .collect();
    format!("array[{}]", literals.join(", "))
}

/// Inserts what came into the temporary table with the columns that both sides
/// have, and compares the two.
fn taking_over(data: &TableData) -> String {
    let table = restore_sql::literal(&data.table.to_string());
    format!(
        "do $managed$ declare shared text; texts text; filled boolean; one text; other text;\n\
         sums constant text := 'select concat_ws('' '', count(*), sum(hash_array_extended(r, 0)), \
         sum(hash_array_extended(r, 7919))) from (select array[%s]::text[] as r from only %s offset 0) as s';\n\
         begin\n\
         execute format('select exists (select from only %s)', {table}) into filled;\n\
         if filled then raise exception 'the target is not empty, it has rows in %', {table}; end if;\n\
         select string_agg(quote_ident(theirs.attname), ', ' order by ours.attnum),\n\
         string_agg(format('%I::text collate \"C\"', theirs.attname), ', ' order by ours.attnum) \
         into shared, texts\n\
         from pg_attribute theirs join pg_attribute ours using (attname)\n\
         where theirs.attrelid = {table}::regclass and ours.attrelid = 'pg_temp.incoming'::regclass\n\
         and theirs.attnum > 0 and ours.attnum > 0 and theirs.attgenerated = '';\n\
         execute format('insert into %s (%s) overriding system value select %s from pg_temp.incoming', \
         {table}, shared, shared);\n\
         execute format(sums, texts, {table}) into one;\n\
         execute format(sums, texts, 'pg_temp.incoming') into other;\n\
         if one <> other then raise exception '% is not equal to the backup', {table}; end if;\n\
         end $managed$;\n\
         drop table pg_temp.incoming;\n"
    )
}

/// A name that means nothing to a literal or to a message.
fn printable(name: &str) -> String {
    let plain = |character: char| character.is_ascii_alphanumeric() || " _.-".contains(character);
    name.bytes()
        .map(|byte| if plain(byte.into()) { byte.into() } else { '?' })
        .collect()
}
