//! Foreign keys of tables that are there, and the rows that break them: where triggers are
//! off, nobody else looks.

use tokio_postgres::{Client, Row};

use super::{Cause, refusals::Missing, restore_error::refused};
use crate::{restore_sql, schema::Name};

/// A foreign key, as the target has it.
#[derive(Debug, Clone)]
pub(super) struct ForeignKey {
    pub(super) name: String,
    /// The table whose rows refer.
    pub(super) table: Name,
    /// The table that they refer to.
    pub(super) refers_to: Name,
    /// The columns that refer, in the key's order.
    pub(super) columns: Vec<String>,
    /// The columns that they refer to.
    pub(super) keys: Vec<String>,
    /// Whether rows go along when what they refer to is deleted.
    pub(super) cascades: bool,
    /// What holds between a referring row `c` and the row `p` that it refers to.
    pub(super) matches: String,
    /// Whether it has to be whole or absent, rather than only whole to count.
    full: bool,
    /// Whether rows of tables that inherit from the other do not count.
    only: bool,
}

/// Rows that refer to none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Orphans {
    /// The table whose rows refer.
    pub table: Name,
    /// The foreign key.
    pub constraint: String,
    /// The columns that refer.
    pub columns: Vec<String>,
    /// The table that has no such row.
    pub refers_to: Name,
    /// How many rows.
    pub rows: u64,
}

impl std::fmt::Display for Orphans {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let rows = if self.rows == 1 { "row" } else { "rows" };
        write!(
            formatter,
            "{} {rows} of {} with a ({}) that {} does not have, which foreign key {} does not allow",
            self.rows,
            self.table,
            restore_sql::list(&self.columns),
            self.refers_to,
            self.constraint
        )
    }
}

impl From<Orphans> for Missing {
    fn from(orphans: Orphans) -> Self {
        Self {
            what: format!(
                "validity of foreign key {}.{} {}",
                orphans.table.schema, orphans.table.name, orphans.constraint
            ),
            reason: orphans.to_string(),
            statement: String::new(),
        }
    }
}

impl ForeignKey {
    fn of_row(row: &Row) -> Self {
        let name = |schema, name| Name {
            schema: row.get(schema),
            name: row.get(name),
        };
        Self {
            name: row.get(0),
            table: name(1, 2),
            refers_to: name(3, 4),
            columns: row.get(5),
            keys: row.get(6),
            matches: row.get(7),
            full: row.get(8),
            cascades: row.get(9),
            only: row.get(10),
        }
    }

    /// The rows that are referred to, as a `from` item.
    pub(super) fn referred(&self) -> String {
        let only = if self.only { "only " } else { "" };
        format!("{only}{}", self.refers_to)
    }

    /// Counts the rows of a `from` item that refer neither to a row of the other table
    /// nor to one of `more`.
    pub(super) async fn orphans(
        &self,
        session: &Client,
        rows: &str,
        more: &[String],
    ) -> Result<Option<Orphans>, Cause> {
        let more = more.iter().cloned().chain([self.referred()]);
        let absent: Vec<_> = more
            .map(|others| format!("not exists (select from {others} p where {})", self.matches))
            .collect();
        let count = format!(
            "select count(*) from {rows} c where {} and {}",
            self.counts(),
            absent.join(" and ")
        );
        let row = session.query_one(&count, &[]).await;
        let row = row.map_err(refused(format!("cannot look at rows of {}", self.table)))?;
        let rows = row.get::<_, i64>(0).unsigned_abs();
        Ok((rows > 0).then(|| Orphans {
            table: self.table.clone(),
            constraint: self.name.clone(),
            columns: self.columns.clone(),
            refers_to: self.refers_to.clone(),
            rows,
        }))
    }

    /// Which rows refer at all.
    fn counts(&self) -> String {
        let test = if self.full { " or " } else { " and " };
        let columns = self.columns.iter().map(|column| {
            let column = crate::schema::quoted(column);
            format!("c.{column} is not null")
        });
        format!("({})", columns.collect::<Vec<_>>().join(test))
    }
}

