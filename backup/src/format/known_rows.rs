//! What runs note down of the rows that they read, for the next run: which pieces hold which
//! range of a table, and the checksums by which the server can tell whether it is still so.
//!
//! Unlike everything else it is written over by every run and read by runs alone: no backup
//! needs it. Without it, or if it cannot be read, the next run reads everything.

use jiff::Timestamp;

use crate::{checksum::RowSums, schema::Name};

use super::{
    Checksum, FormatError, Piece,
    field_lines::{Field, Reader, Writer},
    manifest_parse,
};

const FORMAT: &str = "pourtrait-known-rows";

/// What runs noted down of rows.
///
/// As text: a line `server` with its version number; a line `setting` for each setting that the
/// text of a value depends on; for each table a line `table` with schema, name, when all of it
/// was read, how often in a row its changes were spread over most of it, and for how many more
/// runs it is read whole therefore; then its lines `column` (name, type), `order` and `piece`
/// as a manifest has them, the last with the two sums over its rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownRows {
    /// `server_version_num` of the server that the texts came from.
    pub version_num: u32,
    /// The session's settings that COPY text depends on.
    pub settings: Vec<(String, String)>,
    /// The tables.
    pub tables: Vec<KnownTable>,
}

/// What is known of the rows of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownTable {
    /// Which table.
    pub table: Name,
    /// When the oldest of its rows were read.
    pub read_at: Timestamp,
    /// How often in a row its changes were spread over most of it.
    pub spread: u32,
    /// For how many more runs nobody asks for its checksums.
    pub rest: u32,
    /// The columns that COPY text has, in its order.
    pub columns: Vec<String>,
    /// Their types as SQL.
    pub types: Vec<String>,
    /// The columns that order the rows.
    pub order: Vec<String>,
    /// Its rows, in order.
    pub pieces: Vec<KnownPiece>,
}

/// A piece whose rows were read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownPiece {
    /// The piece.
    pub piece: Piece,
    /// The sums over the rows that end in it.
    pub sums: RowSums,
}

impl KnownRows {
    /// What it is as text.
    #[must_use]
    pub fn render(&self) -> Vec<u8> {
        let mut lines = Writer::new(FORMAT);
        lines.line("server", [&self.version_num]);
        for (name, value) in &self.settings {
            lines.line("setting", [name, value]);
        }
        for table in &self.tables {
            let Name { schema, name } = &table.table;
            lines.line(
                "table",
                [schema, name, &table.read_at, &table.spread, &table.rest],
            );
            for (column, sql) in table.columns.iter().zip(&table.types) {
                lines.line("column", [column, sql]);
            }
            for column in &table.order {
                lines.line("order", [column]);
            }
            for KnownPiece { piece, sums } in &table.pieces {
                piece.render(&mut lines);
                let Checksum { first, second } = sums.checksum();
                lines.line("sums", [&first, &second]);
            }
        }
        lines.finish()
    }

    /// Reads what [`KnownRows::render`] wrote.
    ///
    /// # Errors
    /// See [`FormatError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, FormatError> {
        let mut lines = Reader::new(FORMAT, bytes)?;
        let [version_num] = lines.only("server")?;
        let settings = lines.all("setting", |[name, value]| Ok((name.text()?, value.text()?)))?;
        let mut tables = Vec::new();
        while let Some([schema, name, read_at, spread, rest]) = lines.next_of("table")? {
            let (columns, types) = lines
                .all("column", |[name, sql]| Ok((name.text()?, sql.text()?)))?
                .into_iter()
                .unzip();
            tables.push(KnownTable {
                table: manifest_parse::relation(schema, name)?,
                read_at: read_at.parsed("the time is not one in UTC")?,
                spread: spread.number()?,
                rest: rest.number()?,
                columns,
                types,
                order: lines.all("order", |[column]| column.text())?,
                pieces: pieces(&mut lines)?,
            });
        }
        lines.finish()?;
        Ok(Self {
            version_num: version_num.number()?,
            settings,
            tables,
        })
    }
}

fn pieces(lines: &mut Reader<'_>) -> Result<Vec<KnownPiece>, FormatError> {
    let mut pieces = Vec::new();
    while let Some(fields) = lines.next_of("piece")? {
        let [first, second] = lines.only("sums")?;
        pieces.push(KnownPiece {
            piece: manifest_parse::piece(fields)?,
            sums: sums(first, second)?,
        });
    }
    Ok(pieces)
}

fn sums(first: Field, second: Field) -> Result<RowSums, FormatError> {
    let wrong = first.because("a field is not a sum");
    let checksum = Checksum {
        first: first.text()?,
        second: second.text()?,
    };
    RowSums::parse(&checksum).ok_or(wrong)
}
