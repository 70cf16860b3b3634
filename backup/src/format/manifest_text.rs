//! A manifest as text, which a shell script with awk can follow line by line.
//!
//! The lines come in the order in which a restore uses them; `*` marks kinds
//! that come any number of times. How a field is written, and that `\N` stands
//! for one without a value, is what [`field_lines`](super::field_lines) says.
//!
//! | kind | fields |
//! | --- | --- |
//! | `pourtrait-manifest` | format version |
//! | `snapshot` | the backup's name |
//! | `repo` | the repository's UUID |
//! | `taken_at` | time of the snapshot, RFC 3339 |
//! | `server` | version number, version, database, write-ahead log position, snapshot, `search_path` of its own sessions |
//! | `epoch` | key epoch of every piece: the folder in `seg/` |
//! | `dedupe_key` | the epoch's key, hexadecimal |
//! | `canary` | what the canary row held |
//! | `row_hash` | `mixed`; older releases have no such line, and sum the hashes as they are |
//! | `setting` * | name, value |
//! | `extension` * | name, schema, version |
//! | `role` * | name |
//! | `script` * | `before`, scope |
//! | `table` * | schema, name, scope, rows, first and second checksum |
//! | `sequence` * | schema, name, last value, `true` or `false` for whether it was handed out, schema and name of the table whose column it numbers |
//! | `script` * | `after`, scope |
//! | `computed` * | `generated` or `view`, schema, name, rows, first and second checksum, or none of the three |
//! | `migration` * | version, name, SHA-256 or nothing |
//! | `excluded` * | what is left out because it comes from elsewhere, why |
//! | `gap` * | what of the app's the backup cannot hold, why |
//! | `end` | number of lines, this one included |
//!
//! A scope is `app`, `attached` or `managed:` and the platform's schema. A
//! `script` line is followed by the `piece` line of its text and by a line for
//! each of its objects, a `table` line by its columns in the order of COPY text,
//! by the columns that order its rows, by how it was read, and by its pieces in order, a
//! `computed` line by the columns that prove it:
//!
//! | kind | fields |
//! | --- | --- |
//! | `piece` | name, rows, length, SHA-256, first key, last key |
//! | `object` * | kind, name, schema and name of its table, schema and name of the table it refers to, offset, length, the schema it lies in, the objects it needs |
//! | `column` * | name, type as SQL |
//! | `order` * | name of a column |
//! | `read` | `whole` and why, or `changes`; ranges that were compared, and that were read; bytes of COPY text that were read, and that were taken over from the backup before; milliseconds that checksums took. Older releases have none |
//! | `proof` * | name of a column |
//!
//! The objects that one needs are numbers with spaces between: the places of earlier
//! `object` lines, of which the first of all is 0.
//!
//! The checksums are sums of hashes of the texts of rows' columns in UTF-8, as the
//! types' output functions write them and COPY text holds them: for each row the
//! server's `hash_array_extended` over these texts, with the seeds 0 and 7919; `mixed`, each
//! of the two goes through `hashint8extended` with the other as its seed.
//!
//! Pieces of a table joined are COPY text. A piece that counts no row is a part of a
//! row that ends in a later one; all others hold whole rows but for that beginning.
//!
//! A piece lies at `seg/<epoch>/<first two digits of its name>/<name>.zst.age`.

use std::fmt::Display;

use crate::schema::{Exclusion, Extension, Name, Scope, Stage};

use super::{
    Checksum, Computed, ComputedKind, FormatError, How, Ledger, Manifest, Piece, RowHash, Script,
    ServerFacts, TableData, TableRead, field_lines::Writer, object_path,
};

pub(super) const FORMAT: &str = "pourtrait-manifest";

