//! The database's objects, from the scripts of the backup. What the target refuses is
//! kept aside, and takes nothing along but what needs it.

use std::collections::HashMap;

use futures_util::{StreamExt, stream::FuturesUnordered};
use tokio_postgres::Client;

use super::{
    Cause, Event, Listener, Note,
    refusals::Refusal,
    restore_error::refused,
    restore_plan::{self, Plan},
    target_sessions::Sessions,
};
use crate::{
    format::ScriptObject,
    opened_backup::OpenedBackup,
    pinned_session::in_words,
    schema::{Scope, Stage},
    selection::{Chosen, ChosenScript},
};

/// The statements of scripts, in order.
pub(super) struct Statements<'a>(Vec<Statement<'a>>);

/// What makes one object.
struct Statement<'a> {
    object: &'a ScriptObject,
    /// Where it stands among all objects of the backup.
    place: usize,
    sql: String,
}

impl<'a> Statements<'a> {
    /// Reads scripts and takes them apart.
    pub(super) async fn read(
        source: &OpenedBackup<'_>,
        scripts: impl Iterator<Item = ChosenScript<'a>>,
    ) -> Result<Self, Cause> {
        let mut statements = Vec::new();
        for ChosenScript {
            script,
            objects,
            places,
        } in scripts
        {
            let text = source.piece(&script.piece).await?;
            for (object, place) in objects.into_iter().zip(places) {
                let sql = object
                    .within(&text)
                    .and_then(|sql| str::from_utf8(sql).ok());
                let described = || Cause::Script(object.described());
                let sql = sql.ok_or_else(described)?.to_owned();
                statements.push(Statement { object, place, sql });
            }
        }
        Ok(Self(statements))
    }

    /// Every object with its statements.
    pub(super) fn each(&self) -> impl Iterator<Item = (&'a ScriptObject, &str)> {
        let statements = self.0.iter();
        statements.map(|statement| (statement.object, statement.sql.as_str()))
    }

    /// Those before the first object of a kind, and the others.
    pub(super) fn before(mut self, kind: &str) -> (Self, Self) {
        let first = self.0.iter().position(|one| one.object.kind == kind);
        let others = self.0.split_off(first.unwrap_or(self.0.len()));
        (self, Self(others))
    }

    /// How many there are.
    pub(super) fn len(&self) -> u64 {
        self.0.len() as u64
    }

    /// Makes them one after the other, in one transaction. Answers with what the
    /// target refuses.
    pub(super) async fn make_in_order(
        &self,
        session: &Client,
        tell: Listener<'_>,
    ) -> Result<Vec<Refusal>, Cause> {
        let all: Vec<_> = self.0.iter().collect();
        in_order(session, &all, tell).await
    }

    /// Makes them in order, but for those that only read tables: consecutive
    /// ones are made together, on all sessions. Answers with what the target refuses.
    pub(super) async fn make_together(
        &self,
        sessions: &Sessions,
        plan: &Plan<'_>,
        tell: Listener<'_>,
    ) -> Result<Vec<Refusal>, Cause> {
        let mut refusals = Vec::new();
        let made: Vec<_> = self.0.iter().collect();
        let alike = |one: &&Statement, other: &&Statement| {
            restore_plan::reads_tables(one.object) == restore_plan::reads_tables(other.object)
        };
        for run in made.chunk_by(alike) {
            if run
                .iter()
                .any(|statement| restore_plan::reads_tables(statement.object))
            {
                let mut run = run.to_vec();
                run.sort_by_key(|statement| plan.urgency(statement.object));
                let run = after_needs(&run);
                refusals.extend(together(sessions, run, tell).await?);
            } else {
                refusals.extend(in_order(sessions.main(), run, tell).await?);
            }
        }
        Ok(refusals)
    }
}

/// Makes what belongs to the app on tables of the platform. What the target
/// does not allow is told, and is no failure: it can be made by hand.
pub(super) async fn attach(
    source: &OpenedBackup<'_>,
    session: &Client,
    chosen: &Chosen<'_>,
) -> Result<Vec<Note>, Cause> {
    let scripts = chosen.scripts(Stage::Before);
    let scripts = scripts.chain(chosen.scripts(Stage::After));
    let attached = scripts.filter(|chosen| chosen.script.scope == Scope::Attached);
    let statements = Statements::read(source, attached).await?;
    let mut notes = Vec::new();
    for Statement { object, sql, .. } in &statements.0 {
        match session.batch_execute(sql).await {
            Ok(()) => {}
            Err(error) if error.as_db_error().is_some() => notes.push(Note::NotAttached {
                object: object.described(),
                reason: in_words(&error),
            }),
            Err(error) => return Err(refused(cannot_make(object))(error)),
        }
    }
    Ok(notes)
}

