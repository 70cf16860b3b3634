//! Our own tables that name users, by their number or a hash of it: no foreign key says so,
//! because what the door takes names people who may be of no account.

use tokio_postgres::{GenericClient, Transaction};

use super::{
    Person, PrivacyError, Touched,
    gathered::{WORDS, literal, without_marks},
    ways::{Table, quoted},
};

/// How a column names somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Names {
    /// By their number, as text.
    Number,
    /// By [`Names::Number`] hashed.
    Hash,
    /// By their address of mail.
    Email,
}

/// A column of ours that names users.
#[derive(Debug, Clone, Copy)]
pub(super) struct OwnColumn {
    pub(super) table: &'static str,
    pub(super) column: &'static str,
    pub(super) names: Names,
    /// What is done to its rows when the person goes: the rows go, or these columns are emptied.
    pub(super) emptied: &'static [&'static str],
}

/// All of them.
pub(super) const ALL: &[OwnColumn] = &[
    OwnColumn {
        table: "items",
        column: "person",
        names: Names::Number,
        emptied: &["person", "session"],
    },
    OwnColumn {
        table: "feedback",
        column: "person",
        names: Names::Number,
        emptied: &[],
    },
    OwnColumn {
        table: "feedback",
        column: "contact",
        names: Names::Email,
        emptied: &[],
    },
    OwnColumn {
        table: "issue_people",
        column: "person",
        names: Names::Number,
        emptied: &[],
    },
    OwnColumn {
        table: "privacy_requests",
        column: "person",
        names: Names::Number,
        emptied: &[],
    },
    // Whose file it was that the maintenance deletes next.
    OwnColumn {
        table: "exports",
        column: "person",
        names: Names::Number,
        emptied: &["person"],
    },
    OwnColumn {
        table: "consents",
        column: "person",
        names: Names::Number,
        emptied: &[],
    },
    OwnColumn {
        table: "people",
        column: "person",
        names: Names::Hash,
        emptied: &[],
    },
    OwnColumn {
        table: "daily_people",
        column: "person",
        names: Names::Hash,
        emptied: &[],
    },
];

impl OwnColumn {
    pub(super) fn table(&self) -> Table {
        Table::new("ops", self.table)
    }

    /// What a row of the person fulfils, and the text that stands for `$1` in it; `None` where
    /// nothing of them would be found.
    pub(super) fn condition(&self, person: &Person) -> Option<(String, String)> {
        let column = self.column;
        match self.names {
            Names::Number => Some((format!("{column} = $1"), person.id.to_string())),
            Names::Hash => Some((format!("{column} = ops.hash_id($1)"), person.id.to_string())),
            Names::Email => {
                let email = person.email.clone()?;
                Some((format!("lower({column}) = lower($1)"), email))
            }
        }
    }

    /// How many rows erasing would concern; `None` where there are none.
    pub(super) async fn count(
        &self,
        transaction: &Transaction<'_>,
        person: &Person,
    ) -> Result<Option<Touched>, PrivacyError> {
        let Some((condition, argument)) = self.condition(person) else {
            return Ok(None);
        };
        let table = self.table().quoted();
        let sql = format!("select count(*) from {table} where {condition}");
        let rows: i64 = transaction
            .query_one(&sql, &[&argument])
            .await?
            .try_get(0)?;
        Ok(self.touched(u64::try_from(rows).unwrap_or_default()))
    }

    /// Erases, and returns what that concerned; `None` where it was nothing.
    pub(super) async fn erase(
        &self,
        transaction: &Transaction<'_>,
        person: &Person,
    ) -> Result<Option<Touched>, PrivacyError> {
        let Some((condition, argument)) = self.condition(person) else {
            return Ok(None);
        };
        let table = self.table().quoted();
        let emptied: Vec<_> = self
            .emptied
            .iter()
            .map(|one| format!("{one} = null"))
            .collect();
        let sql = if emptied.is_empty() {
            format!("delete from {table} where {condition}")
        } else {
            let emptied = emptied.join(", ");
            format!("update {table} set {emptied} where {condition}")
        };
        Ok(self.touched(transaction.execute(&sql, &[&argument]).await?))
    }

    fn touched(&self, rows: u64) -> Option<Touched> {
        let goes = self.emptied.is_empty();
        (rows > 0).then(|| Touched {
            table: self.table(),
            deleted: if goes { rows } else { 0 },
            released: if goes { 0 } else { rows },
        })
    }
}

/// Columns of ours in which words of the application stand: of errors, of issues, of whoever was
/// asked. What finds a row is no such column.
const WORDY: &str = "
select class.relname::text, array_agg(att.attname::text order by att.attnum),
    array_agg(format_type(att.atttypid, null) order by att.attnum)
from pg_catalog.pg_class as class
join pg_catalog.pg_attribute as att on att.attrelid = class.oid
where
    class.relnamespace = 'ops'::regnamespace and class.relkind = 'r'
    -- The audit log is erased in its own way, which leaves its chain whole.
    and class.relname not like 'audit%'
    and att.attnum > 0 and not att.attisdropped and att.attgenerated = ''
    and format_type(att.atttypid, null) = any ($1)
    and not exists (
        select from pg_catalog.pg_index as key
        where key.indrelid = class.oid and key.indisunique and att.attnum = any (key.indkey)
    )
group by class.relname order by class.relname";

/// Takes the marks of somebody out of the words that our tables keep.
pub(super) async fn clean_words(
    transaction: &Transaction<'_>,
    person: &Person,
) -> Result<(), PrivacyError> {
    for row in transaction.query(WORDY, &[&WORDS.as_slice()]).await? {
        let table = Table::new("ops", row.try_get(0)?);
        let columns: Vec<String> = row.try_get(1)?;
        let types: Vec<String> = row.try_get(2)?;
        let sets: Vec<_> = columns
            .iter()
            .zip(&types)
            .map(|(column, of_type)| {
                let column = quoted(column);
                let cleaned = without_marks(&format!("one.{column}"), of_type, person);
                format!("{column} = {cleaned}")
            })
            .collect();
        let marked: Vec<_> = person
            .marks()
            .iter()
            .map(|mark| mark.stands_in("(one.*)::text"))
            .collect();
        let sql = format!(
            "update {} as one set {} where {}",
            table.quoted(),
            sets.join(", "),
            marked.join(" or ")
        );
        transaction.batch_execute(&sql).await?;
    }
    Ok(())
}

/// Whether our tables are in this database, as they are not in one that was restored without.
pub(super) async fn are_there(client: &impl GenericClient) -> Result<bool, PrivacyError> {
    let sql = "select to_regprocedure('ops.hash_id(text)') is not null";
    Ok(client.query_one(sql, &[]).await?.try_get(0)?)
}

/// The tables with what rows of the person fulfil, the text written out.
pub(super) fn by_table(person: &Person) -> Vec<(Table, String)> {
    let mut tables: Vec<(Table, String)> = Vec::new();
    for own in ALL {
        let Some((condition, argument)) = own.condition(person) else {
            continue;
        };
        let condition = condition.replace("$1", &literal(&argument));
        match tables.iter_mut().find(|(table, _)| *table == own.table()) {
            Some((_, conditions)) => *conditions = format!("{conditions} or {condition}"),
            None => tables.push((own.table(), condition)),
        }
    }
    tables
}
