//! What a recovery has done so far, kept in its folder: `journal.json`, and `recovered.env` with
//! the variables of what was made. A call that was killed is gone on with from there, so each
//! is whole at every instant.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::Context;
use jiff::Timestamp;
use ops::backups::recovery_receipts::Kind;
use outside::clock;
use serde::{Deserialize, Serialize};
use terminal::{
    env_file::{self, Variables},
    failure::Misuse,
    private_file,
};
use uuid::Uuid;

use super::plan::Step;
use crate::environment::Environment;

const JOURNAL: &str = "journal.json";
const VARIABLES: &str = "recovered.env";

/// What is known of a recovery under way.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Journal {
    pub(super) id: Uuid,
    pub(super) kind: Kind,
    pub(super) is_drill: bool,
    pub(super) started_at: Timestamp,
    /// The backup that was chosen: `latest` must not become another one on the way.
    pub(super) snapshot: Option<String>,
    /// The archive that was chosen.
    pub(super) archive: Option<String>,
    /// The project on Supabase that this recovery made, by its reference.
    pub(super) made_project: Option<String>,
    /// The project on Vercel that it made.
    pub(super) made_vercel_project: Option<String>,
    /// The steps that are done, with their seconds.
    pub(super) done: BTreeMap<Step, f64>,
    #[serde(skip)]
    folder: PathBuf,
}

impl Journal {
    /// That of the folder, which has to be of the same recovery, or a new one.
    pub(super) fn open(folder: &Path, kind: Kind, is_drill: bool) -> anyhow::Result<Self> {
        let fresh = Self {
            id: Uuid::new_v4(),
            kind,
            is_drill,
            started_at: clock::now(),
            snapshot: None,
            archive: None,
            made_project: None,
            made_vercel_project: None,
            done: BTreeMap::new(),
            folder: folder.to_owned(),
        };
        let path = folder.join(JOURNAL);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(fresh),
            Err(error) => return Err(error).context(format!("cannot read {}", path.display())),
        };
        let mut kept: Self = serde_json::from_slice(&text)
            .with_context(|| format!("{} is no journal of a recovery", path.display()))?;
        if (kept.kind, kept.is_drill) != (kind, is_drill) {
            let other = format!(
                "{} is the folder of another recovery ({}): name another one",
                folder.display(),
                kept.kind.as_str()
            );
            return Err(Misuse(other).into());
        }
        folder.clone_into(&mut kept.folder);
        Ok(kept)
    }

    /// Makes the folder, where it is not there.
    pub(super) fn make_folder(&self) -> anyhow::Result<()> {
        match private_file::create_folder(&self.folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                Err(error).context(format!("cannot make {}", self.folder.display()))
            }
            _ => Ok(()),
        }
    }

    /// Where something lies in the folder.
    pub(super) fn place(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Where the variables stand.
    pub(super) fn variables_path(&self) -> PathBuf {
        self.place(VARIABLES)
    }

    /// Keeps it, whole or as it was.
    pub(super) fn write(&self) -> anyhow::Result<()> {
        let text = serde_json::to_vec_pretty(self)?;
        self.replace(JOURNAL, &text)
    }

    /// Notes that a step is done.
    pub(super) fn note(&mut self, step: Step, seconds: f64) -> anyhow::Result<()> {
        self.done.insert(step, (seconds * 10.0).round() / 10.0);
        self.write()
    }

    /// The variables so far: at first those of the command's own source.
    pub(super) fn variables(&self, source: &Environment) -> anyhow::Result<Variables> {
        let path = self.variables_path();
        if path.exists() {
            return env_file::read(&path).map_err(anyhow::Error::from);
        }
        let mut variables: Variables = source.variables().into_iter().collect();
        // The private key is written nowhere.
        variables.remove("BACKUP_IDENTITY");
        Ok(variables)
    }

    /// Keeps the variables.
    pub(super) fn keep_variables(&self, variables: &Variables) -> anyhow::Result<()> {
        let text: String = variables
            .iter()
            .map(|(name, value)| env_file::assignment(name, value))
            .collect();
        self.replace(VARIABLES, text.as_bytes())
    }

    /// Whether there is something that this recovery made.
    pub(super) fn has_made(&self) -> bool {
        self.made_project.is_some() || self.made_vercel_project.is_some()
    }

    /// Forgets a drill that is over, so that the next call is another one. What else lies in the
    /// folder stays.
    pub(super) fn forget(&self) -> anyhow::Result<()> {
        for name in [JOURNAL, VARIABLES] {
            match fs::remove_file(self.place(name)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(error).context(format!("cannot remove {name}"));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn replace(&self, name: &str, content: &[u8]) -> anyhow::Result<()> {
        let (path, fresh) = (self.place(name), self.place(&format!("{name}.new")));
        let write = || {
            if fresh.exists() {
                fs::remove_file(&fresh)?;
            }
            let mut file = private_file::create(&fresh)?;
            io::Write::write_all(&mut file, content)?;
            file.sync_all()?;
            fs::rename(&fresh, &path)
        };
        write().with_context(|| format!("cannot write {}", path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_noted_is_there_for_the_next_call_and_for_no_other_recovery() {
        let folder = std::env::temp_dir().join(format!("journal-{}", Uuid::new_v4()));
        let mut journal = Journal::open(&folder, Kind::Database, false).unwrap();
        journal.make_folder().unwrap();
        journal.make_folder().unwrap();
        journal.snapshot = Some("20261125T090008Z".to_owned());
        journal.note(Step::Restore, 12.34).unwrap();
        let again = Journal::open(&folder, Kind::Database, false).unwrap();
        assert_eq!((again.id, again.snapshot), (journal.id, journal.snapshot));
        assert_eq!(again.done, BTreeMap::from([(Step::Restore, 12.3)]));
        for (kind, is_drill) in [(Kind::Database, true), (Kind::Region, false)] {
            let refused = Journal::open(&folder, kind, is_drill).unwrap_err();
            assert!(refused.is::<Misuse>(), "{refused}");
        }
        fs::remove_dir_all(&folder).unwrap();
    }
}
