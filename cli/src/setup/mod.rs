//! `pourtrait setup`: from nothing to a configuration that everything reads, here, on
//! Vercel and on GitHub.
//!
//! In reading order: `book` holds what is known; `answers`, `questions` (by way of
//! `asking`), `supabase` and `made` fill it; `local_file`, `vercel` (whose changes
//! `vercel_plan` finds) and `github` (which seals by `sealed_box`) carry it out; `by_hand`
//! lists what is left for a person. `placement` says which variable goes where.
//!
//! What is there already is left alone, so that a second run changes nothing. The local
//! file is written before any platform is given a secret: whatever cuts a run off, the next one
//! has the same secrets and goes on from what it finds.

mod answers;
pub(crate) mod arguments;
mod asking;
mod book;
mod by_hand;
mod github;
mod local_file;
pub(crate) mod made;
pub(crate) mod placement;
mod questions;
mod sealed_box;
pub(crate) mod supabase;
mod vercel;
pub(crate) mod vercel_plan;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use ops::{config::Fingerprinter, platforms::github::GitHub};
use outside::outbound::Outbound;
use serde_json::{Value, json};
use terminal::{
    failure::{Misuse, Verdict},
    output::{self, Output},
};

use arguments::Setup;
use asking::Asking;
use book::Book;
use by_hand::Task;
use local_file::LocalFile;
use made::Made;
use vercel::OnVercel;
use vercel_plan::{Change, Wanted};

/// The file that is written where none is named.
const LOCAL_FILE: &str = ".env";

/// Everything that is to be done.
struct Plan {
    path: PathBuf,
    book: Book,
    made: Made,
    file: LocalFile,
    vercel: Option<OnVercel>,
    on_vercel: Vec<Change>,
    github: Option<GitHub>,
    on_github: github::Changes,
    by_hand: Vec<Task>,
}

pub(crate) async fn run(
    options: &Setup,
    env_file: Option<&Path>,
    output: Output,
) -> anyhow::Result<Verdict> {
    let path = env_file.unwrap_or(Path::new(LOCAL_FILE)).to_owned();
    let plan = Box::pin(Plan::of(options, path)).await?;
    plan.show_targets();
    if options.dry_run {
        output.result(&plan.document(false), &plan.text(false));
        return Ok(Verdict::Good);
    }
    plan.carry_out().await?;
    output.result(&plan.document(true), &plan.text(true));
    Ok(Verdict::Good)
}

impl Plan {
    async fn of(options: &Setup, path: PathBuf) -> anyhow::Result<Self> {
        let asking = Asking::find();
        let file = LocalFile::read(&path)?;
        let mut book = Book::of(file.variables.clone());
        let answers = answers::read(options)?;
        answers::write_down(&mut book, answers, &asking, options.yes)?;
        let asked = whom_to_ask(&book, &asking)?;
        questions::of_platforms(&mut book, asked)?;
        refuse_unusable(&book)?;
        let outbound = Arc::new(Outbound::default());
        let platforms = book.config().platforms;
        if let Some(management) = platforms.management(&outbound) {
            supabase::link(&management, &mut book, &file, options).await?;
        }
        let vercel = match platforms.vercel(&outbound) {
            Some(vercel) => OnVercel::link(vercel, &mut book, options).await?,
            None => None,
        };
        questions::of_the_app(&mut book, asked)?;
        refuse_missing(&book)?;
        let made = made::make(&mut book, options)?;
        refuse_unusable(&book)?;
        let fingerprinter = fingerprinter(&book)?;
        let on_vercel = match &vercel {
            Some(vercel) => {
                let wanted = Wanted::of(book.all(), &fingerprinter).map_err(Misuse)?;
                vercel.changes(wanted).await?
            }
            None => Vec::new(),
        };
        let github = platforms
            .github(&outbound)
            .filter(|_| !options.without_github);
        let on_github = match &github {
            Some(github) => github::changes(github, &book, &fingerprinter).await?,
            None => github::Changes::default(),
        };
        refuse_foreign(&on_vercel, &asking, options)?;
        let by_hand = by_hand::tasks(&book, vercel.is_some());
        Ok(Self {
            path,
            book,
            made,
            file,
            vercel,
            on_vercel,
            github,
            on_github,
            by_hand,
        })
    }

    /// Says what is about to be changed.
    fn show_targets(&self) {
        output::note(&format!("target: {}", self.path.display()));
        if let Some(vercel) = &self.vercel {
            let project = &vercel.project;
            output::note(&format!(
                "target: Vercel project {} ({})",
                project.name, project.id
            ));
        }
        if self.github.is_some() {
            let repository = self.book.get("GITHUB_REPOSITORY").unwrap_or_default();
            output::note(&format!("target: GitHub repository {repository}"));
        }
    }

    /// The private key first, because nobody could read a backup to a key that was lost;
    /// then the local file, because a run that is cut off goes on from it.
    async fn carry_out(&self) -> anyhow::Result<()> {
        if let Some(identity) = &self.made.identity {
            identity.write()?;
            if identity.path.is_none() {
                output::note(&format!(
                    "The private backup key, shown this once. It opens every backup:\n\n{}",
                    identity.text()
                ));
            }
        }
        self.file.write(self.book.additions())?;
        if let Some(vercel) = &self.vercel {
            vercel.apply(&self.on_vercel).await?;
        }
        if let Some(github) = &self.github {
            github::apply(github, &self.on_github).await?;
        }
        Ok(())
    }

