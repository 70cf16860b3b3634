//! The way back from a manifest's text, line by line as
//! [`manifest_text`](super::manifest_text) lists them.

use crate::schema::{Exclusion, Extension, Name, Scope, Stage};

use super::{
    Checksum, Computed, ComputedKind, FormatError, How, Ledger, Manifest, Piece, RowHash, Script,
    ScriptObject, SequenceState, ServerFacts, TableData, TableRead, Why,
    field_lines::{Field, Reader},
    manifest_text::{FORMAT, computed_word, stage_word},
};

impl Manifest {
    /// Reads what [`Manifest::render`] wrote.
    ///
    /// # Errors
    /// See [`FormatError`]; anything but the very text is one.
    pub fn parse(bytes: &[u8]) -> Result<Self, FormatError> {
        let mut lines = Reader::new(FORMAT, bytes)?;
        let [snapshot] = lines.only("snapshot")?;
        let [repo] = lines.only("repo")?;
        let [taken_at] = lines.only("taken_at")?;
        let server = lines.only("server")?;
        let [epoch] = lines.only("epoch")?;
        let [dedupe_key] = lines.only("dedupe_key")?;
        let [canary] = lines.only("canary")?;
        let row_hash = lines
            .next_of("row_hash")?
            .map_or(Ok(RowHash::Plain), row_hash)?;
        let settings = lines.all("setting", |[name, value]| Ok((name.text()?, value.text()?)))?;
        let extensions = lines.all("extension", extension)?;
        let roles = lines.all("role", |[name]| name.text())?;
        let mut scripts = parse_scripts(&mut lines, Stage::Before)?;
        let tables = parse_tables(&mut lines)?;
        let sequences = lines.all("sequence", sequence)?;
        scripts.append(&mut parse_scripts(&mut lines, Stage::After)?);
        let manifest = Self {
            snapshot: snapshot.text()?,
            repo: repo.parsed("the repository is not named by a UUID")?,
            taken_at: taken_at.parsed("the time is not one in UTC")?,
            server: server_facts(server)?,
            settings,
            epoch: epoch.number()?,
            dedupe_key: dedupe_key.hash()?,
            canary: canary.text()?,
            row_hash,
            extensions,
            roles,
            scripts,
            tables,
            sequences,
            computed: parse_computed(&mut lines)?,
            migrations: lines.all("migration", migration)?,
            excluded: lines.all("excluded", exclusion)?,
            gaps: lines.all("gap", exclusion)?,
        };
        lines.finish()?;
        manifest.check()?;
        Ok(manifest)
    }
}

/// A line that says what a manifest without it means is none that was written.
fn row_hash([word]: [Field; 1]) -> Result<RowHash, FormatError> {
    let unknown = word.because("an unknown way of summing rows");
    if word.text()? == RowHash::Mixed.word() {
        Ok(RowHash::Mixed)
    } else {
        Err(unknown)
    }
}

fn parse_scripts(lines: &mut Reader<'_>, stage: Stage) -> Result<Vec<Script>, FormatError> {
    let mut scripts = Vec::new();
    while lines.next_is("script", stage_word(stage)) {
        let [_, scope_field] = lines.only("script")?;
        scripts.push(Script {
            stage,
            scope: scope(scope_field)?,
            piece: piece(lines.only("piece")?)?,
            objects: lines.all("object", object)?,
        });
    }
    Ok(scripts)
}

fn parse_tables(lines: &mut Reader<'_>) -> Result<Vec<TableData>, FormatError> {
    let mut tables = Vec::new();
    while let Some([schema, name, scope_field, rows, first, second]) = lines.next_of("table")? {
        let (columns, types) = lines
            .all("column", |[name, sql]| Ok((name.text()?, sql.text()?)))?
            .into_iter()
            .unzip();
        tables.push(TableData {
            table: relation(schema, name)?,
            scope: scope(scope_field)?,
            columns,
            types,
            order: lines.all("order", |[column]| column.text())?,
            rows: rows.number()?,
            checksum: Checksum {
                first: first.text()?,
                second: second.text()?,
            },
            read: lines.next_of("read")?.map(table_read).transpose()?,
            pieces: lines.all("piece", piece)?,
        });
    }
    Ok(tables)
}

fn table_read(
    [
        how,
        why,
        ranges,
        ranges_read,
        bytes_read,
        bytes_taken_over,
        checksum_ms,
    ]: [Field; 7],
) -> Result<TableRead, FormatError> {
    let unknown = how.because("an unknown way of reading");
    let (ranges, ranges_read) = (ranges.number()?, ranges_read.number()?);
    let why = why.has_value().then(|| why.text()).transpose()?;
    let how = match (how.text()?.as_str(), why) {
        ("whole", Some(word)) if (ranges, ranges_read) == (0, 0) => {
            Why::of(&word).map(|why| How::Whole { why })
        }
        ("changes", None) => Some(How::Changes {
            ranges,
            ranges_read,
        }),
        _ => None,
    };
    Ok(TableRead {
        how: how.ok_or(unknown)?,
        bytes_read: bytes_read.number()?,
        bytes_taken_over: bytes_taken_over.number()?,
        checksum_ms: checksum_ms.number()?,
    })
}