impl Manifest {
    /// The manifest as text.
    ///
    /// # Errors
    /// [`FormatError::Incoherent`] if a table has more columns than types, a
    /// script's objects do not cover its text, or scripts are out of order.
    pub fn render(&self) -> Result<Vec<u8>, FormatError> {
        self.check()?;
        let mut lines = Writer::new(FORMAT);
        self.render_head(&mut lines);
        let (before, after): (Vec<_>, Vec<_>) = self
            .scripts
            .iter()
            .partition(|script| script.stage == Stage::Before);
        for script in before {
            script.render(&mut lines);
        }
        for table in &self.tables {
            table.render(&mut lines);
        }
        for state in &self.sequences {
            let Name { schema, name } = &state.sequence;
            let [table_schema, table] = halves(state.table.as_ref());
            lines.optional_line(
                "sequence",
                [
                    Some(schema),
                    Some(name),
                    Some(&state.last_value),
                    Some(&state.is_called),
                    table_schema,
                    table,
                ],
            );
        }
        for script in after {
            script.render(&mut lines);
        }
        for computed in &self.computed {
            computed.render(&mut lines);
        }
        for Ledger {
            version,
            name,
            sha256,
        } in &self.migrations
        {
            let sha256 = (!sha256.is_empty()).then_some(sha256 as &dyn Display);
            lines.optional_line("migration", [Some(version), Some(name), sha256]);
        }
        for Exclusion { what, why } in &self.excluded {
            lines.line("excluded", [what, why]);
        }
        for Exclusion { what, why } in &self.gaps {
            lines.line("gap", [what, why]);
        }
        Ok(lines.finish())
    }

    fn render_head(&self, lines: &mut Writer) {
        lines.line("snapshot", [&self.snapshot]);
        lines.line("repo", [&self.repo]);
        lines.line("taken_at", [&self.taken_at]);
        let ServerFacts {
            version_num,
            version,
            database,
            wal_lsn,
            snapshot,
            search_path,
        } = &self.server;
        lines.line(
            "server",
            [
                version_num,
                version,
                database,
                wal_lsn,
                snapshot,
                search_path,
            ],
        );
        lines.line("epoch", [&self.epoch]);
        lines.line("dedupe_key", [&self.dedupe_key]);
        lines.line("canary", [&self.canary]);
        if self.row_hash != RowHash::Plain {
            lines.line("row_hash", [&self.row_hash.word()]);
        }
        for (name, value) in &self.settings {
            lines.line("setting", [name, value]);
        }
        for Extension {
            name,
            schema,
            version,
        } in &self.extensions
        {
            lines.line("extension", [name, schema, version]);
        }
        for role in &self.roles {
            lines.line("role", [role]);
        }
    }

    /// Every piece, scripts' first.
    pub fn pieces(&self) -> impl Iterator<Item = &Piece> {
        let scripts = self.scripts.iter().map(|script| &script.piece);
        scripts.chain(self.tables.iter().flat_map(|table| &table.pieces))
    }

    /// What must hold between the parts, whoever made them.
    pub(super) fn check(&self) -> Result<(), FormatError> {
        let incoherent = |reason: String| Err(FormatError::Incoherent(reason));
        if !self.scripts.is_sorted_by_key(|script| script.stage) {
            return incoherent(
                "a script that runs before the rows follows one that runs after".into(),
            );
        }
        if let Some(piece) = self
            .pieces()
            .find(|piece| !object_path::is_name(&piece.name))
        {
            return incoherent(format!("{:?} is not the name of a piece", piece.name));
        }
        for script in &self.scripts {
            let end = script.objects.iter().try_fold(0_u64, |end, object| {
                (object.offset == end).then(|| end.checked_add(object.length))?
            });
            if end != Some(script.piece.raw_len) {
                return incoherent(format!(
                    "the objects of script {} do not cover it",
                    script.piece.name
                ));
            }
        }
        let objects = self.scripts.iter().flat_map(|script| &script.objects);
        for (place, object) in objects.enumerate() {
            if object.needs.iter().any(|&needed| needed >= place) {
                return incoherent(format!(
                    "{} {} needs an object that does not come before it",
                    object.kind, object.name
                ));
            }
        }
        for table in &self.tables {
            if table.columns.len() != table.types.len() {
                return incoherent(format!("table {} has columns without types", table.table));
            }
            let rows = table
                .pieces
                .iter()
                .try_fold(0_u64, |rows, piece| rows.checked_add(piece.rows));
            if rows != Some(table.rows) {
                return incoherent(format!(
                    "the pieces of table {} do not hold its rows",
                    table.table
                ));
            }
        }
        Ok(())
    }
}

