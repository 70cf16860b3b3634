//! Puts rows back, while nothing of the app's acts on them.

use super::{
    super::{
        firing::{self, Fires, Firing},
        restore_error::refused_rows,
    },
    Absent, BroughtBack, Cause, Found, Orphans, Work, execute, foreign_keys, refused,
};
use crate::restore_sql;

/// How the app's triggers and rules are kept from acting.
enum Quiet {
    /// There are none.
    Already,
    /// The session plays a replica's role: nobody waits, and foreign keys do not act
    /// either.
    Replica,
    /// They are turned off, and on again before the transaction ends.
    Off(Vec<Firing>),
}

impl Work<'_> {
    /// Writes what was found, and looks at foreign keys once more.
    pub(super) async fn write(&self, found: Found<'_>) -> Result<BroughtBack, Cause> {
        let Found {
            absent,
            along,
            keyless,
            orphans: _,
        } = found;
        let coming: Vec<_> = absent.iter().filter(|rows| rows.rows > 0).collect();
        let quiet = self.quiet(&coming).await?;
        if let Quiet::Replica = quiet {
            self.keep_what_is_referred_to(&coming).await?;
        }
        self.turn(&quiet, &coming, |firing| &firing.off).await?;
        let mut tables = Vec::new();
        for rows in &absent {
            tables.push(rows.told(self.insert(rows).await?));
        }
        execute(self.session, "set constraints all immediate").await?;
        self.turn(&quiet, &coming, |firing| &firing.on).await?;
        let orphans = match quiet {
            Quiet::Replica => self.orphans_among(&coming).await?,
            Quiet::Already | Quiet::Off(_) => Vec::new(),
        };
        let mut sequences = Vec::new();
        for rows in coming.iter().filter(|_| orphans.is_empty()) {
            sequences.extend(self.raise_sequences(rows).await?);
        }
        Ok(BroughtBack {
            written: orphans.is_empty(),
            tables,
            along,
            orphans,
            keyless,
            sequences,
        })
    }

    /// A replica's role lets the app go on, so it is preferred; but what is meant to act
    /// there would, and keys that are checked late would not be checked.
    async fn quiet(&self, coming: &[&Absent<'_>]) -> Result<Quiet, Cause> {
        let (mut ordinarily, mut replica_would_do) = (Vec::new(), true);
        for rows in coming {
            let table = &rows.table.name;
            let in_replica = Firing::of(self.session, table, Fires::InReplica).await?;
            replica_would_do &= in_replica.is_none() && !self.has_late_keys(rows).await?;
            ordinarily.push(Firing::of(self.session, table, Fires::Ordinarily).await?);
        }
        if ordinarily.iter().all(Firing::is_none) {
            Ok(Quiet::Already)
        } else if replica_would_do && firing::play_replica_within(self.session).await? {
            Ok(Quiet::Replica)
        } else {
            Ok(Quiet::Off(ordinarily))
        }
    }

    /// Whether a key that has to be unique is checked late, by a trigger of the server's.
    async fn has_late_keys(&self, rows: &Absent<'_>) -> Result<bool, Cause> {
        const LATE: &str = "select exists (select from pg_constraint where condeferrable \
            and contype in ('p', 'u', 'x') and conrelid in (select $1::text::regclass \
            union select relid from pg_partition_tree($1::text::regclass)))";
        let table = &rows.table.name;
        let row = self.session.query_one(LATE, &[&table.to_string()]).await;
        Ok(row
            .map_err(refused(format!("cannot look at {table}")))?
            .get(0))
    }

    async fn turn(
        &self,
        quiet: &Quiet,
        coming: &[&Absent<'_>],
        which: impl Fn(&Firing) -> &str,
    ) -> Result<(), Cause> {
        let Quiet::Off(firing) = quiet else {
            return Ok(());
        };
        for (rows, firing) in coming.iter().zip(firing) {
            let turned = self.session.batch_execute(which(firing)).await;
            let doing = format!("cannot turn the triggers of {} off", rows.table.name);
            turned.map_err(refused(doing))?;
        }
        Ok(())
    }

    async fn insert(&self, rows: &Absent<'_>) -> Result<u64, Cause> {
        let (table, columns) = (&rows.table.name, restore_sql::list(&rows.table.shared));
        let insert = format!(
            "insert into {table} ({columns}) overriding system value \
             select {columns} from {} on conflict do nothing",
            rows.place
        );
        let inserted = self.session.execute(&insert, &[]).await;
        inserted.map_err(refused_rows(table))
    }

    /// Locks what the rows refer to, as the server's own triggers do, where the role may:
    /// nobody deletes it before the rows are there.
    async fn keep_what_is_referred_to(&self, coming: &[&Absent<'_>]) -> Result<(), Cause> {
        const MAY: &str = "select pg_catalog.has_any_column_privilege($1::text, 'update')";
        for rows in coming {
            for key in foreign_keys::of(self.session, &rows.table.name).await? {
                let other = key.refers_to.to_string();
                let doing = || refused(format!("cannot lock rows of {other}"));
                let may = self
                    .session
                    .query_one(MAY, &[&other])
                    .await
                    .map_err(doing())?;
                if may.get::<_, bool>(0) && rows.table.takes(&key.columns) {
                    let lock = format!(
                        "select count(*) from (select from {} p where exists \
                         (select from {} c where {}) for key share of p) as kept",
                        key.referred(),
                        rows.place,
                        key.matches
                    );
                    self.session.batch_execute(&lock).await.map_err(doing())?;
                }
            }
        }
        Ok(())
    }

    async fn orphans_among(&self, coming: &[&Absent<'_>]) -> Result<Vec<Orphans>, Cause> {
        let mut orphans = Vec::new();
        for rows in coming {
            for key in foreign_keys::of(self.session, &rows.table.name).await? {
                if rows.table.takes(&key.columns) {
                    orphans.extend(key.orphans(self.session, &rows.place, &[]).await?);
                }
            }
        }
        Ok(orphans)
    }

    /// Raises the sequences that number a table's columns past the rows that came back.
    /// Answers with those that stood behind.
    async fn raise_sequences(&self, rows: &Absent<'_>) -> Result<Vec<String>, Cause> {
        const SEQUENCES: &str = "\
select distinct s.oid::regclass::text, quote_ident(a.attname), a.attname::text
from pg_attribute a
left join pg_attrdef f on f.adrelid = a.attrelid and f.adnum = a.attnum
join pg_depend d on d.refclassid = 'pg_class'::regclass and (
       (d.classid = 'pg_class'::regclass and d.refobjid = a.attrelid and d.refobjsubid = a.attnum and d.deptype in ('a', 'i'))
    or (d.classid = 'pg_attrdef'::regclass and d.objid = f.oid))
join pg_class s on s.relkind = 'S' and s.oid in (d.objid, d.refobjid)
join pg_sequence q on q.seqrelid = s.oid and q.seqincrement > 0
where a.attrelid = $1::text::regclass and a.attnum > 0
  and a.atttypid in ('int2'::regtype, 'int4'::regtype, 'int8'::regtype)
order by 1";
        let table = &rows.table.name;
        let failed = || refused(format!("cannot raise the sequences of {table}"));
        let found = self.session.query(SEQUENCES, &[&table.to_string()]).await;
        let mut raised = Vec::new();
        for row in found.map_err(failed())? {
            let (sequence, column): (String, String) = (row.get(0), row.get(1));
            if !rows.table.takes(&[row.get(2)]) {
                continue;
            }
            let raise = format!(
                "select pg_catalog.setval({}, highest) from (select max({column})::int8 as highest from {}) as r, \
                 {sequence} s where highest > s.last_value or (highest = s.last_value and not s.is_called)",
                restore_sql::literal(&sequence),
                rows.place
            );
            let done = self.session.query(&raise, &[]).await.map_err(failed())?;
            raised.extend((!done.is_empty()).then_some(sequence));
        }
        Ok(raised)
    }
}
