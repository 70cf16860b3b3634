//! Erases somebody, in one transaction: all of it is done or nothing.
//!
//! Rows that go with them are deleted, whatever cycle they stand in, since a statement's keys
//! are looked at when all of it is done. Rows that stay lose what refers to them, and what else
//! of them stands there.

use jiff::Timestamp;
use serde::Serialize;
use tokio_postgres::{Client, IsolationLevel, Transaction, error::SqlState};
use uuid::Uuid;

use super::{
    Person, PrivacyError, Touched,
    gathered::{Gathered, WORDS, literal, without_marks},
    own_tables,
    ways::{Fate, Table, Way, Ways, quoted},
};

/// How often it is begun anew where others change the same rows meanwhile.
const TRIES: u32 = 5;

/// A lock is not waited for longer than that: the application waits behind us.
const SETTINGS: &str = "
set local lock_timeout = '5s';
set local statement_timeout = '15min';
set local search_path = ''";

/// Columns whose content is of somebody, whatever the application means by them.
const PERSONAL: [&str; 12] = [
    "address",
    "city",
    "country",
    "email",
    "full_name",
    "ip",
    "ip_address",
    "phone",
    "remote_addr",
    "session_id",
    "user_agent",
    "username",
];

/// What is erased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Erased {
    /// The application's tables, and ours.
    pub tables: Vec<Touched>,
    /// Whether there was an account, which is gone.
    pub account: bool,
}

/// An erasure that is to be done.
#[derive(Debug, Clone)]
pub struct Order<'a> {
    /// Its number.
    pub id: Uuid,
    /// Of whom.
    pub person: &'a Person,
    /// The keyed hash by which the person is found again once they are gone.
    pub subject: &'a str,
    /// The hash of their address as a subscriber of the status page.
    pub subscriber: Option<&'a str>,
    /// When it was decided.
    pub decided_at: Timestamp,
    /// Who does it, as the audit log has it.
    pub by: &'a str,
}

/// What would be erased; changes nothing.
pub async fn plan(
    client: &mut Client,
    person: &Person,
    ways: &Ways,
) -> Result<Erased, PrivacyError> {
    let transaction = begin(client).await?;
    let gathered = Gathered::gather(&transaction, person, ways).await?;
    let mut tables = touched(&gathered).await?;
    if own_tables::are_there(&transaction).await? {
        for own in own_tables::ALL {
            tables.extend(own.count(&transaction, person).await?);
        }
    }
    transaction.rollback().await?;
    Ok(Erased {
        tables,
        account: person.has_account,
    })
}

/// Erases, and keeps that it was done where our tables are.
pub async fn erase(
    client: &mut Client,
    order: &Order<'_>,
    ways: &Ways,
) -> Result<Erased, PrivacyError> {
    for _ in 0..TRIES {
        match erase_once(client, order, ways).await {
            Err(PrivacyError::Database(error)) if is_contended(&error) => {
                tracing::info!(%error, "erasing is begun anew");
            }
            other => return other,
        }
    }
    Err(PrivacyError::Contended)
}

/// Whether others changed the same meanwhile, or wrote the audit log's next row.
fn is_contended(error: &tokio_postgres::Error) -> bool {
    error.as_db_error().is_some_and(|error| {
        let code = error.code();
        let is_row_of_the_log =
            *code == SqlState::UNIQUE_VIOLATION && error.table() == Some("audit");
        is_row_of_the_log
            || *code == SqlState::T_R_SERIALIZATION_FAILURE
            || *code == SqlState::T_R_DEADLOCK_DETECTED
    })
}

async fn begin(client: &mut Client) -> Result<Transaction<'_>, PrivacyError> {
    let transaction = client
        .build_transaction()
        .isolation_level(IsolationLevel::RepeatableRead)
        .start()
        .await?;
    transaction.batch_execute(SETTINGS).await?;
    Ok(transaction)
}

async fn erase_once(
    client: &mut Client,
    order: &Order<'_>,
    ways: &Ways,
) -> Result<Erased, PrivacyError> {
    let Order { person, .. } = order;
    let transaction = begin(client).await?;
    // From here on no new row can refer to the account.
    let held = "select id from auth.users where id = $1::text::uuid for update";
    let number = person.id.to_string();
    let account = transaction.query_opt(held, &[&number]).await?.is_some();
    let gathered = Gathered::gather(&transaction, person, ways).await?;
    let mut tables = touched(&gathered).await?;
    for table in ways.tables() {
        release(&gathered, person, ways, table).await?;
    }
    delete(&gathered, person, ways).await?;
    if own_tables::are_there(&transaction).await? {
        for own in own_tables::ALL {
            tables.extend(own.erase(&transaction, person).await?);
        }
        own_tables::clean_words(&transaction, person).await?;
        record(&transaction, order).await?;
    }
    transaction.commit().await?;
    Ok(Erased { tables, account })
}

