//! Verification of a deployment from outside: what the bundle promises is looked at where it
//! answers, by reading and by writes that have to be refused. Nothing is changed.
//!
//! [`subject`] says what is looked at and with which proofs; `questions` asks everything
//! once, in parallel; each file of `looks` judges one thing in what was answered, and reaches
//! out for nothing; [`report`] is the verdict, and
//! [`transport`] what of it an auditor compares. The command renders it, and a function can make
//! the same.

pub mod check_runs;
mod judgement;
mod look;
mod looks;
mod questions;
pub mod report;
mod seen;
pub mod subject;
pub mod transport;

use outside::clock::{self, Deadline};

use report::Report;
use subject::Subject;

/// Looks at a deployment.
pub async fn look_at(subject: &Subject, deadline: Deadline) -> Report {
    let seen = questions::ask(subject, clock::now(), deadline).await;
    let findings = looks::ALL
        .iter()
        .filter(|look| look.of.contains(&subject.project))
        .filter(|look| subject.looks_at(look.group))
        .map(|look| look.finding(&seen));
    Report {
        url: subject.url.clone(),
        project: subject.project,
        at: seen.now,
        findings: findings.collect(),
    }
}

/// The names of all looks, which the documentation explains one by one.
pub fn names() -> impl Iterator<Item = &'static str> {
    looks::ALL.iter().map(|look| look.name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_look_has_a_name_of_its_own_and_a_chapter() {
        let page = include_str!("../../../docs/verify.md");
        let names: Vec<_> = names().collect();
        let unique: BTreeSet<_> = names.iter().collect();
        assert_eq!(unique.len(), names.len());
        for name in names {
            assert!(page.contains(&format!("\n### {name}\n")), "{name}");
        }
    }
}