    fn document(&self, done: bool) -> Value {
        let changes: Vec<Value> = self
            .on_vercel
            .iter()
            .map(|change| json!({ "name": change.wanted.name, "why": change.why.as_str() }))
            .collect();
        let identity = self.made.identity.as_ref();
        // What is not kept yet is shown by the run that keeps it.
        let made = if done {
            json!(self.made.secrets)
        } else {
            json!(self.made.secrets.keys().collect::<Vec<_>>())
        };
        json!({
            "done": done,
            "file": { "path": self.path, "set": self.book.additions().keys().collect::<Vec<_>>() },
            "made": made,
            "identityFile": identity.and_then(|identity| identity.path.as_ref()),
            "vercel": self.vercel.as_ref().map(|vercel| json!({
                "project": vercel.project.id, "name": vercel.project.name, "set": changes,
            })),
            "github": self.github.as_ref().map(|_| json!({ "set": self.on_github.names() })),
            "byHand": self.by_hand,
        })
    }

    fn text(&self, done: bool) -> String {
        let mut lines = self.change_lines(done);
        if lines.is_empty() {
            lines.push("nothing to change".to_owned());
        }
        if done && !self.made.secrets.is_empty() {
            lines.push(format!(
                "\nMade now, shown this once, and kept in {}:",
                self.path.display()
            ));
            let secrets = self.made.secrets.iter();
            lines.extend(secrets.map(|(name, value)| format!("  {name}={value}")));
        }
        lines.push("\nWhat only a person can do:".to_owned());
        lines.extend(self.by_hand.iter().map(Task::line));
        lines.join("\n")
    }

    fn change_lines(&self, done: bool) -> Vec<String> {
        let verb = if done { "set" } else { "would set" };
        let mut lines = Vec::new();
        let new = self.book.additions();
        if !new.is_empty() {
            let names: Vec<_> = new.keys().map(String::as_str).collect();
            lines.push(format!(
                "{}: {verb} {}",
                self.path.display(),
                names.join(", ")
            ));
        }
        if let Some(path) = self
            .made
            .identity
            .as_ref()
            .and_then(|identity| identity.path.as_ref())
        {
            lines.push(format!("{}: the private backup key", path.display()));
        }
        lines.extend(self.on_vercel.iter().map(|change| {
            let name = &change.wanted.name;
            format!("Vercel: {verb} {name}, which {}", change.why.as_str())
        }));
        let names = self.on_github.names();
        if !names.is_empty() {
            lines.push(format!("GitHub: {verb} {}", names.join(", ")));
        }
        lines
    }
}

/// A person who has answered what is needed need not skip the rest at every run.
fn whom_to_ask<'a>(book: &Book, asking: &'a Asking) -> std::io::Result<&'a Asking> {
    let question = "All that is needed is known. Go through what was left out?";
    let is_enough = questions::missing(book).is_empty() && asking.is_person();
    if is_enough && !asking.agrees(question)? {
        return Ok(&Asking::Nobody);
    }
    Ok(asking)
}

/// Fingerprints are made with the operators' key, which is there by now.
fn fingerprinter(book: &Book) -> anyhow::Result<Fingerprinter> {
    let key = book.config().monitoring_api_key;
    let key = key.ok_or_else(|| Misuse("MONITORING_API_KEY cannot be used".to_owned()))?;
    Ok(Fingerprinter::new(&key))
}

fn refuse_missing(book: &Book) -> Result<(), Misuse> {
    let missing = questions::missing(book);
    if missing.is_empty() {
        return Ok(());
    }
    Err(Misuse(format!(
        "{} not known: give {} with --set NAME=VALUE or --answers FILE, or run this at a terminal",
        missing.join(", ") + if missing.len() == 1 { " is" } else { " are" },
        if missing.len() == 1 { "it" } else { "them" },
    )))
}

fn refuse_unusable(book: &Book) -> Result<(), Misuse> {
    let config = book.config();
    let each: Vec<String> = book::invalid(&config)
        .map(|(variable, reason)| format!("{variable} ({reason})"))
        .collect();
    if each.is_empty() {
        return Ok(());
    }
    Err(Misuse(format!("cannot be used: {}", each.join(", "))))
}

/// What somebody else set on Vercel is replaced with consent alone.
fn refuse_foreign(changes: &[Change], asking: &Asking, options: &Setup) -> anyhow::Result<()> {
    let foreign: Vec<&str> = changes
        .iter()
        .filter(|change| change.is_foreign)
        .map(|change| change.wanted.name.as_str())
        .collect();
    if foreign.is_empty() || options.yes || options.dry_run {
        return Ok(());
    }
    let names = foreign.join(", ");
    let question = format!("Somebody else set {names} on Vercel. Replace?");
    if asking.agrees(&question)? {
        return Ok(());
    }
    let text = format!(
        "somebody else set {names} on Vercel, where no value can be compared: say --yes to replace them, or see --dry-run"
    );
    Err(Misuse(text).into())
}
