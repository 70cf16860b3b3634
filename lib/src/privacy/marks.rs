//! Where a person is named by their marks: their number, their address of mail, their telephone,
//! in whatever column of whatever table. It reads everything once.

use serde::Serialize;
use tokio_postgres::Client;

use super::{Person, PrivacyError, files, ways::Table};

/// Where marks were found, and where nobody could look.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Marked {
    /// Tables with the number of rows in which a mark stands.
    pub tables: Vec<(Table, u64)>,
    /// Tables that this session may not read.
    pub unread: Vec<Table>,
    /// Files in Storage that the person owns.
    pub files: u64,
}

impl Marked {
    /// Whether nothing was found, wherever it could be looked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tables.is_empty() && self.files == 0
    }
}

const TABLES: &str = "
select
    schema.nspname::text, class.relname::text,
    has_schema_privilege(schema.oid, 'usage') and has_table_privilege(class.oid, 'select')
from pg_catalog.pg_class as class
join pg_catalog.pg_namespace as schema on schema.oid = class.relnamespace
where
    class.relkind in ('r', 'm')
    and class.relpersistence <> 't'
    and schema.nspname not in ('pg_catalog', 'information_schema')
order by 1, 2";

/// Looks for somebody's marks in every table.
pub async fn find(client: &Client, person: &Person) -> Result<Marked, PrivacyError> {
    let mut marked = Marked::default();
    for row in client.query(TABLES, &[]).await? {
        let table = Table::new(row.try_get(0)?, row.try_get(1)?);
        if !row.try_get::<_, bool>(2)? {
            marked.unread.push(table);
            continue;
        }
        let rows = rows_with_marks(client, &table, person).await?;
        if rows > 0 {
            marked.tables.push((table, rows));
        }
    }
    marked.files = files::count(client, person).await?;
    Ok(marked)
}

async fn rows_with_marks(
    client: &Client,
    table: &Table,
    person: &Person,
) -> Result<u64, PrivacyError> {
    let marks = person.marks();
    let holds: Vec<_> = marks
        .iter()
        .map(|mark| mark.stands_in("whole.text"))
        .collect();
    let sql = format!(
        "select count(*) from only {} as one, lateral (select (one.*)::text as text) as whole where {}",
        table.quoted(),
        holds.join(" or ")
    );
    let rows: i64 = client.query_one(&sql, &[]).await?.try_get(0)?;
    Ok(u64::try_from(rows).unwrap_or_default())
}
