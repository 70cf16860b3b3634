//! What a database holds of one person: found by its foreign keys, handed out, and erased.
//!
//! Nothing here knows the application's tables. What refers to `auth.users` is a person's, and
//! so is what refers to rows that are theirs; the keys say what becomes of it when they go. What
//! names somebody in another way cannot be known, and is looked for by their marks.
//!
//! All of it is done in direct sessions: it takes transactions, and reads rows without number.

pub mod addresses;
pub mod asked_exports;
pub mod consents;
pub mod erasure;
pub mod export;
mod export_bucket;
pub mod export_links;
pub mod files;
mod gathered;
pub mod marks;
mod own_tables;
pub mod prepared_export;
pub mod proof;
pub mod requests;
pub mod ways;

use serde::Serialize;
use tokio_postgres::Client;
use uuid::Uuid;

use ways::Table;

/// Why a person's data cannot be found, handed out or erased.
#[derive(Debug, thiserror::Error)]
pub enum PrivacyError {
    /// The database refused, or the session ended.
    #[error("the database refused: {}", said(.0))]
    Database(#[from] tokio_postgres::Error),
    /// A table was named that does not hold rows of people.
    #[error("{0} holds no rows that refer to a person")]
    UnknownTable(String),
    /// It cannot be written.
    #[error("it cannot be written: {0}")]
    Write(#[from] std::io::Error),
    /// The archive cannot be written.
    #[error("the archive cannot be written: {0}")]
    Archive(#[from] zip::result::ZipError),
    /// Rows changed while they were erased, each time that it was tried.
    #[error("others changed the same rows again and again; nothing was erased, try again")]
    Contended,
}

/// A server's own words, which say more than that there was an error.
fn said(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(server) => {
            let detail = server.detail().map(|detail| format!(" ({detail})"));
            format!("{}{}", server.message(), detail.unwrap_or_default())
        }
        None => error.to_string(),
    }
}

/// Somebody who has, or had, an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Their number in `auth.users`.
    pub id: Uuid,
    /// Their address of mail, as Auth has it.
    pub email: Option<String>,
    /// Their telephone, as Auth has it.
    pub phone: Option<String>,
    /// Whether the account is there.
    pub has_account: bool,
}

impl Person {
    /// The person of that number, whether or not they have an account still.
    pub async fn find(client: &Client, id: Uuid) -> Result<Self, PrivacyError> {
        let sql = "select email::text, phone::text from auth.users where id = $1::text::uuid";
        let found = client.query_opt(sql, &[&id.to_string()]).await?;
        Ok(match found {
            Some(row) => Self {
                id,
                email: filled(row.try_get(0)?),
                phone: filled(row.try_get(1)?),
                has_account: true,
            },
            None => Self {
                id,
                email: None,
                phone: None,
                has_account: false,
            },
        })
    }

    /// The person of that address of mail; `None` where nobody has it.
    pub async fn find_by_email(client: &Client, email: &str) -> Result<Option<Self>, PrivacyError> {
        let sql = "select id::text from auth.users where lower(email) = lower($1)";
        let Some(row) = client.query_opt(sql, &[&email]).await? else {
            return Ok(None);
        };
        match row.try_get::<_, &str>(0)?.parse() {
            Ok(id) => Self::find(client, id).await.map(Some),
            Err(_) => Ok(None),
        }
    }

    /// What a text that is about them may hold.
    fn marks(&self) -> Vec<Mark> {
        let phone = self.phone.as_ref();
        self.words_marks()
            .into_iter()
            .chain(phone.map(|phone| Mark::new(phone, "[[:alnum:]]", "[[:alnum:]]")))
            .collect()
    }

    /// Those that can stand nowhere but in words: a telephone may be a number of JSON, in whose
    /// place no word can be.
    fn words_marks(&self) -> Vec<Mark> {
        let email = self.email.as_ref();
        let number = Mark::new(&self.id.to_string(), "[[:alnum:]]", "[[:alnum:]]");
        // An address may be a part of another one.
        let email =
            email.map(|email| Mark::new(email, "[[:alnum:]._%+-]", "[[:alnum:]_]|[.-][[:alnum:]]"));
        [Some(number), email].into_iter().flatten().collect()
    }
}

/// A text that tells of somebody, and of nobody else whose own text it is a part of.
struct Mark {
    text: String,
    pattern: String,
}

impl Mark {
    /// That text, where neither of the two patterns stands before it or after it.
    fn new(text: &str, before: &str, after: &str) -> Self {
        let escaped: String = text
            .chars()
            .flat_map(|letter| {
                (!letter.is_alphanumeric())
                    .then_some('\\')
                    .into_iter()
                    .chain([letter])
            })
            .collect();
        Self {
            text: text.to_lowercase(),
            pattern: format!("(?<!{before}){escaped}(?!{after})"),
        }
    }

    /// Whether it stands in a text of SQL, whose case does not matter. Most texts lack it, and
    /// looking for letters is faster than for a pattern.
    fn stands_in(&self, text: &str) -> String {
        format!(
            "(strpos(lower({text}), {}) > 0 and {text} ~* {})",
            gathered::literal(&self.text),
            gathered::literal(&self.pattern)
        )
    }
}

fn filled(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.trim().is_empty())
}

/// What becomes, or became, of the rows of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Touched {
    /// The table.
    pub table: Table,
    /// How many of its rows go.
    pub deleted: u64,
    /// How many of its rows stay, without the person.
    pub released: u64,
}