async fn touched(gathered: &Gathered<'_, '_>) -> Result<Vec<Touched>, PrivacyError> {
    let counts = gathered.counts().await?.into_iter();
    Ok(counts
        .map(|(name, deleted, released)| {
            let (schema, table) = name.split_once('.').unwrap_or(("", &name));
            Touched {
                table: Table::new(schema, table),
                deleted,
                released,
            }
        })
        .collect())
}

/// Deletes every row that goes, and the account, in one statement.
async fn delete(
    gathered: &Gathered<'_, '_>,
    person: &Person,
    ways: &Ways,
) -> Result<(), PrivacyError> {
    let parts: Vec<_> = ways
        .tables()
        .into_iter()
        .filter(|table| ways.0.iter().any(|way| is_deleting(way, table)))
        .enumerate()
        .map(|(nth, table)| {
            format!(
                "gone_{nth} as (
                     delete from {} as child using pg_temp.gathered as found
                     where found.of_table = {} and found.part = child.tableoid
                         and found.place = child.ctid and found.deleted
                 )",
                table.quoted(),
                literal(&table.to_string())
            )
        })
        .collect();
    let with = if parts.is_empty() {
        String::new()
    } else {
        format!("with {}", parts.join(", "))
    };
    let sql = format!("{with} delete from auth.users where id = $1::text::uuid");
    let number = person.id.to_string();
    gathered.transaction.execute(&sql, &[&number]).await?;
    Ok(())
}

fn is_deleting(way: &Way, table: &Table) -> bool {
    way.from == *table && way.fate == Fate::Deleted
}

/// A column of a table, as far as erasing has to know it.
struct Content {
    name: String,
    nullable: bool,
    of_type: String,
}

const COLUMNS: &str = "
select att.attname::text, not att.attnotnull, format_type(att.atttypid, att.atttypmod)
from pg_catalog.pg_attribute as att
where att.attrelid = $1::text::regclass and att.attnum > 0 and not att.attisdropped and att.attgenerated = ''
order by att.attnum";

/// Takes the person out of the rows of a table that stay.
async fn release(
    gathered: &Gathered<'_, '_>,
    person: &Person,
    ways: &Ways,
    table: &Table,
) -> Result<(), PrivacyError> {
    let transaction = gathered.transaction;
    let released = |way: &&Way| way.from == *table && way.fate == Fate::Released;
    let keys: Vec<_> = ways.0.iter().filter(released).collect();
    if keys.is_empty() {
        return Ok(());
    }
    let mut columns = Vec::new();
    for row in transaction.query(COLUMNS, &[&table.quoted()]).await? {
        columns.push(Content {
            name: row.try_get(0)?,
            nullable: row.try_get(1)?,
            of_type: row.try_get(2)?,
        });
    }
    let sets: Vec<_> = columns
        .iter()
        .filter_map(|column| new_content(column, &keys, person))
        .collect();
    if sets.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "update {} as child set {} from pg_temp.gathered as found
         where found.of_table = {} and found.part = child.tableoid and found.place = child.ctid
             and not found.deleted",
        table.quoted(),
        sets.join(", "),
        literal(&table.to_string())
    );
    transaction.batch_execute(&sql).await?;
    Ok(())
}

/// What a column of a row that stays is set to; `None` where it stays as it is.
fn new_content(column: &Content, keys: &[&Way], person: &Person) -> Option<String> {
    let name = quoted(&column.name);
    let referring: Vec<_> = keys
        .iter()
        .filter(|way| way.columns.iter().any(|key| key.name == column.name))
        .collect();
    if !referring.is_empty() {
        let theirs: Vec<_> = referring.iter().map(|way| refers(way, person)).collect();
        return column.nullable.then(|| {
            format!(
                "{name} = case when not ({}) then child.{name} end",
                theirs.join(" or ")
            )
        });
    }
    // What else stands in a row is about whom it names, not about what else it refers to.
    let about: Vec<_> = keys
        .iter()
        .filter(|way| way.to == Table::of_users())
        .map(|way| refers(way, person))
        .collect();
    if about.is_empty() {
        return None;
    }
    let about = about.join(" or ");
    let is_network = ["inet", "cidr"].contains(&column.of_type.as_str());
    if column.nullable && (is_network || PERSONAL.contains(&column.name.as_str())) {
        return Some(format!(
            "{name} = case when not ({about}) then child.{name} end"
        ));
    }
    WORDS.contains(&column.of_type.as_str()).then(|| {
        let cleaned = without_marks(&format!("child.{name}"), &column.of_type, person);
        format!("{name} = case when {about} then {cleaned} else child.{name} end")
    })
}

