//! What the application would ask its database, asked of a scratch database.
//!
//! That all rows and objects are equal says nothing of whether the application could work with
//! them. A query is good if it gives a row in which nothing is false or null; what it gave is told
//! nobody.

use secrecy::SecretString;
use tokio_postgres::Client;

use crate::{
    pinned_session::{PinnedSession, SessionError, in_words},
    restore::Missing,
};

/// Before each: it reads, looks where the application looks, and ends.
const BEGIN: &str = "begin read only; \
    set local statement_timeout = '60s'; \
    set local search_path = \"$user\", public, extensions";

/// Something that the application asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// What people call it.
    pub name: String,
    /// One statement that reads.
    pub sql: String,
}

/// Asks them all. Answers with those that are not good.
pub(super) async fn ask(
    url: &SecretString,
    ca: Option<&str>,
    queries: &[Query],
) -> Result<Vec<Missing>, SessionError> {
    if queries.is_empty() {
        return Ok(Vec::new());
    }
    let session = PinnedSession::open(url, ca).await?;
    let mut bad = Vec::new();
    for query in queries {
        if let Some(reason) = fault(session.client(), &query.sql).await? {
            bad.push(Missing {
                what: format!("query {}", query.name),
                reason,
                statement: String::new(),
            });
        }
    }
    session.close().await?;
    Ok(bad)
}

/// Why a query is not good; nothing if it is.
async fn fault(client: &Client, sql: &str) -> Result<Option<String>, SessionError> {
    // As a part of ours it is one statement, and none that writes.
    let asked = format!(
        "select not exists (select from json_each_text(row_to_json(answer)) where coalesce(value, 'false') = 'false') \
         from (\n{}\n) as answer limit 1",
        sql.trim().trim_end_matches(';')
    );
    client.batch_execute(BEGIN).await?;
    let answered = client.query_opt(&asked, &[]).await;
    client.batch_execute("rollback").await?;
    match answered {
        Ok(Some(row)) if row.get::<_, bool>(0) => Ok(None),
        Ok(Some(_)) => Ok(Some(
            "something in its first row is false or null".to_owned(),
        )),
        Ok(None) => Ok(Some("it gives no row".to_owned())),
        Err(error) if error.as_db_error().is_some() => Ok(Some(in_words(&error))),
        Err(error) => Err(error.into()),
    }
}