fn parse_computed(lines: &mut Reader<'_>) -> Result<Vec<Computed>, FormatError> {
    let mut computed = Vec::new();
    while let Some([kind, schema, name, rows, first, second]) = lines.next_of("computed")? {
        let unknown = kind.because("an unknown kind of what is computed");
        let word = kind.text()?;
        let kinds = [ComputedKind::Generated, ComputedKind::View];
        let kind = kinds.into_iter().find(|kind| computed_word(*kind) == word);
        let has_proof = [&rows, &first, &second]
            .iter()
            .any(|field| field.has_value());
        let proof = has_proof
            .then(|| {
                let checksum = Checksum {
                    first: first.text()?,
                    second: second.text()?,
                };
                Ok((rows.number()?, checksum))
            })
            .transpose()?;
        computed.push(Computed {
            relation: relation(schema, name)?,
            kind: kind.ok_or(unknown)?,
            columns: lines.all("proof", |[column]| column.text())?,
            proof,
        });
    }
    Ok(computed)
}

fn server_facts(fields: [Field; 6]) -> Result<ServerFacts, FormatError> {
    let [
        version_num,
        version,
        database,
        wal_lsn,
        snapshot,
        search_path,
    ] = fields;
    Ok(ServerFacts {
        version_num: version_num.number()?,
        version: version.text()?,
        database: database.text()?,
        wal_lsn: wal_lsn.text()?,
        snapshot: snapshot.text()?,
        search_path: search_path.text()?,
    })
}

fn extension([name, schema, version]: [Field; 3]) -> Result<Extension, FormatError> {
    Ok(Extension {
        name: name.text()?,
        schema: schema.text()?,
        version: version.text()?,
    })
}

fn sequence(
    [schema, name, last_value, is_called, table_schema, table]: [Field; 6],
) -> Result<SequenceState, FormatError> {
    Ok(SequenceState {
        sequence: relation(schema, name)?,
        table: optional_relation(table_schema, table)?,
        last_value: last_value.number()?,
        is_called: is_called.parsed("a field is neither true nor false")?,
    })
}

fn migration([version, name, sha256]: [Field; 3]) -> Result<Ledger, FormatError> {
    let sha256 = if sha256.has_value() {
        sha256.hash()?
    } else {
        String::new()
    };
    Ok(Ledger {
        version: version.text()?,
        name: name.text()?,
        sha256,
    })
}

fn exclusion([what, why]: [Field; 2]) -> Result<Exclusion, FormatError> {
    Ok(Exclusion {
        what: what.text()?,
        why: why.text()?,
    })
}

pub(super) fn piece(
    [name, rows, raw_len, raw_sha256, first_key, last_key]: [Field; 6],
) -> Result<Piece, FormatError> {
    Ok(Piece {
        name: name.text()?,
        rows: rows.number()?,
        raw_len: raw_len.number()?,
        raw_sha256: raw_sha256.hash()?,
        first_key: first_key.text()?,
        last_key: last_key.text()?,
    })
}

fn object(
    [
        kind,
        name,
        table_schema,
        table,
        other_schema,
        other,
        offset,
        length,
        schema,
        needs,
    ]: [Field; 10],
) -> Result<ScriptObject, FormatError> {
    Ok(ScriptObject {
        kind: kind.text()?,
        name: name.text()?,
        table: optional_relation(table_schema, table)?,
        refers_to: optional_relation(other_schema, other)?,
        offset: offset.number()?,
        length: length.number()?,
        schema: schema.has_value().then(|| schema.text()).transpose()?,
        needs: needs.numbers()?,
    })
}

fn scope(field: Field) -> Result<Scope, FormatError> {
    let unknown = field.because("an unknown scope");
    match field.text()?.as_str() {
        "app" => Ok(Scope::App),
        "attached" => Ok(Scope::Attached),
        other => match other.strip_prefix("managed:") {
            Some(schema) => Ok(Scope::Managed(schema.to_owned())),
            None => Err(unknown),
        },
    }
}

pub(super) fn relation(schema: Field, name: Field) -> Result<Name, FormatError> {
    Ok(Name {
        schema: schema.text()?,
        name: name.text()?,
    })
}

fn optional_relation(schema: Field, name: Field) -> Result<Option<Name>, FormatError> {
    if schema.has_value() || name.has_value() {
        relation(schema, name).map(Some)
    } else {
        Ok(None)
    }
}