/// Whether `child` refers to the person by this key; never null.
fn refers(way: &Way, person: &Person) -> String {
    let matches = |other: &str| -> Vec<String> {
        way.columns
            .iter()
            .map(|key| format!("child.{} = {other}.{}", quoted(&key.name), quoted(&key.to)))
            .collect()
    };
    if way.to == Table::of_users() {
        let by_number = way.columns.iter().find(|key| key.to == "id");
        return match by_number {
            Some(key) => format!(
                "coalesce(child.{} = '{}', false)",
                quoted(&key.name),
                person.id
            ),
            None => format!(
                "exists (select from auth.users as account where account.id = '{}' and {})",
                person.id,
                matches("account").join(" and ")
            ),
        };
    }
    format!(
        "exists (
             select from {} as parent join pg_temp.gathered as gone
                 on gone.of_table = {} and gone.part = parent.tableoid and gone.place = parent.ctid
             where gone.deleted and {}
         )",
        way.to.quoted(),
        literal(&way.to.to_string()),
        matches("parent").join(" and ")
    )
}

async fn record(transaction: &Transaction<'_>, order: &Order<'_>) -> Result<(), PrivacyError> {
    let hash = "
update ops.pending_figures set people = array_remove(people, ops.hash_id($1))
where people @> array[ops.hash_id($1)]";
    let number = order.person.id.to_string();
    transaction.execute(hash, &[&number]).await?;
    if let Some(subscriber) = order.subscriber {
        let sql = "delete from ops.subscribers where kind = 'email' and address_hash = $1";
        transaction.execute(sql, &[&subscriber]).await?;
    }
    let sql = "
insert into ops.erasures (id, subject, decided_at, erased_at)
values ($1::text::uuid, $2, to_timestamp($3::float8), now())
on conflict (id) do nothing";
    let decided_at = order.decided_at.as_duration().as_secs_f64();
    transaction
        .execute(sql, &[&order.id.to_string(), &order.subject, &decided_at])
        .await?;
    note(transaction, order).await
}

/// Erases what the audit log says of the person in words, and writes that they are gone. A
/// database that was restored may be older than the log.
async fn note(transaction: &Transaction<'_>, order: &Order<'_>) -> Result<(), PrivacyError> {
    let there = "select to_regprocedure('ops.erase_audit_details(text, text, text)') is not null";
    if !transaction.query_one(there, &[]).await?.try_get(0)? {
        return Ok(());
    }
    let number = order.person.id.to_string();
    let name = order.person.email.as_ref().unwrap_or(&number);
    let details = "select ops.erase_audit_details($1, $2, $3)";
    transaction
        .query(details, &[name, &number, &order.by])
        .await?;
    let written = "select ops.write_audit('data.erased', $1, $2, null)";
    transaction
        .query(written, &[&order.by, &order.subject])
        .await?;
    Ok(())
}

/// Keeps the proof of an erasure, with its signature in base64.
pub async fn keep_proof(
    client: &Client,
    id: Uuid,
    proof: &str,
    signature: &str,
) -> Result<(), PrivacyError> {
    let sql = "update ops.erasures set proof = $2, signature = $3 where id = $1::text::uuid";
    client
        .execute(sql, &[&id.to_string(), &proof, &signature])
        .await?;
    Ok(())
}

/// An erasure that was done before.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Former {
    /// Its number.
    pub id: String,
    /// The keyed hash of the person's number.
    pub subject: String,
    /// When it was done.
    pub erased_at: Timestamp,
    /// The proof, as it was signed; `None` where whoever erased was killed before.
    pub proof: Option<String>,
    /// Its signature in base64.
    pub signature: Option<String>,
}

/// Those that were done, the newest first: all, or a person's.
pub async fn former(client: &Client, subject: Option<&str>) -> Result<Vec<Former>, PrivacyError> {
    let sql = "
select id::text, subject, extract(epoch from erased_at)::bigint, proof, signature
from ops.erasures where $1::text is null or subject = $1 order by erased_at desc, id";
    let rows = client.query(sql, &[&subject]).await?;
    rows.iter()
        .map(|row| {
            Ok(Former {
                id: row.try_get(0)?,
                subject: row.try_get(1)?,
                erased_at: Timestamp::from_second(row.try_get(2)?).unwrap_or_default(),
                proof: row.try_get(3)?,
                signature: row.try_get(4)?,
            })
        })
        .collect()
}
