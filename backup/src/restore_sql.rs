//! The SQL of a restore that is not in the backup. What a script for psql says instead
//! stands in `tools/restore.sql`.

use crate::{
    format::{SequenceState, TableData},
    schema::{Name, quoted},
};

/// The temporary table that rows of a managed table pass through.
pub(crate) fn incoming() -> Name {
    Name {
        schema: "pg_temp".to_owned(),
        name: "incoming".to_owned(),
    }
}

/// Text as a literal, whatever its characters.
pub(crate) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Columns as a list, quoted.
pub(crate) fn list(columns: &[String]) -> String {
    let quoted: Vec<_> = columns.iter().map(|column| quoted(column)).collect();
    quoted.join(", ")
}

/// COPY into a table; its rows follow as COPY text.
pub(crate) fn copy(table: &Name, columns: &[String], frozen: bool) -> String {
    let columns = match columns {
        [] => String::new(),
        columns => format!(" ({})", list(columns)),
    };
    let options = if frozen { " with (freeze)" } else { "" };
    format!("copy {table}{columns} from stdin{options}")
}

/// The temporary table with the columns that the source had.
pub(crate) fn make_incoming(data: &TableData) -> String {
    let columns = data.columns.iter().zip(&data.types);
    let columns: Vec<_> = columns
        .map(|(column, kind)| format!("{} {kind}", quoted(column)))
        .collect();
    format!(
        "create temporary table incoming ({}) on commit drop",
        columns.join(", ")
    )
}

/// Takes the rows over with the columns that both sides have.
pub(crate) fn take_over(table: &Name, shared: &[String]) -> String {
    let columns = list(shared);
    let incoming = incoming();
    format!(
        "insert into {table} ({columns}) overriding system value select {columns} from {incoming}"
    )
}

/// Puts a sequence where it stood.
pub(crate) fn setval(state: &SequenceState) -> String {
    format!(
        "select pg_catalog.setval({}, {}, {})",
        literal(&state.sequence.to_string()),
        state.last_value,
        state.is_called
    )
}

/// What lies where the backup's objects would: relations but for extensions'
/// own, and schemas that the backup makes. `$1` and `$2` are the schemas with its
/// objects and those that it makes, as arrays.
pub(crate) const THERE: &str = "\
select format('%I.%I', n.nspname, c.relname) as what
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname = any ($1::text[]) and c.relkind in ('r', 'p', 'v', 'm', 'S', 'f', 'c')
and not exists (select from pg_depend d
where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
union all
select format('schema %I', nspname) from pg_namespace where nspname = any ($2::text[])
order by 1";
