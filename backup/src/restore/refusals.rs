//! What a target refuses: tried again when everything else is there, and reported with
//! the statement that makes it and the server's words.

use tokio_postgres::{Client, error::SqlState};

use super::{
    Cause,
    restore_error::{DomainCheck, refused},
};
use crate::{format::ScriptObject, pinned_session::in_words, schema::quoted};

/// Something of a backup that a target did not take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// What: `index wine_name`, `rows of public.orders`, `validity of …`.
    pub what: String,
    /// The server's own words, without anything of a row.
    pub reason: String,
    /// The SQL that makes it once the reason is gone; empty for rows, which only
    /// another restore brings.
    pub statement: String,
}

impl Missing {
    /// In the words of a restore that ends at it.
    pub(super) fn cause(&self) -> Cause {
        Cause::Refused {
            doing: format!("cannot make {}", self.what),
            reason: self.reason.clone(),
        }
    }
}

/// One statement that was refused.
#[derive(Debug, Clone)]
pub(super) struct Refusal {
    what: String,
    statement: String,
    answer: Answer,
    /// What it makes, if that is a constraint.
    constraint: Option<Constraint>,
    /// Whether its statements stand each for itself: what one role cannot be given must
    /// not leave to others what was taken from them.
    is_grants: bool,
}

/// What the server says against a statement.
#[derive(Debug, Clone)]
struct Answer {
    reason: String,
    code: SqlState,
}

#[derive(Debug, Clone)]
struct Constraint {
    /// The table or the domain, as a statement that alters it names it.
    of: String,
    name: String,
    /// Whether rows were seen to break it, whatever the server says against it now.
    is_broken: bool,
}

impl Refusal {
    /// What the target says against the statement that makes an object; an error if
    /// it says nothing, because the session ended.
    pub(super) fn of(
        object: &ScriptObject,
        statement: &str,
        error: tokio_postgres::Error,
    ) -> Result<Self, Cause> {
        let what = object.described();
        let answer = Answer::of(error).map_err(refused(format!("cannot make {what}")))?;
        Ok(Self {
            what,
            statement: statement.to_owned(),
            answer,
            constraint: Constraint::of(object),
            is_grants: object.kind == "grants",
        })
    }

    /// A domain's check that was taken off because rows break it.
    pub(super) fn of_check(check: &DomainCheck, definition: &str, reason: &str) -> Self {
        let DomainCheck { domain, name } = check;
        let of = format!("domain {domain}");
        Self {
            what: format!("domain constraint {}.{} {name}", domain.schema, domain.name),
            statement: format!("alter {of} add constraint {} {definition};\n", quoted(name)),
            answer: Answer {
                reason: reason.to_owned(),
                code: SqlState::CHECK_VIOLATION,
            },
            constraint: Some(Constraint {
                of,
                name: name.clone(),
                is_broken: true,
            }),
            is_grants: false,
        }
    }

    /// In the words of a restore that ends at it.
    pub(super) fn into_cause(self) -> Cause {
        self.missing().cause()
    }

    /// The constraint, if rows break it: it may be there without being valid.
    fn broken(&self) -> Option<&Constraint> {
        let by_rows = [SqlState::CHECK_VIOLATION, SqlState::FOREIGN_KEY_VIOLATION];
        self.constraint
            .as_ref()
            .filter(|constraint| constraint.is_broken || by_rows.contains(&self.answer.code))
    }

    fn missing(self) -> Missing {
        Missing {
            what: self.what,
            reason: self.answer.reason,
            statement: self.statement,
        }
    }
}

impl Answer {
    /// The error itself if no server stands behind it.
    fn of(error: tokio_postgres::Error) -> Result<Self, tokio_postgres::Error> {
        match error.code().cloned() {
            Some(code) => Ok(Self {
                reason: in_words(&error),
                code,
            }),
            None => Err(error),
        }
    }
}

