//! Tables of a living database, which may have changed since the backup.

use std::collections::HashMap;

use tokio_postgres::Client;

use super::super::{Cause, restore_error::refused};
use crate::{format::TableData, schema::Name};

/// A table as it is now.
#[derive(Debug)]
pub(super) struct LiveTable<'a> {
    /// The table, or the whole that the backup's are partitions of.
    pub(super) name: Name,
    /// What the backup has of it.
    pub(super) parts: Vec<&'a TableData>,
    /// The columns that both have.
    pub(super) shared: Vec<String>,
    /// Columns that only the backup has.
    pub(super) left: Vec<String>,
    /// Columns that only the table has.
    pub(super) defaults: Vec<String>,
    /// What holds between a row `t` of the table and the same row `c` of the backup;
    /// `None` without a key by which rows are known.
    pub(super) key: Option<String>,
    /// Whether it has partitions.
    partitioned: bool,
}

impl<'a> LiveTable<'a> {
    pub(super) async fn read(
        session: &Client,
        name: Name,
        parts: Vec<&'a TableData>,
    ) -> Result<Self, Cause> {
        let columns = columns(session, &name).await?;
        let in_backup = |column: &String| parts.iter().all(|data| data.columns.contains(column));
        let (shared, defaults): (Vec<_>, Vec<_>) = columns.into_iter().partition(in_backup);
        let all = parts.iter().flat_map(|data| &data.columns);
        let mut left: Vec<_> = all
            .filter(|column| !shared.contains(column))
            .cloned()
            .collect();
        left.sort();
        left.dedup();
        Ok(Self {
            key: key(session, &name, &shared).await?,
            partitioned: is_partitioned(session, &name).await?,
            name,
            parts,
            shared,
            left,
            defaults,
        })
    }

    /// Whether these columns come back.
    pub(super) fn takes(&self, columns: &[String]) -> bool {
        columns.iter().all(|column| self.shared.contains(column))
    }

    /// Its own rows, as a `from` item.
    pub(super) fn rows(&self) -> String {
        let only = if self.partitioned { "" } else { "only " };
        format!("{only}{}", self.name)
    }
}

/// The tables that are there of some of the backup's, each with the whole that it is a
/// part of or is itself.
pub(super) async fn wholes(
    session: &Client,
    tables: impl Iterator<Item = &TableData>,
) -> Result<HashMap<Name, Name>, Cause> {
    const WHOLES: &str = "\
select named.place, n.nspname::text, c.relname::text
from unnest($1::text[]) with ordinality as named (name, place)
join pg_class c on c.oid = coalesce(pg_partition_root(to_regclass(named.name)), to_regclass(named.name))
join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p')";
    let names: Vec<_> = tables.map(|data| data.table.clone()).collect();
    let texts: Vec<_> = names.iter().map(ToString::to_string).collect();
    let rows = session.query(WHOLES, &[&texts]).await;
    let rows = rows.map_err(refused("cannot look at the database"))?;
    let mut wholes = HashMap::new();
    for row in &rows {
        let place = usize::try_from(row.get::<_, i64>(0) - 1).unwrap_or_default();
        let whole = Name {
            schema: row.get(1),
            name: row.get(2),
        };
        wholes.extend(names.get(place).map(|name| (name.clone(), whole)));
    }
    Ok(wholes)
}

/// The columns that rows are written to.
async fn columns(session: &Client, table: &Name) -> Result<Vec<String>, Cause> {
    const COLUMNS: &str = "select attname::text from pg_attribute \
        where attrelid = $1::text::regclass and attnum > 0 and not attisdropped \
        and attgenerated = '' order by attnum";
    let rows = session.query(COLUMNS, &[&table.to_string()]).await;
    let rows = rows.map_err(refused(format!("cannot look at {table}")))?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

async fn is_partitioned(session: &Client, table: &Name) -> Result<bool, Cause> {
    const KIND: &str = "select relkind = 'p' from pg_class where oid = $1::text::regclass";
    let row = session.query_one(KIND, &[&table.to_string()]).await;
    Ok(row
        .map_err(refused(format!("cannot look at {table}")))?
        .get(0))
}

/// The primary key, or the shortest unique key over columns that may not be null, by the
/// operators of its index: names are looked up nowhere.
async fn key(session: &Client, table: &Name, shared: &[String]) -> Result<Option<String>, Cause> {
    const KEYS: &str = "\
select array_agg(a.attname::text),
       string_agg(format('t.%I operator(%I.%s) c.%I%s', a.attname, n.nspname, o.oprname, a.attname,
           case when a.attcollation <> 0 then ' collate ' || a.attcollation::regcollation end),
           ' and ' order by u.place)
from pg_index i
cross join lateral unnest(i.indkey::int2[], i.indclass::oid[]) with ordinality as u (num, class, place)
join pg_attribute a on a.attrelid = i.indrelid and a.attnum = u.num
join pg_opclass c on c.oid = u.class
join pg_am m on m.oid = c.opcmethod and m.amname = 'btree'
join pg_amop s on s.amopfamily = c.opcfamily and s.amopstrategy = 3
    and s.amoplefttype = c.opcintype and s.amoprighttype = c.opcintype
join pg_operator o on o.oid = s.amopopr
join pg_namespace n on n.oid = o.oprnamespace
where i.indrelid = $1::text::regclass and i.indisunique and i.indisvalid
  and i.indpred is null and i.indexprs is null and u.place <= i.indnkeyatts
group by i.indexrelid, i.indisprimary, i.indnkeyatts
having bool_and(a.attnotnull) and count(*) = i.indnkeyatts
order by i.indisprimary desc, i.indnkeyatts, i.indexrelid";
    let rows = session.query(KEYS, &[&table.to_string()]).await;
    let rows = rows.map_err(refused(format!("cannot look at {table}")))?;
    let mut keys = rows
        .iter()
        .map(|row| (row.get::<_, Vec<String>>(0), row.get(1)));
    let usable = keys.find(|(columns, _)| columns.iter().all(|column| shared.contains(column)));
    Ok(usable.map(|(_, matches)| matches))
}
