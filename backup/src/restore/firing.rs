//! What acts by itself when rows come: the app's triggers and rules. A row that comes back
//! has done its work already.

use tokio_postgres::Client;

use super::{Cause, restore_error::refused};
use crate::schema::Name;

/// What turns triggers and rules of a table off, and on again as they were.
#[derive(Debug, Default)]
pub(super) struct Firing {
    pub(super) off: String,
    pub(super) on: String,
}

/// Which triggers and rules fire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fires {
    /// Those of an ordinary session.
    Ordinarily,
    /// Those of a session that plays the role of a replica.
    InReplica,
}

impl Firing {
    /// Of a table and its partitions. The server's own triggers keep foreign keys, and
    /// stay.
    pub(super) async fn of(session: &Client, table: &Name, fires: Fires) -> Result<Self, Cause> {
        const ACTING: &str = "\
with tree as (select $1::text::regclass as oid union select relid from pg_partition_tree($1::text::regclass))
select coalesce(string_agg(format('alter table only %s disable %s %I;', relation, what, name), ' '), ''),
       coalesce(string_agg(format('alter table only %s enable %s%s %I;', relation,
           case state when 'R' then 'replica ' when 'A' then 'always ' else '' end, what, name), ' '), '')
from (
    select tgrelid::regclass, 'trigger', tgname, tgenabled
    from pg_trigger join tree on tree.oid = tgrelid where not tgisinternal
    union all
    select ev_class::regclass, 'rule', rulename, ev_enabled
    from pg_rewrite join tree on tree.oid = ev_class where rulename <> '_RETURN'
) as acting (relation, what, name, state)
where state::text = any ($2)";
        let states: &[&str] = match fires {
            Fires::Ordinarily => &["O", "A"],
            Fires::InReplica => &["R", "A"],
        };
        let row = session
            .query_one(ACTING, &[&table.to_string(), &states])
            .await;
        let row = row.map_err(refused(format!("cannot look at {table}")))?;
        Ok(Self {
            off: row.get(0),
            on: row.get(1),
        })
    }

    pub(super) fn is_none(&self) -> bool {
        self.off.is_empty()
    }
}

/// Lets a session play the role of a replica, in which neither the app's triggers nor
/// foreign keys act. Answers whether the role may; a platform's extension may allow what
/// no privilege tells of, so it is tried.
pub(super) async fn play_replica(session: &Client) -> Result<bool, Cause> {
    set(session, "set session_replication_role to replica").await
}

/// The same until the end of the transaction, which goes on whatever the answer.
pub(super) async fn play_replica_within(session: &Client) -> Result<bool, Cause> {
    const TRY: &str = "savepoint role; set local session_replication_role to replica";
    let may = set(session, TRY).await?;
    if !may {
        let back = session.batch_execute("rollback to savepoint role").await;
        back.map_err(refused("cannot turn triggers off"))?;
    }
    Ok(may)
}

async fn set(session: &Client, sql: &str) -> Result<bool, Cause> {
    match session.batch_execute(sql).await {
        Ok(()) => Ok(true),
        Err(error) if error.as_db_error().is_some() => Ok(false),
        Err(error) => Err(refused("cannot turn triggers off")(error)),
    }
}
