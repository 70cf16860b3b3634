//! Checks of domains that rows of the backup break, taken off so that the rows come in.

use tokio_postgres::Client;

use super::{
    Cause,
    refusals::Refusal,
    restore_error::{DomainCheck, refused},
};
use crate::schema::quoted;

/// Takes a check off its domain. Answers with what makes it again, which is to be tried
/// once the rows are there; `None` if it cannot be taken off.
pub(super) async fn lift(
    session: &Client,
    check: &DomainCheck,
    reason: &str,
) -> Result<Option<Refusal>, Cause> {
    const MAKES: &str = "select pg_catalog.pg_get_constraintdef(oid) \
        from pg_catalog.pg_constraint where contypid = $1::text::regtype and conname = $2";
    let DomainCheck { domain, name } = check;
    let failed = || refused(format!("cannot look at {domain}"));
    let found = session.query_opt(MAKES, &[&domain.to_string(), name]).await;
    let Some(row) = found.map_err(failed())? else {
        return Ok(None);
    };
    let lift = format!("alter domain {domain} drop constraint {}", quoted(name));
    match session.batch_execute(&lift).await {
        Ok(()) => Ok(Some(Refusal::of_check(check, row.get(0), reason))),
        Err(error) if error.as_db_error().is_some() => Ok(None),
        Err(error) => Err(failed()(error)),
    }
}
