//! The rows of a backup that belong to some: those that are named, all that refer to them by
//! foreign keys of the living database, and all that refer to those.
//!
//! Only rows that can be among them leave the store: by the ranges of keys that pieces have, and
//! by the values of the columns that refer. The server has the last word, by its own operators.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};

use tokio_postgres::Row;

use super::{
    super::{
        row_loading::{self, SomeRows},
        table_comparison,
    },
    Absent, Cause, Event, Found, Step, Work, execute,
    foreign_keys::{self, ForeignKey},
    live_tables::{self, LiveTable},
    refused,
};
use crate::{
    format::TableData,
    restore_sql,
    row_history::RowName,
    schema::{Name, quoted},
    stored_rows::{self, WithAnyKey, WithKey},
};

/// The rows of one table that belong to the named ones, in a temporary table of their own.
struct Owned<'a> {
    table: LiveTable<'a>,
    place: String,
    rows: u64,
}

/// Rows that were found and whose own followers were not looked for yet.
struct Fresh {
    table: Name,
    place: String,
}

/// What is known so far.
#[derive(Default)]
struct Belongings<'a> {
    owned: HashMap<Name, Owned<'a>>,
    open: VecDeque<Fresh>,
    /// Tables whose rows refer to these and cannot be told from each other.
    keyless: BTreeSet<Name>,
    /// How many temporary tables there are.
    places: usize,
}

/// Rows on their way out of the store.
struct Wanted<'w> {
    rows: SomeRows<'w>,
    /// What has to hold of a row `c`.
    condition: &'w str,
}

