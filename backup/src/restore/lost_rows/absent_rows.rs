//! The rows of a backup that are not in a table any more.

use super::{
    super::{row_loading, table_comparison},
    Cause, TableRows, Work, execute,
    live_tables::LiveTable,
    refused,
};
use crate::{format::TableData, restore_sql};

/// Rows that are not there, in a temporary table of their own.
#[derive(Debug)]
pub(super) struct Absent<'a> {
    pub(super) table: LiveTable<'a>,
    /// The temporary table.
    pub(super) place: String,
    /// How many rows it has.
    pub(super) rows: u64,
    /// Of how many rows of the backup.
    pub(super) of: u64,
}

impl Absent<'_> {
    /// What there is to tell, with how many rows were written.
    pub(super) fn told(&self, inserted: u64) -> TableRows {
        TableRows {
            table: self.table.name.clone(),
            in_backup: self.of,
            missing: self.rows,
            inserted,
            left: self.table.left.clone(),
            defaults: self.table.defaults.clone(),
        }
    }
}

impl<'a> Work<'a> {
    /// Reads a table's rows from the backup, proves that they are what the source had,
    /// and keeps those that are absent and, if a condition on `c` is given, fulfil it.
    pub(super) async fn absent_rows(
        &self,
        table: LiveTable<'a>,
        number: usize,
        only: Option<&str>,
    ) -> Result<Absent<'a>, Cause> {
        let place = format!("pg_temp.missing_{number}");
        let mut into = format!("create temporary table missing_{number} on commit drop as");
        let mut rows = 0;
        for data in &table.parts {
            self.receive(data).await?;
            let keep = format!("{into} {}", absent(&table, only));
            let kept = self.session.execute(&keep, &[]).await;
            rows += kept.map_err(refused(format!("cannot compare rows of {}", data.table)))?;
            execute(self.session, "drop table pg_temp.incoming").await?;
            into = format!("insert into {place}");
        }
        execute(self.session, &format!("analyze {place}")).await?;
        let of = table.parts.iter().map(|data| data.rows).sum();
        Ok(Absent {
            table,
            place,
            rows,
            of,
        })
    }

    async fn receive(&self, data: &TableData) -> Result<(), Cause> {
        execute(self.session, &restore_sql::make_incoming(data)).await?;
        let incoming = restore_sql::incoming();
        let copy = restore_sql::copy(&incoming, &data.columns, false);
        row_loading::send(self.source, self.session, &copy, data, self.tell).await?;
        let hash = self.source.manifest.row_hash;
        let arrived = table_comparison::sums(self.session, &incoming, &data.columns, hash).await?;
        if arrived != (data.rows, data.checksum.clone()) {
            return Err(Cause::Different(vec![data.table.clone()]));
        }
        execute(self.session, &format!("analyze {incoming}")).await
    }
}

/// The rows that came and are absent. Without a key none can be told from another, and
/// all count.
fn absent(table: &LiveTable<'_>, only: Option<&str>) -> String {
    let there = table.key.as_ref().map(|key| {
        let rows = table.rows();
        format!("not exists (select from {rows} t where {key})")
    });
    let conditions: Vec<_> = there.as_deref().into_iter().chain(only).collect();
    let conditions = match conditions[..] {
        [] => "true".to_owned(),
        _ => conditions.join(" and "),
    };
    format!(
        "select {} from {} c where {conditions}",
        restore_sql::list(&table.shared),
        restore_sql::incoming()
    )
}
