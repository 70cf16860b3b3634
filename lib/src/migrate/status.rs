//! What a database has, what it lacks, and what would be done about it.

use std::collections::{BTreeMap, BTreeSet};

use tokio_postgres::{Client, SimpleQueryMessage};

use super::{
    MigrateError,
    ledger::{self, AppliedTables, Ledger, SetInForce},
    release,
    schema::{Schema, TableFile},
};

/// Reads each function's digest. Two statements in one message are one
/// transaction, so the setting ends with it.
const DIGEST: &str = concat!("set local search_path = '';\n", include_str!("digest.sql"));

/// What a database has, against what a build brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// The build's release.
    pub release: String,
    /// Table files that were applied, also those that only a newer build knows.
    pub applied: Vec<AppliedTables>,
    /// Table files that were not applied yet, in order.
    pub pending: Vec<TableFile>,
    /// The function set that is in force, if there is one.
    pub set: Option<SetInForce>,
    /// Whether the build brings another set.
    pub set_differs: bool,
    /// What was changed by hand since the set was put in place.
    pub hand_edits: HandEdits,
}

/// Functions that are not as the last exchange left them, by signature.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HandEdits {
    /// Defined otherwise.
    pub changed: Vec<String>,
    /// Not of the set.
    pub added: Vec<String>,
    /// Gone.
    pub missing: Vec<String>,
}

/// What applying would do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// Table files, in order.
    pub tables: Vec<TableFile>,
    /// Whether the function set would be exchanged.
    pub exchanges: bool,
    /// Functions that the database lacks, by name.
    pub made: Vec<String>,
    /// Functions whose text differs.
    pub replaced: Vec<String>,
    /// Functions that the set does not have.
    pub dropped: Vec<String>,
}

impl Schema {
    /// Compares a database with this schema; changes nothing.
    ///
    /// # Errors
    /// [`MigrateError::Changed`], [`MigrateError::TooOld`],
    /// [`MigrateError::OldLayout`], or a failed session.
    pub async fn status(&self, client: &Client) -> Result<Status, MigrateError> {
        let ledger = ledger::read(client).await?;
        let now = digest(client).await?;
        self.compare(ledger, &now)
    }

    fn compare(
        &self,
        ledger: Ledger,
        functions: &BTreeMap<String, String>,
    ) -> Result<Status, MigrateError> {
        self.refuse_changed(&ledger.tables)?;
        self.refuse_too_new(&ledger.tables)?;
        let is_pending =
            |file: &&TableFile| ledger.tables.iter().all(|row| row.version != file.version);
        let in_force = ledger.set.as_ref();
        Ok(Status {
            release: self.release.clone(),
            pending: self.tables.iter().filter(is_pending).cloned().collect(),
            set_differs: in_force.is_none_or(|set| set.sha256 != self.set.sha256()),
            hand_edits: in_force
                .map(|set| HandEdits::between(&set.functions, functions))
                .unwrap_or_default(),
            applied: ledger.tables,
            set: ledger.set,
        })
    }

    fn refuse_changed(&self, applied: &[AppliedTables]) -> Result<(), MigrateError> {
        let is_changed = |file: &&TableFile| {
            applied
                .iter()
                .any(|row| row.version == file.version && row.sha256 != file.sha256())
        };
        match self.tables.iter().find(is_changed) {
            Some(file) => Err(MigrateError::Changed(file.path())),
            None => Ok(()),
        }
    }

    /// A file that only a newer build knows is no hindrance unless it says so.
    fn refuse_too_new(&self, applied: &[AppliedTables]) -> Result<(), MigrateError> {
        for row in applied {
            if let Some(needs) = &row.needs
                && !release::reaches(&self.release, needs)
            {
                return Err(MigrateError::TooOld {
                    file: format!("{}_{}.sql", row.version, row.name),
                    needs: needs.clone(),
                    release: self.release.clone(),
                });
            }
        }
        Ok(())
    }

    /// What applying to a database of that status would do.
    #[must_use]
    pub fn plan(&self, status: &Status) -> Plan {
        let tables = status.pending.clone();
        if !status.set_differs {
            return Plan {
                tables,
                ..Plan::default()
            };
        }
        let sources = self.set.sources();
        let there = status.functions();
        let former = status.set.as_ref().map(|set| &set.sources);
        let touched = status.hand_edits.names();
        let is_kept = |name: &String| {
            former.is_some_and(|former| former.get(name) == sources.get(name))
                && !touched.contains(name)
        };
        let (known, made): (Vec<_>, Vec<_>) = sources
            .keys()
            .cloned()
            .partition(|name| there.contains(name));
        Plan {
            tables,
            exchanges: true,
            made,
            replaced: known.into_iter().filter(|name| !is_kept(name)).collect(),
            dropped: there
                .into_iter()
                .filter(|name| !sources.contains_key(name))
                .collect(),
        }
    }
}

impl Status {
    /// Whether applying would do nothing.
    #[must_use]
    pub fn is_current(&self) -> bool {
        self.pending.is_empty() && !self.set_differs
    }

    /// Whether a pending table file needs newer functions than those in force,
    /// as when a release was left out.
    #[must_use]
    pub fn outgrows_functions(&self) -> bool {
        let Some(set) = &self.set else {
            return false;
        };
        let mut needed = self.pending.iter().filter_map(TableFile::needs);
        needed.any(|needed| !release::reaches(&set.release, needed))
    }

    /// The names of the functions that the database has.
    fn functions(&self) -> BTreeSet<String> {
        let recorded = self.set.iter().flat_map(|set| set.functions.keys());
        let there = recorded
            .filter(|signature| !self.hand_edits.missing.contains(signature))
            .chain(&self.hand_edits.added);
        there.map(|signature| name(signature)).collect()
    }
}

impl HandEdits {
    fn between(then: &BTreeMap<String, String>, now: &BTreeMap<String, String>) -> Self {
        let lacking = |of: &BTreeMap<String, String>, other: &BTreeMap<String, String>| {
            of.keys()
                .filter(|signature| !other.contains_key(*signature))
                .cloned()
                .collect()
        };
        Self {
            changed: then
                .iter()
                .filter(|(signature, digest)| now.get(*signature).is_some_and(|now| now != *digest))
                .map(|(signature, _)| signature.clone())
                .collect(),
            added: lacking(now, then),
            missing: lacking(then, now),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changed.is_empty() && self.added.is_empty() && self.missing.is_empty()
    }

    fn names(&self) -> BTreeSet<String> {
        let all = [&self.changed, &self.added, &self.missing];
        all.into_iter()
            .flatten()
            .map(|signature| name(signature))
            .collect()
    }
}

/// The name before a signature's arguments.
fn name(signature: &str) -> String {
    signature.split('(').next().unwrap_or(signature).to_owned()
}

async fn digest(client: &Client) -> Result<BTreeMap<String, String>, MigrateError> {
    let messages = client.simple_query(DIGEST).await?;
    let digest = messages.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0),
        _ => None,
    });
    Ok(serde_json::from_str(digest.unwrap_or("{}"))?)
}