impl<'a> Work<'a> {
    /// What is missing of all that belongs to some rows.
    pub(super) async fn find_owned(&self, whose: &[RowName]) -> Result<Found<'a>, Cause> {
        (self.tell)(Event::Begun(Step::Rows, 0));
        let tables = &self.source.manifest.tables;
        let wholes = live_tables::wholes(self.session, tables.iter()).await?;
        let mut belongings = Belongings::default();
        for row in whose {
            self.named(row, &wholes, &mut belongings).await?;
        }
        while let Some(fresh) = belongings.open.pop_front() {
            for key in foreign_keys::to(self.session, &fresh.table).await? {
                self.followers(&key, &fresh, &wholes, &mut belongings)
                    .await?;
            }
        }
        let keyless = std::mem::take(&mut belongings.keyless);
        let absent = self.absent_of(belongings).await?;
        Ok(Found {
            orphans: self.orphans(&absent).await?,
            along: Vec::new(),
            absent,
            keyless: keyless.into_iter().collect(),
        })
    }

    /// The rows that were named.
    async fn named(
        &self,
        row: &RowName,
        wholes: &HashMap<Name, Name>,
        belongings: &mut Belongings<'a>,
    ) -> Result<(), Cause> {
        let Some(whole) = whole_of(&row.table, wholes) else {
            return Err(Cause::NoTables(vec![row.table.to_string()]));
        };
        for data in self.parts_of(&whole, wholes) {
            let wanted = WithKey::of(data, &row.key);
            let wanted = wanted.map_err(|column| Cause::NoColumn(row.table.clone(), column))?;
            let rows = Wanted {
                rows: SomeRows {
                    groups: wanted.groups().collect(),
                    is_wanted: &|row| wanted.is_met_by(row),
                },
                condition: "true",
            };
            self.add(&whole, wholes, data, rows, belongings).await?;
        }
        Ok(())
    }

    /// The rows that refer to fresh ones by a foreign key.
    async fn followers(
        &self,
        key: &ForeignKey,
        fresh: &Fresh,
        wholes: &HashMap<Name, Name>,
        belongings: &mut Belongings<'a>,
    ) -> Result<(), Cause> {
        let takes = |table: &LiveTable<'_>| table.takes(&key.keys);
        if !belongings
            .owned
            .get(&fresh.table)
            .is_some_and(|owned| takes(&owned.table))
        {
            return Ok(());
        }
        if !belongings.owned.contains_key(&key.table) {
            let owned = self.begin(&key.table, wholes, belongings).await?;
            if owned.table.key.is_none() {
                belongings.keyless.insert(key.table.clone());
                return Ok(());
            }
            belongings.owned.insert(key.table.clone(), owned);
        }
        let keys = self.keys(key, &fresh.place).await?;
        let condition = format!(
            "exists (select from {} p where {})",
            fresh.place, key.matches
        );
        for data in self.parts_of(&key.table, wholes) {
            if !key
                .columns
                .iter()
                .all(|column| data.columns.contains(column))
            {
                continue;
            }
            let some = WithAnyKey::of(data, &key.columns, keys.clone());
            let groups = match &some {
                Some(some) => some.groups().collect(),
                None => stored_rows::groups(data).collect(),
            };
            let rows = Wanted {
                rows: SomeRows {
                    groups,
                    is_wanted: &|row| some.as_ref().is_none_or(|some| some.is_met_by(row)),
                },
                condition: &condition,
            };
            self.add(&key.table, wholes, data, rows, belongings).await?;
        }
        Ok(())
    }

    /// The values that are referred to, as text.
    async fn keys(&self, key: &ForeignKey, place: &str) -> Result<HashSet<Vec<String>>, Cause> {
        let columns = key
            .keys
            .iter()
            .map(|column| format!("{}::text", quoted(column)));
        let columns = columns.collect::<Vec<_>>().join(", ");
        let query = format!("select distinct array[{columns}] from {place}");
        let rows = self.session.query(&query, &[]).await;
        let rows = rows.map_err(refused(format!("cannot look at rows of {}", key.refers_to)))?;
        let values = |row: &Row| row.get::<_, Vec<Option<String>>>(0).into_iter().collect();
        Ok(rows
            .iter()
            .filter_map(values)
            .collect::<HashSet<Vec<String>>>())
    }

    /// Adds rows of one of the backup's tables to those of the table that it is a part of.
    async fn add(
        &self,
        whole: &Name,
        wholes: &HashMap<Name, Name>,
        data: &TableData,
        wanted: Wanted<'_>,
        belongings: &mut Belongings<'a>,
    ) -> Result<(), Cause> {
        if !belongings.owned.contains_key(whole) {
            let owned = self.begin(whole, wholes, belongings).await?;
            belongings.owned.insert(whole.clone(), owned);
        }
        let Some(owned) = belongings.owned.get_mut(whole) else {
            return Ok(());
        };
        let key = owned.table.key.as_ref();
        let key = key.ok_or_else(|| Cause::NoKey(whole.clone()))?;
        self.receive_some(data, &wanted).await?;
        belongings.places += 1;
        let place = format!("pg_temp.owned_{}", belongings.places);
        let columns = restore_sql::list(&owned.table.shared);
        let (all, condition) = (&owned.place, wanted.condition);
        let keep = format!(
            "create temporary table owned_{} on commit drop as select {columns} from {} c \
             where {condition} and not exists (select from {all} t where {key})",
            belongings.places,
            restore_sql::incoming()
        );
        let kept = self.session.execute(&keep, &[]).await;
        let rows = kept.map_err(refused(format!("cannot compare rows of {whole}")))?;
        let merge = format!(
            "insert into {all} select * from {place}; drop table pg_temp.incoming; analyze {place}"
        );
        execute(self.session, &merge).await?;
        owned.rows += rows;
        if rows > 0 {
            belongings.open.push_back(Fresh {
                table: whole.clone(),
                place,
            });
        }
        Ok(())
    }

    /// A table of which no row is known yet.
    async fn begin(
        &self,
        whole: &Name,
        wholes: &HashMap<Name, Name>,
        belongings: &mut Belongings<'a>,
    ) -> Result<Owned<'a>, Cause> {
        let parts = self.parts_of(whole, wholes);
        let table = LiveTable::read(self.session, whole.clone(), parts).await?;
        belongings.places += 1;
        let make = format!(
            "create temporary table owned_{} on commit drop as select {} from {whole} with no data",
            belongings.places,
            restore_sql::list(&table.shared)
        );
        execute(self.session, &make).await?;
        Ok(Owned {
            table,
            place: format!("pg_temp.owned_{}", belongings.places),
            rows: 0,
        })
    }

    /// Brings rows into the temporary table, and proves that they arrived as they are stored.
    async fn receive_some(&self, data: &TableData, wanted: &Wanted<'_>) -> Result<(), Cause> {
        execute(self.session, &restore_sql::make_incoming(data)).await?;
        let incoming = restore_sql::incoming();
        let copy = restore_sql::copy(&incoming, &data.columns, false);
        let sent = row_loading::send_some(
            self.source,
            self.session,
            &copy,
            data,
            &wanted.rows,
            self.tell,
        )
        .await?;
        let hash = self.source.manifest.row_hash;
        let arrived = table_comparison::sums(self.session, &incoming, &data.columns, hash).await?;
        if arrived == (sent.0, sent.1.checksum()) {
            Ok(())
        } else {
            Err(Cause::Different(vec![data.table.clone()]))
        }
    }

    /// Which of these rows the database does not have, in the order in which they come back.
    async fn absent_of(&self, mut belongings: Belongings<'a>) -> Result<Vec<Absent<'a>>, Cause> {
        let names = belongings.owned.keys().cloned().collect();
        let names = foreign_keys::order(self.session, names).await?;
        let mut absent = Vec::new();
        for name in names {
            let Some(owned) = belongings
                .owned
                .remove(&name)
                .filter(|owned| owned.rows > 0)
            else {
                continue;
            };
            let key = owned.table.key.as_ref();
            let key = key.ok_or_else(|| Cause::NoKey(name.clone()))?;
            let place = format!("pg_temp.missing_{}", absent.len());
            let keep = format!(
                "create temporary table missing_{} on commit drop as select * from {} c \
                 where not exists (select from {} t where {key})",
                absent.len(),
                owned.place,
                owned.table.rows()
            );
            let kept = self.session.execute(&keep, &[]).await;
            let rows = kept.map_err(refused(format!("cannot compare rows of {name}")))?;
            execute(self.session, &format!("analyze {place}")).await?;
            absent.push(Absent {
                table: owned.table,
                place,
                rows,
                of: owned.rows,
            });
        }
        Ok(absent)
    }

    /// What the backup has of a table.
    fn parts_of(&self, whole: &Name, wholes: &HashMap<Name, Name>) -> Vec<&'a TableData> {
        let tables = self.source.manifest.tables.iter();
        tables
            .filter(|data| wholes.get(&data.table) == Some(whole))
            .collect()
    }
}

/// The table that a name of the backup is now.
fn whole_of(table: &Name, wholes: &HashMap<Name, Name>) -> Option<Name> {
    let found = wholes.get(table);
    let found = found.or_else(|| wholes.values().find(|whole| *whole == table));
    found.cloned()
}