async fn in_order(
    session: &Client,
    statements: &[&Statement<'_>],
    tell: Listener<'_>,
) -> Result<Vec<Refusal>, Cause> {
    let transaction = || refused("cannot make objects");
    let mut refusals = Vec::new();
    session
        .batch_execute("begin; savepoint object")
        .await
        .map_err(transaction())?;
    for statement in statements {
        let sql = &statement.sql;
        // A text that does not parse is not even begun: its savepoint is there before.
        let kept = format!("{sql}\nrelease savepoint object; savepoint object");
        if let Some(refusal) = make(session, statement, &kept).await? {
            let back = session.batch_execute("rollback to savepoint object").await;
            back.map_err(transaction())?;
            refusals.push(refusal);
        }
        tell(Event::Advanced(1));
    }
    session
        .batch_execute("commit")
        .await
        .map_err(transaction())?;
    Ok(refusals)
}

/// Brings statements into an order in which each comes after those that it needs, and
/// otherwise where it was.
fn after_needs<'a>(statements: &[&'a Statement<'a>]) -> Vec<&'a Statement<'a>> {
    let mut waiting: HashMap<usize, &Statement<'_>> = HashMap::new();
    waiting.extend(statements.iter().map(|one| (one.place, *one)));
    let mut ordered = Vec::with_capacity(statements.len());
    for statement in statements {
        push_after_needs(statement.place, &mut waiting, &mut ordered);
    }
    ordered
}

fn push_after_needs<'a>(
    place: usize,
    waiting: &mut HashMap<usize, &'a Statement<'a>>,
    ordered: &mut Vec<&'a Statement<'a>>,
) {
    if let Some(statement) = waiting.remove(&place) {
        for needed in &statement.object.needs {
            push_after_needs(*needed, waiting, ordered);
        }
        ordered.push(statement);
    }
}

/// Gives every idle session the first statement that excludes neither one that
/// runs nor one that waits before it, and needs none of them.
async fn together(
    sessions: &Sessions,
    mut waiting: Vec<&Statement<'_>>,
    tell: Listener<'_>,
) -> Result<Vec<Refusal>, Cause> {
    let mut refusals = Vec::new();
    let mut idle: Vec<_> = sessions.all().collect();
    let mut running = FuturesUnordered::new();
    let mut busy: Vec<&Statement<'_>> = Vec::new();
    loop {
        while let Some(at) = next(&waiting, &busy)
            && let Some(session) = idle.pop()
        {
            let statement = waiting.remove(at);
            busy.push(statement);
            running.push(async move {
                let refusal = make(session, statement, &statement.sql).await?;
                Ok::<_, Cause>((session, statement.place, refusal))
            });
        }
        let Some(done) = running.next().await else {
            return Ok(refusals);
        };
        let (session, place, refusal) = done?;
        refusals.extend(refusal);
        idle.push(session);
        busy.retain(|other| other.place != place);
        tell(Event::Advanced(1));
    }
}

fn next(waiting: &[&Statement<'_>], busy: &[&Statement<'_>]) -> Option<usize> {
    (0..waiting.len()).find(|&at| {
        let one = waiting[at];
        let mut others = waiting[..at].iter().chain(busy);
        !others.any(|other| {
            one.needs(other) || restore_plan::exclude_each_other(one.object, other.object)
        })
    })
}

impl Statement<'_> {
    fn needs(&self, other: &Self) -> bool {
        self.object.needs.contains(&other.place)
    }
}

/// Makes one object by a text that does so; what the target says against it, if it
/// refuses.
async fn make(
    session: &Client,
    statement: &Statement<'_>,
    text: &str,
) -> Result<Option<Refusal>, Cause> {
    let Statement { object, sql, .. } = statement;
    match session.batch_execute(text).await {
        Ok(()) => Ok(None),
        Err(error) => Refusal::of(object, sql, error).map(Some),
    }
}

fn cannot_make(object: &ScriptObject) -> String {
    format!("cannot make {}", object.described())
}
