//! Takes away what migrating brought, and says beforehand what that is.

use std::collections::BTreeMap;

use tokio_postgres::Client;

use super::{MigrateError, apply::lock};

const SQL: &str = include_str!("uninstall.sql");

/// Everything of ours, as kind and name.
const INSTALLED: &str = r"
select 'tables' as kind, format('ops.%I', c.relname) as name
from pg_catalog.pg_class as c
where c.relnamespace = to_regnamespace('ops') and c.relkind in ('r', 'p')
union all
select 'functions', p.oid::regprocedure::text
from pg_catalog.pg_proc as p
where
    p.pronamespace = to_regnamespace('ops')
    or (p.pronamespace = 'public'::regnamespace and p.proname like 'ops\_%')
union all
select 'types', t.oid::regtype::text
from pg_catalog.pg_type as t
left join pg_catalog.pg_class as c on c.oid = t.typrelid
where t.typnamespace = to_regnamespace('ops') and (t.typtype = 'd' or c.relkind = 'c')
union all
select 'triggers on the application''s tables', format('%I on %s', t.tgname, t.tgrelid::regclass)
from pg_catalog.pg_trigger as t
inner join pg_catalog.pg_proc as p on p.oid = t.tgfoid
inner join pg_catalog.pg_class as c on c.oid = t.tgrelid
where
    not t.tgisinternal
    and p.pronamespace = to_regnamespace('ops')
    and c.relnamespace is distinct from to_regnamespace('ops')
union all
select 'replication slots', s.slot_name::text
from pg_catalog.pg_replication_slots as s
where s.slot_name like 'pourtrait\_%' and s.database = current_database()
order by 1, 2";

/// The calls that `pg_cron` makes.
const SCHEDULES: &str =
    r"select jobname::text from cron.job where jobname like 'pourtrait\_%' order by 1";

/// The secrets that Vault keeps for them.
const SECRETS: &str =
    r"select name::text from vault.secrets where name like 'pourtrait\_%' order by 1";

/// What is not ours and rests on something that is.
const DEPENDENTS: &str = r"
with ours as (
    select 'pg_catalog.pg_class'::regclass as class, c.oid as object
    from pg_catalog.pg_class as c
    where c.relnamespace = to_regnamespace('ops')
    union all
    select 'pg_catalog.pg_proc'::regclass, p.oid
    from pg_catalog.pg_proc as p
    where
        p.pronamespace = to_regnamespace('ops')
        or (p.pronamespace = 'public'::regnamespace and p.proname like 'ops\_%')
    union all
    select 'pg_catalog.pg_type'::regclass, t.oid
    from pg_catalog.pg_type as t
    where t.typnamespace = to_regnamespace('ops')
),
resting as (
    select
        d.classid, d.objid, d.objsubid,
        coalesce(r.ev_class, a.adrelid, nullif(k.conrelid, 0::oid), k.contypid, l.polrelid) as belongs_to
    from pg_catalog.pg_depend as d
    inner join ours as o on o.class = d.refclassid and o.object = d.refobjid
    left join pg_catalog.pg_rewrite as r
        on d.classid = 'pg_catalog.pg_rewrite'::regclass and r.oid = d.objid
    left join pg_catalog.pg_attrdef as a
        on d.classid = 'pg_catalog.pg_attrdef'::regclass and a.oid = d.objid
    left join pg_catalog.pg_constraint as k
        on d.classid = 'pg_catalog.pg_constraint'::regclass and k.oid = d.objid
    left join pg_catalog.pg_policy as l
        on d.classid = 'pg_catalog.pg_policy'::regclass and l.oid = d.objid
    where
        d.deptype in ('n', 'a')
        and d.classid not in ('pg_catalog.pg_trigger'::regclass, 'pg_catalog.pg_publication_rel'::regclass)
)
select distinct pg_catalog.pg_describe_object(r.classid, r.objid, r.objsubid)
from resting as r
where
    not exists (select from ours as o where o.class = r.classid and o.object = r.objid)
    and not exists (select from ours as o where o.object = r.belongs_to)
order by 1";

/// What of ours a database holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Installed {
    /// Names by their kind, such as `tables`.
    pub by_kind: BTreeMap<String, Vec<String>>,
    /// What is somebody else's and rests on ours, as the server describes it.
    pub dependents: Vec<String>,
}

impl Installed {
    /// What there is; changes nothing.
    ///
    /// # Errors
    /// [`MigrateError::Session`] where the database cannot be asked.
    pub async fn find(client: &Client) -> Result<Self, MigrateError> {
        let mut by_kind = BTreeMap::<String, Vec<String>>::new();
        for row in client.query(INSTALLED, &[]).await? {
            by_kind
                .entry(row.try_get("kind")?)
                .or_default()
                .push(row.try_get("name")?);
        }
        for (kind, place, sql) in [
            ("schedules of pg_cron", "cron.job", SCHEDULES),
            ("secrets in Vault", "vault.secrets", SECRETS),
        ] {
            let names = names_in(client, place, sql).await?;
            if !names.is_empty() {
                by_kind.insert(kind.to_owned(), names);
            }
        }
        let rows = client.query(DEPENDENTS, &[]).await?;
        let dependents = rows.iter().map(|row| row.try_get(0));
        Ok(Self {
            by_kind,
            dependents: dependents.collect::<Result<_, _>>()?,
        })
    }

    /// Whether there is nothing of ours.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_kind.is_empty()
    }
}

/// Takes all of it away, in one transaction. What is there twice as well as not at all ends
/// the same, so that a run that was cut off is run again.
///
/// # Errors
/// [`MigrateError::Busy`] while a migrator works, [`MigrateError::Failed`] in the server's
/// words where something would not go.
pub async fn uninstall(client: &mut Client) -> Result<(), MigrateError> {
    lock(client).await?;
    let removed = remove(client).await;
    // The session's end would release it as well.
    let _ = client
        .batch_execute("select pg_catalog.pg_advisory_unlock_all()")
        .await;
    removed
}

async fn remove(client: &mut Client) -> Result<(), MigrateError> {
    // A slot goes at once, whatever becomes of a transaction; without one nothing is kept
    // for a reader that will never come again.
    client
        .batch_execute(
            r"select pg_catalog.pg_drop_replication_slot(s.slot_name)
            from pg_catalog.pg_replication_slots as s
            where s.slot_name like 'pourtrait\_%' and s.database = current_database() and not s.active",
        )
        .await?;
    let transaction = client.transaction().await?;
    if let Err(error) = transaction.batch_execute(SQL).await {
        return Err(failed(error));
    }
    Ok(transaction.commit().await?)
}

/// The names that a table of an extension's holds, where there is such a table.
async fn names_in(client: &Client, place: &str, sql: &str) -> Result<Vec<String>, MigrateError> {
    let known = "select pg_catalog.to_regclass($1) is not null";
    if !client.query_one(known, &[&place]).await?.try_get(0)? {
        return Ok(Vec::new());
    }
    let rows = client.query(sql, &[]).await?;
    Ok(rows
        .iter()
        .map(|row| row.try_get(0))
        .collect::<Result<_, _>>()?)
}

fn failed(error: tokio_postgres::Error) -> MigrateError {
    let Some(server) = error.as_db_error() else {
        return MigrateError::Session(error);
    };
    MigrateError::Failed {
        file: "the removal".to_owned(),
        line: None,
        message: server.message().to_owned(),
        code: server.code().code().to_owned(),
    }
}
