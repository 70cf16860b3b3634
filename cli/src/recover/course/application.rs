//! The steps that bring the application back from its archive.

use std::{collections::BTreeMap, fmt::Write, fs, path::Path};

use anyhow::{Context, bail};
use backup::{
    application::{self, Archive, Part},
    keys::Identities,
    store::Store,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use ops::platforms::supabase::set_up::Document;
use serde_json::Value;
use terminal::{failure::Misuse, output};
use tokio::process::Command;

use super::{Carried, Course, lacking, without_secret};
use crate::setup::supabase::told;

/// An archive, opened.
pub(super) struct Opened {
    pub(super) name: String,
    documents: Vec<u8>,
    read: BTreeMap<String, Value>,
    /// The repository, from the newest archive up to this one that has it.
    repository: Option<Vec<u8>>,
}

impl Opened {
    /// Opens the archive of that name, or the newest.
    pub(super) async fn find(
        store: &Store,
        which: &str,
        identities: &Identities,
    ) -> anyhow::Result<Self> {
        let archives = application::list(store).await?;
        let is_it = |archive: &&Archive| which == "latest" || archive.name == which;
        let archive = archives
            .iter()
            .find(is_it)
            .ok_or_else(|| Misuse(format!("there is no archive {which} in {}", store.place())))?;
        let documents =
            application::read(store, &archive.name, Part::Documents, identities).await?;
        let whole: Value = serde_json::from_slice(&documents).context("the archive is no JSON")?;
        let read = whole["documents"].as_object().cloned().unwrap_or_default();
        let with_repository = archives
            .iter()
            .filter(|one| one.name <= archive.name)
            .find(|one| one.repository_bytes.is_some());
        let repository = match with_repository {
            Some(one) => {
                let read = application::read(store, &one.name, Part::Repository, identities);
                Some(read.await?)
            }
            None => None,
        };
        Ok(Self {
            name: archive.name.clone(),
            documents,
            read: read.into_iter().collect(),
            repository,
        })
    }

    /// A document; null where the archive lacks it.
    pub(super) fn document(&self, name: &str) -> Value {
        self.read.get(name).cloned().unwrap_or_default()
    }
}

impl Course<'_> {
    /// Writes the archive into the folder, whole, with the SQL of the database's jobs.
    pub(super) fn write_archive(&mut self) -> anyhow::Result<Carried> {
        let folder = self.journal.place("archive");
        // What a call that was killed has left may be a part.
        if folder.exists() {
            fs::remove_dir_all(&folder)
                .with_context(|| format!("cannot clear {}", folder.display()))?;
        }
        let opened = self.archive()?;
        let write = crate::backup::application::write;
        write(&folder, &opened.documents, opened.repository.as_deref())
            .with_context(|| format!("cannot write to {}", folder.display()))?;
        let jobs = folder.join("jobs.sql");
        fs::write(&jobs, jobs_sql(&opened.document("database.cron")))
            .with_context(|| format!("cannot write {}", jobs.display()))?;
        Ok(Carried::Done)
    }

    /// Pushes every branch and tag into a repository that is empty, or has them already. In a
    /// drill that is one beside the archive, which goes at once.
    pub(super) async fn push_repository(&mut self) -> anyhow::Result<Carried> {
        let opened = self.archive()?;
        if opened.repository.is_none() {
            return Ok(Carried::ByHand(format!(
                "no archive up to {} has a repository: push it from wherever a clone is left",
                opened.name
            )));
        }
        let mirror = self.journal.place("mirror.git");
        let thrown_away = self.journal.place("thrown-away.git");
        for left in [&mirror, &thrown_away] {
            if left.exists() {
                fs::remove_dir_all(left)
                    .with_context(|| format!("cannot clear {}", left.display()))?;
            }
        }
        let remote = if self.journal.is_drill {
            git(&["init", "--quiet", "--bare", &text(&thrown_away)?]).await?;
            text(&thrown_away)?
        } else {
            let place = self.wanted.place.as_ref();
            let remote = place.and_then(|place| place.repository.clone());
            remote.ok_or_else(|| lacking("--repository"))?
        };
        let bundle = self.journal.place("archive").join("repository.bundle");
        let mirror = text(&mirror)?;
        git(&["clone", "--quiet", "--mirror", &text(&bundle)?, &mirror]).await?;
        let archived = refs(&git(&["-C", &mirror, "show-ref"]).await?);
        let there = refs(&git(&["ls-remote", "--refs", &remote]).await?);
        if there != archived {
            if !there.is_empty() {
                let place = without_secret(&remote);
                let full = format!("the repository {place} is not empty: name a new one");
                return Err(Misuse(full).into());
            }
            git(&["-C", &mirror, "push", "--quiet", "--mirror", &remote]).await?;
            let pushed = refs(&git(&["ls-remote", "--refs", &remote]).await?);
            if pushed != archived {
                bail!("the repository has other branches or tags than the archive");
            }
        }
        output::note(&format!("  {} branches and tags are there", archived.len()));
        if self.journal.is_drill {
            fs::remove_dir_all(&thrown_away)?;
        }
        fs::remove_dir_all(&mirror)?;
        Ok(Carried::Done)
    }

    fn reference(&self) -> anyhow::Result<&str> {
        let reference = self.variables.get("SUPABASE_PROJECT_REF");
        let reference = reference.ok_or_else(|| lacking("SUPABASE_PROJECT_REF"))?;
        Ok(reference)
    }

    /// Makes the Edge Functions that the project lacks, of the very bundles that ran.
    pub(super) async fn deploy_functions(&mut self) -> anyhow::Result<Carried> {
        let management = self.management.as_ref();
        let management = management.ok_or_else(|| lacking("SUPABASE_ACCESS_TOKEN"))?;
        let reference = self.reference()?;
        let there = management.functions(reference).await;
        let there = there.map_err(|error| told(&error, "list the Edge Functions"))?;
        let opened = self.archive()?;
        let mut without_code = Vec::new();
        for function in opened
            .document("supabase.functions")
            .as_array()
            .into_iter()
            .flatten()
        {
            let slug = function["slug"].as_str().unwrap_or_default();
            if there.iter().any(|known| known == slug) {
                continue;
            }
            let code = opened.document(&format!("supabase.functions.{slug}.code"));
            let code = code
                .as_str()
                .and_then(|code| BASE64_STANDARD.decode(code).ok());
            let Some(code) = code else {
                without_code.push(slug.to_owned());
                continue;
            };
            let made = management
                .create_function(reference, function, code.into())
                .await;
            made.map_err(|error| told(&error, &format!("deploy the Edge Function {slug}")))?;
        }
        Ok(if without_code.is_empty() {
            Carried::ByHand("set the secrets of the Edge Functions anew, whose names are in supabase.secrets.json".to_owned())
        } else {
            Carried::ByHand(format!(
                "the archive has no code of {}: deploy them from the repository, and set the secrets in supabase.secrets.json",
                without_code.join(", ")
            ))
        })
    }

    /// Sets the project up as the archive has it. Secrets are in no archive.
    pub(super) async fn configure(&mut self) -> anyhow::Result<Carried> {
        let management = self.management.as_ref();
        let management = management.ok_or_else(|| lacking("SUPABASE_ACCESS_TOKEN"))?;
        let reference = self.reference()?;
        let opened = self.archive()?;
        let mut refused = Vec::new();
        for document in Document::ALL {
            let read = opened.document(&format!("supabase.{}", document.as_str()));
            if read.as_object().is_none_or(serde_json::Map::is_empty) {
                continue;
            }
            match management.configure(reference, document, &read).await {
                Ok(()) => {}
                // A plan may lack what another had.
                Err(error)
                    if error
                        .status()
                        .is_some_and(|status| status < 500 && status != 401) =>
                {
                    refused.push(format!("{} ({error})", document.as_str()));
                }
                Err(error) => return Err(told(&error, &format!("set {} up", document.as_str()))),
            }
        }
        let mut how =
            "set what is secret anew: keys of sign-in providers, the password of SMTP".to_owned();
        if !refused.is_empty() {
            how = format!("{how}; Supabase refused {}", refused.join(", "));
        }
        Ok(Carried::ByHand(how))
    }
}

