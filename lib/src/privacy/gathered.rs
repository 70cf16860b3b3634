//! The rows that refer to a person, found within a transaction: where each lies, and what is to
//! become of it.

use tokio_postgres::{Transaction, types::ToSql};

use super::{
    Person, PrivacyError,
    ways::{Fate, Table, Way, Ways, quoted},
};

/// A row is named by where it lies, which holds within one snapshot, because not every table
/// has a key. `step` is the round in which it was found last.
const PLACES: &str = "
create temporary table gathered (
    of_table text not null,
    part oid not null,
    place tid not null,
    deleted boolean not null,
    step integer not null,
    primary key (of_table, part, place)
) on commit drop";

/// The rows of a person in a transaction.
pub(super) struct Gathered<'a, 'c> {
    pub(super) transaction: &'a Transaction<'c>,
}

impl<'a, 'c> Gathered<'a, 'c> {
    /// Finds them, round by round, until none is new: cycles come to an end.
    pub(super) async fn gather(
        transaction: &'a Transaction<'c>,
        person: &Person,
        ways: &Ways,
    ) -> Result<Self, PrivacyError> {
        transaction.batch_execute(PLACES).await?;
        let gathered = Self { transaction };
        let mut step = 1;
        let mut found = 0;
        for way in &ways.0 {
            if way.to == Table::of_users() {
                found += gathered.of_account(person, way).await?;
            }
        }
        while found > 0 {
            found = 0;
            for way in &ways.0 {
                if way.to != Table::of_users() {
                    found += gathered.of_rows(way, step).await?;
                }
            }
            step += 1;
        }
        Ok(gathered)
    }

    /// Rows that refer to the account, though it may be gone.
    async fn of_account(&self, person: &Person, way: &Way) -> Result<u64, PrivacyError> {
        let matches: Vec<_> = way
            .columns
            .iter()
            .map(|column| match column.to.as_str() {
                "id" => format!("child.{} = $1::text::uuid", quoted(&column.name)),
                other => format!(
                    "child.{} = (select {} from auth.users where id = $1::text::uuid)",
                    quoted(&column.name),
                    quoted(other)
                ),
            })
            .collect();
        let from = format!(
            "from {} as child where {}",
            way.from.quoted(),
            matches.join(" and ")
        );
        self.add(way, 1, &from, &[&person.id.to_string()]).await
    }

    /// Rows that refer to rows which the round before has found, and which go.
    async fn of_rows(&self, way: &Way, step: i32) -> Result<u64, PrivacyError> {
        let matches: Vec<_> = way
            .columns
            .iter()
            .map(|column| {
                format!(
                    "child.{} = parent.{}",
                    quoted(&column.name),
                    quoted(&column.to)
                )
            })
            .collect();
        let from = format!(
            "from {} as child
             join {} as parent on {}
             join pg_temp.gathered as known
                 on known.of_table = $1 and known.part = parent.tableoid and known.place = parent.ctid
             where known.deleted and known.step = $2",
            way.from.quoted(),
            way.to.quoted(),
            matches.join(" and "),
        );
        let to = way.to.to_string();
        self.add(way, step + 1, &from, &[&to, &step]).await
    }

    async fn add(
        &self,
        way: &Way,
        step: i32,
        from: &str,
        arguments: &[&(dyn ToSql + Sync)],
    ) -> Result<u64, PrivacyError> {
        // A row that is only released may later be found to go.
        let sql = format!(
            "insert into pg_temp.gathered (of_table, part, place, deleted, step)
             select distinct {table}, child.tableoid, child.ctid, {deleted}, {step} {from}
             on conflict (of_table, part, place) do update set deleted = true, step = excluded.step
             where excluded.deleted and not gathered.deleted",
            table = literal(&way.from.to_string()),
            deleted = way.fate == Fate::Deleted,
        );
        Ok(self.transaction.execute(&sql, arguments).await?)
    }

    /// Every table in which something was found: how many rows go, and how many are released.
    pub(super) async fn counts(&self) -> Result<Vec<(String, u64, u64)>, PrivacyError> {
        let sql = "
select of_table, count(*) filter (where deleted), count(*) filter (where not deleted)
from pg_temp.gathered group by of_table order by of_table collate \"C\"";
        let rows = self.transaction.query(sql, &[]).await?;
        let count = |row: &tokio_postgres::Row, column: usize| {
            let number: i64 = row.try_get(column)?;
            Ok::<_, tokio_postgres::Error>(u64::try_from(number).unwrap_or_default())
        };
        rows.iter()
            .map(|row| Ok((row.try_get(0)?, count(row, 1)?, count(row, 2)?)))
            .collect()
    }
}

/// Joins a table's rows, as `child`, to those of it that were found.
pub(super) fn found_in(table: &Table) -> String {
    format!(
        "{} as child join pg_temp.gathered as found
             on found.of_table = {} and found.part = child.tableoid and found.place = child.ctid",
        table.quoted(),
        literal(&table.to_string())
    )
}

/// A text as SQL writes it.
pub(super) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// What stands where a mark stood.
const ERASED: &str = "[erased]";

/// Types of columns that hold what somebody wrote.
pub(super) const WORDS: [&str; 4] = ["text", "character varying", "json", "jsonb"];

/// The content of a column of such a type, without the marks of somebody.
pub(super) fn without_marks(column: &str, of_type: &str, person: &Person) -> String {
    let marks = if of_type.starts_with("json") {
        person.words_marks()
    } else {
        person.marks()
    };
    let cleaned = marks.iter().fold(format!("{column}::text"), |text, mark| {
        let pattern = literal(&mark.pattern);
        format!("regexp_replace({text}, {pattern}, '{ERASED}', 'gi')")
    });
    format!("({cleaned})::{of_type}")
}