impl Constraint {
    /// A constraint is named after its table and itself.
    fn of(object: &ScriptObject) -> Option<Self> {
        let table = object.table.clone()?;
        let of_table = format!("{}.{} ", table.schema, table.name);
        let name = object.name.strip_prefix(&of_table)?;
        Some(Self {
            of: format!("table {table}"),
            name: name.to_owned(),
            is_broken: false,
        })
    }
}

/// Tries what was refused again: in order, for as long as that helps, then with the
/// path of the source's own sessions. Answers with what is refused all the same.
pub(super) async fn try_again(
    session: &Client,
    source_path: &str,
    refusals: Vec<Refusal>,
) -> Result<Vec<Refusal>, Cause> {
    if refusals.is_empty() {
        return Ok(Vec::new());
    }
    let left = while_it_helps(session, refusals).await?;
    set_path(session, source_path).await?;
    let left = while_it_helps(session, left).await?;
    set_path(session, "").await?;
    Ok(left)
}

/// Makes constraints that rows break without being valid, and grants one by one. Answers
/// with all that is missing.
pub(super) async fn settle(
    session: &Client,
    source_path: &str,
    refusals: Vec<Refusal>,
) -> Result<Vec<Missing>, Cause> {
    let mut missing = Vec::new();
    set_path(session, source_path).await?;
    for refusal in refusals {
        missing.push(if refusal.is_grants {
            make_by_statement(session, refusal).await?
        } else {
            make_unvalidated(session, refusal).await?
        });
    }
    set_path(session, "").await?;
    Ok(missing)
}

async fn while_it_helps(
    session: &Client,
    mut waiting: Vec<Refusal>,
) -> Result<Vec<Refusal>, Cause> {
    loop {
        let before = waiting.len();
        let mut refused_again = Vec::new();
        for mut refusal in waiting {
            if let Some(answer) = attempt(session, &refusal.statement).await? {
                refusal.answer = answer;
                refused_again.push(refusal);
            }
        }
        if refused_again.is_empty() || refused_again.len() == before {
            return Ok(refused_again);
        }
        waiting = refused_again;
    }
}

/// Gives and takes what can be, one statement after the other. Answers with what is
/// missing of it.
async fn make_by_statement(session: &Client, refusal: Refusal) -> Result<Missing, Cause> {
    let mut missing = Missing {
        statement: String::new(),
        ..refusal.clone().missing()
    };
    for statement in statements(&refusal.statement) {
        if let Some(answer) = attempt(session, statement).await? {
            if missing.statement.is_empty() {
                missing.reason = answer.reason;
            }
            missing.statement += statement;
        }
    }
    Ok(missing)
}

/// The statements of a text, each with its end. A name in quotes may hold anything.
fn statements(text: &str) -> Vec<&str> {
    let mut quoted = false;
    text.split_inclusive(|letter| {
        quoted ^= letter == '"';
        letter == ';' && !quoted
    })
    .filter(|statement| !statement.trim().is_empty())
    .collect()
}

async fn make_unvalidated(session: &Client, refusal: Refusal) -> Result<Missing, Cause> {
    let Some(Constraint { of, name, .. }) = refusal.broken() else {
        return Ok(refusal.missing());
    };
    // Its own statement is the first; a comment may follow.
    let unvalidated = refusal.statement.replacen(";\n", " not valid;\n", 1);
    if attempt(session, &unvalidated).await?.is_some() {
        return Ok(refusal.missing());
    }
    Ok(Missing {
        what: format!("validity of {}", refusal.what),
        statement: format!("alter {of} validate constraint {};\n", quoted(name)),
        reason: refusal.answer.reason,
    })
}

/// Makes something; what the server says against it, if it does.
async fn attempt(session: &Client, sql: &str) -> Result<Option<Answer>, Cause> {
    match session.batch_execute(sql).await {
        Ok(()) => Ok(None),
        Err(error) => Answer::of(error)
            .map(Some)
            .map_err(refused("cannot make objects")),
    }
}

async fn set_path(session: &Client, path: &str) -> Result<(), Cause> {
    let set = session
        .execute("select set_config('search_path', $1, false)", &[&path])
        .await;
    set.map(drop).map_err(refused("cannot set a session up"))
}