/// What makes the jobs of `pg_cron` again.
fn jobs_sql(cron: &Value) -> String {
    let mut sql = String::new();
    for job in cron.as_array().into_iter().flatten() {
        let [name, schedule, command] = ["jobname", "schedule", "command"].map(|field| {
            let text = job[field].as_str().unwrap_or_default();
            format!("'{}'", text.replace('\'', "''"))
        });
        let _ = writeln!(sql, "select cron.schedule({name}, {schedule}, {command});");
    }
    sql
}

async fn git(arguments: &[&str]) -> anyhow::Result<String> {
    let ran = Command::new("git")
        .args(arguments)
        .env("GIT_TERMINAL_PROMPT", "0")
        .kill_on_drop(true)
        .output()
        .await
        .context("cannot start git")?;
    if !ran.status.success() {
        let said = String::from_utf8_lossy(&ran.stderr);
        bail!("git failed: {}", said.trim());
    }
    Ok(String::from_utf8_lossy(&ran.stdout).into_owned())
}

/// Every branch and tag with what it points at.
fn refs(listed: &str) -> BTreeMap<String, String> {
    let pair = |line: &str| {
        let (commit, name) = line.split_once([' ', '\t'])?;
        Some((name.to_owned(), commit.to_owned()))
    };
    listed.lines().filter_map(pair).collect()
}

fn text(path: &Path) -> anyhow::Result<String> {
    let text = path.to_str().context("the folder's name is no text")?;
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn jobs_are_made_whatever_their_characters() {
        let cron = json!([
            {"jobname": "tidy", "schedule": "0 3 * * *", "command": "delete from t where a = 'x'"},
        ]);
        assert_eq!(
            jobs_sql(&cron),
            "select cron.schedule('tidy', '0 3 * * *', 'delete from t where a = ''x''');\n"
        );
        assert_eq!(jobs_sql(&Value::Null), "");
    }

    #[test]
    fn both_lists_of_branches_read_the_same() {
        assert_eq!(
            refs("0a refs/heads/main\n1b refs/tags/v1\n"),
            refs("1b\trefs/tags/v1\n0a\trefs/heads/main\n")
        );
    }
}
