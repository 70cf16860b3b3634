//! The documentation leads somewhere: links resolve, every page says who keeps it, and every
//! alert that can wake someone has an entry in the runbook.

use std::{
    collections::BTreeSet,
    path::{Component, Path, PathBuf},
};

use jiff::civil::Date;

use crate::files;

/// How many days a page may stand until somebody reads it again.
const REVIEWED_WITHIN: i32 = 100;

/// Every piece of a text between two marks.
pub(crate) fn between<'a>(
    text: &'a str,
    start: &'a str,
    end: &'a str,
) -> impl Iterator<Item = &'a str> {
    text.split(start)
        .skip(1)
        .filter_map(move |rest| rest.split(end).next())
}

#[test]
fn every_relative_link_resolves() {
    for document in files::ending(".md") {
        let text = without_code(&files::text(&document));
        for link in between(&text, "](", ")") {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = resolve(&document, path).unwrap_or_else(|| {
                panic!("{}: `{link}` leaves the repository", document.display())
            });
            let found = files::root().join(&target);
            assert!(
                found.exists(),
                "{}: `{link}` leads nowhere",
                document.display()
            );
            if !anchor.is_empty() {
                let known = anchors(&files::text(&target));
                assert!(
                    known.contains(anchor),
                    "{}: no heading `#{anchor}` in `{path}`",
                    document.display()
                );
            }
        }
    }
}

#[test]
fn every_page_says_who_keeps_it_and_when_it_is_read_again() {
    let pages = files::below("docs");
    let pages = pages
        .iter()
        .filter(|page| page.extension().is_some_and(|end| end == "md"));
    for page in pages {
        let text = files::text(page);
        let header = text.lines().nth(2).unwrap_or_default();
        if let Err(fault) = reviewed(header) {
            panic!("{}: {fault}, got `{header}`", page.display());
        }
    }
}

/// Whether a page's third line is its header, with dates that can be kept.
fn reviewed(header: &str) -> Result<(), String> {
    let inner = header
        .strip_prefix('*')
        .and_then(|rest| rest.strip_suffix('*'));
    let parts: Vec<&str> = inner.unwrap_or_default().split(" · ").collect();
    let ["Version 1.0", owner, last, next] = parts[..] else {
        return Err(
            "its third line must be `*Version 1.0 · Owner: … · Last review … · Next review …*`"
                .into(),
        );
    };
    if owner.strip_prefix("Owner: ").is_none_or(str::is_empty) {
        return Err("it must name its owner".into());
    }
    let day = |text: &str, label: &str| -> Result<Date, String> {
        let date = text.strip_prefix(label).unwrap_or_default();
        date.parse()
            .map_err(|_| format!("`{label}` must have a date"))
    };
    let last = day(last, "Last review ")?;
    let days = day(next, "Next review ")?
        .since(last)
        .map_err(|error| error.to_string())?
        .get_days();
    if (1..=REVIEWED_WITHIN).contains(&days) {
        Ok(())
    } else {
        Err(format!(
            "its next review must be 1 to {REVIEWED_WITHIN} days after the last"
        ))
    }
}

#[test]
fn a_review_that_is_too_far_away_or_has_no_date_is_found() {
    let header = |last: &str, next: &str| {
        reviewed(&format!(
            "*Version 1.0 · Owner: engineering team · Last review {last} · Next review {next}*"
        ))
    };
    assert_eq!(header("2026-11-30", "2027-02-28"), Ok(()));
    assert_eq!(header("2026-11-30", "2027-03-10"), Ok(()));
    for (last, next) in [
        ("2026-11-30", "2027-03-11"),
        ("2026-11-30", "2026-11-30"),
        ("2026-11-31", "2027-02-28"),
        ("today", "2027-02-28"),
    ] {
        assert!(header(last, next).is_err(), "{last} to {next}");
    }
    assert!(reviewed("Some text").is_err());
}

/// A link's target, named from the repository's folder; `None` outside of it.
fn resolve(document: &Path, link: &str) -> Option<PathBuf> {
    if link.is_empty() {
        return Some(document.to_owned());
    }
    let mut target = document.parent()?.to_owned();
    for component in Path::new(link).components() {
        match component {
            Component::ParentDir => target.pop().then_some(())?,
            Component::Normal(name) => target.push(name),
            Component::CurDir => {}
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(target)
}

/// The anchors of a document's headings, as GitHub makes them.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    headings
        .map(|heading| slug(heading.trim_start_matches('#').trim()))
        .collect()
}

fn slug(heading: &str) -> String {
    let kept = heading.to_lowercase();
    let kept = kept
        .chars()
        .filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter));
    kept.map(|letter| if letter == ' ' { '-' } else { letter })
        .collect()
}

/// A document without its code, where brackets mean something else.
fn without_code(text: &str) -> String {
    let outside_fences: String = text.split("```").step_by(2).collect();
    outside_fences.split('`').step_by(2).collect()
}

#[test]
fn links_are_resolved_from_their_document() {
    let from = Path::new("docs/deploying.md");
    assert_eq!(resolve(from, "../README.md"), Some("README.md".into()));
    assert_eq!(
        resolve(from, "./runbooks.md"),
        Some("docs/runbooks.md".into())
    );
    assert_eq!(resolve(from, "../../elsewhere"), None);
    assert_eq!(resolve(from, "/etc/hosts"), None);
    assert_eq!(
        slug("What a `tick` does, in short"),
        "what-a-tick-does-in-short"
    );
    assert_eq!(slug("app_down"), "app_down");
}

#[test]
fn every_invariant_names_tests_that_there_are() {
    let architecture = files::text("ARCHITECTURE.md");
    let invariants = between(&architecture, "## Invariants", "\n## ")
        .next()
        .unwrap();
    let sources: String = files::ending(".rs").iter().map(files::text).collect();
    let named: BTreeSet<&str> = between(invariants, "`", "`")
        .filter(|name| name.matches('_').count() >= 3)
        .collect();
    assert!(named.len() > 15, "{named:?}");
    for name in named {
        assert!(
            sources.contains(&format!("fn {name}(")),
            "there is no test {name}"
        );
    }
}

#[test]
fn every_rule_has_an_entry_that_starts_with_a_command() {
    let runbook = files::text("docs/runbooks.md");
    let entries: BTreeSet<&str> = runbook
        .lines()
        .filter_map(|line| line.strip_prefix("## "))
        .collect();
    let rules = rules();
    assert!(
        rules.len() > 10,
        "the catalogue of rules was not found: {rules:?}"
    );
    for rule in &rules {
        assert!(
            entries.contains(rule.as_str()),
            "docs/runbooks.md has no entry `## {rule}`"
        );
        let heading = format!("## {rule}\n");
        let entry = between(&runbook, &heading, "\n## ").next().unwrap();
        let first = entry.lines().find(|line| !line.trim().is_empty());
        assert_eq!(
            first,
            Some("```sh"),
            "the entry `{rule}` starts with a command to run"
        );
    }
    let known = |entry: &&&str| {
        entry
            .bytes()
            .all(|byte| byte == b'_' || byte.is_ascii_lowercase())
    };
    for entry in entries.iter().filter(known) {
        assert!(
            rules.contains(*entry),
            "docs/runbooks.md explains `{entry}`, which no rule is"
        );
    }
}

/// The rules that the migrations put into the catalogue.
fn rules() -> BTreeSet<String> {
    files::text("migrations/seeds/rules.sql")
        .lines()
        .filter_map(|line| line.trim().strip_prefix("('")?.split('\'').next())
        .map(str::to_owned)
        .collect()
}