/// The foreign keys of a table, or with `refers_to` those that refer to it. What the
/// server keeps for the partitions of a table that is referred to is no key of its own.
const KEYS: &str = "\
select k.conname::text, tn.nspname::text, t.relname::text, rn.nspname::text, r.relname::text,
       pairs.columns, pairs.keys, pairs.matches, k.confmatchtype = 'f', k.confdeltype = 'c',
       r.relkind = 'r'
from pg_constraint k
join pg_class t on t.oid = k.conrelid
join pg_namespace tn on tn.oid = t.relnamespace
join pg_class r on r.oid = k.confrelid
join pg_namespace rn on rn.oid = r.relnamespace
cross join lateral (
    select array_agg(a.attname::text order by u.place) as columns,
           array_agg(b.attname::text order by u.place) as keys,
           string_agg(format('p.%I operator(%I.%s) c.%I%s', b.attname, n.nspname, o.oprname, a.attname,
               case when b.attcollation <> 0 then ' collate ' || b.attcollation::regcollation end),
               ' and ' order by u.place) as matches
    from unnest(k.conkey, k.confkey, k.conpfeqop) with ordinality as u (col, key, op, place)
    join pg_attribute a on a.attrelid = k.conrelid and a.attnum = u.col
    join pg_attribute b on b.attrelid = k.confrelid and b.attnum = u.key
    join pg_operator o on o.oid = u.op
    join pg_namespace n on n.oid = o.oprnamespace
) as pairs
where k.contype = 'f'
  and coalesce(to_jsonb(k) ->> 'conenforced', 'true') = 'true'
  and coalesce(to_jsonb(k) ->> 'conperiod', 'false') = 'false'
  and not exists (select from pg_constraint w where w.oid = k.conparentid and w.conrelid = k.conrelid)";

/// The foreign keys of a table.
pub(super) async fn of(session: &Client, table: &Name) -> Result<Vec<ForeignKey>, Cause> {
    read(session, table, "and k.conrelid = $1::text::regclass").await
}

/// The foreign keys by which other tables refer to one.
pub(super) async fn to(session: &Client, table: &Name) -> Result<Vec<ForeignKey>, Cause> {
    let others = "and k.confrelid = $1::text::regclass and k.conrelid <> k.confrelid \
        and k.conparentid = 0";
    read(session, table, others).await
}

async fn read(session: &Client, table: &Name, which: &str) -> Result<Vec<ForeignKey>, Cause> {
    let query = format!("{KEYS} {which} order by 2, 3, 1");
    let rows = session.query(&query, &[&table.to_string()]).await;
    let rows = rows.map_err(refused(format!("cannot look at {table}")))?;
    Ok(rows.iter().map(ForeignKey::of_row).collect())
}

/// Puts tables that are there into an order in which rows are loaded after those they
/// refer to, as far as they do not refer to each other.
pub(super) async fn order(session: &Client, tables: Vec<Name>) -> Result<Vec<Name>, Cause> {
    // A partition is referred to by its whole's name.
    const REFERENCES: &str = "\
select distinct rn.nspname::text, r.relname::text
from pg_constraint k
cross join lateral (select k.confrelid union select relid from pg_partition_tree(k.confrelid)) as all_of (oid)
join pg_class r on r.oid = all_of.oid
join pg_namespace rn on rn.oid = r.relnamespace
where k.contype = 'f' and k.conrelid = $1::text::regclass and r.oid <> k.conrelid";
    let mut waiting = Vec::new();
    for table in tables {
        let rows = session.query(REFERENCES, &[&table.to_string()]).await;
        let rows = rows.map_err(refused(format!("cannot look at {table}")))?;
        let referred: Vec<_> = rows
            .iter()
            .map(|row| Name {
                schema: row.get(0),
                name: row.get(1),
            })
            .collect();
        waiting.push((table, referred));
    }
    let mut ordered = Vec::new();
    while !waiting.is_empty() {
        let is_free = |(_, referred): &(Name, Vec<Name>)| {
            !waiting.iter().any(|(other, _)| referred.contains(other))
        };
        let next = waiting.iter().position(is_free).unwrap_or(0);
        ordered.push(waiting.remove(next).0);
    }
    Ok(ordered)
}