impl Script {
    fn render(&self, lines: &mut Writer) {
        lines.line(
            "script",
            [&stage_word(self.stage), &scope_word(&self.scope)],
        );
        self.piece.render(lines);
        for object in &self.objects {
            let [table_schema, table] = halves(object.table.as_ref());
            let [other_schema, other] = halves(object.refers_to.as_ref());
            let needs: Vec<_> = object.needs.iter().map(ToString::to_string).collect();
            let needs = needs.join(" ");
            lines.optional_line(
                "object",
                [
                    Some(&object.kind),
                    Some(&object.name),
                    table_schema,
                    table,
                    other_schema,
                    other,
                    Some(&object.offset),
                    Some(&object.length),
                    object.schema.as_ref().map(|schema| schema as &dyn Display),
                    Some(&needs),
                ],
            );
        }
    }
}

impl TableData {
    fn render(&self, lines: &mut Writer) {
        lines.line(
            "table",
            [
                &self.table.schema,
                &self.table.name,
                &scope_word(&self.scope),
                &self.rows,
                &self.checksum.first,
                &self.checksum.second,
            ],
        );
        for (column, sql) in self.columns.iter().zip(&self.types) {
            lines.line("column", [column, sql]);
        }
        for column in &self.order {
            lines.line("order", [column]);
        }
        if let Some(read) = &self.read {
            read.render(lines);
        }
        for piece in &self.pieces {
            piece.render(lines);
        }
    }
}

impl TableRead {
    fn render(&self, lines: &mut Writer) {
        let (how, why, ranges, ranges_read) = match self.how {
            How::Whole { why } => ("whole", Some(why.word()), 0, 0),
            How::Changes {
                ranges,
                ranges_read,
            } => ("changes", None, ranges, ranges_read),
        };
        lines.optional_line(
            "read",
            [
                Some(&how),
                why.as_ref().map(|why| why as &dyn Display),
                Some(&ranges),
                Some(&ranges_read),
                Some(&self.bytes_read),
                Some(&self.bytes_taken_over),
                Some(&self.checksum_ms),
            ],
        );
    }
}

impl Computed {
    fn render(&self, lines: &mut Writer) {
        let Name { schema, name } = &self.relation;
        let (rows, first, second) = match &self.proof {
            Some((rows, Checksum { first, second })) => (Some(rows), Some(first), Some(second)),
            None => (None, None, None),
        };
        lines.optional_line(
            "computed",
            [
                Some(&computed_word(self.kind)),
                Some(schema),
                Some(name),
                rows.map(|rows| rows as &dyn Display),
                first.map(|sum| sum as &dyn Display),
                second.map(|sum| sum as &dyn Display),
            ],
        );
        for column in &self.columns {
            lines.line("proof", [column]);
        }
    }
}

impl Piece {
    pub(super) fn render(&self, lines: &mut Writer) {
        lines.line(
            "piece",
            [
                &self.name,
                &self.rows,
                &self.raw_len,
                &self.raw_sha256,
                &self.first_key,
                &self.last_key,
            ],
        );
    }
}

fn halves(name: Option<&Name>) -> [Option<&dyn Display>; 2] {
    [
        name.map(|name| &name.schema as &dyn Display),
        name.map(|name| &name.name as &dyn Display),
    ]
}

pub(super) fn stage_word(stage: Stage) -> &'static str {
    match stage {
        Stage::Before => "before",
        Stage::After => "after",
    }
}

pub(super) fn computed_word(kind: ComputedKind) -> &'static str {
    match kind {
        ComputedKind::Generated => "generated",
        ComputedKind::View => "view",
    }
}

pub(crate) fn scope_word(scope: &Scope) -> String {
    match scope {
        Scope::App => "app".to_owned(),
        Scope::Attached => "attached".to_owned(),
        Scope::Managed(schema) => format!("managed:{schema}"),
    }
}
