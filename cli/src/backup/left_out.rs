//! What a backup does not hold, for people to read.

use std::fmt::Write;

use backup::schema::Exclusion;

use super::known_drills;
use crate::environment::Environment;

/// What an operator has accepted by its name, where there is a project to ask.
pub(super) async fn accepted(environment: &Environment, gaps: &[Exclusion]) -> Vec<String> {
    if gaps.is_empty() {
        return Vec::new();
    }
    let known = known_drills::known_soon(environment).await;
    known
        .ok()
        .flatten()
        .map(|known| known.accepted)
        .unwrap_or_default()
}

/// Gaps first: what of the app's is nowhere. Then what comes from elsewhere.
/// Each list begins with an empty line and a heading, and is absent when empty.
pub(super) fn text(gaps: &[Exclusion], excluded: &[Exclusion], accepted: &[String]) -> String {
    let mut text = String::new();
    for (heading, list) in [
        ("GAPS, which this backup cannot hold", gaps),
        ("Not covered", excluded),
    ] {
        if list.is_empty() {
            continue;
        }
        let _ = write!(text, "\n{heading}:\n");
        for Exclusion { what, why } in list {
            let mark = if accepted.contains(what) {
                " (accepted)"
            } else {
                ""
            };
            let _ = writeln!(text, "  {what}: {why}{mark}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_that_was_accepted_says_so() {
        let exclusion = |what: &str, why: &str| Exclusion {
            what: what.into(),
            why: why.into(),
        };
        let gaps = [exclusion("type a", "odd"), exclusion("type b", "odd")];
        assert_eq!(
            text(
                &gaps,
                &[exclusion("schema vault", "the platform's")],
                &["type b".into()]
            ),
            "\nGAPS, which this backup cannot hold:\n  type a: odd\n  type b: odd (accepted)\n\
             \nNot covered:\n  schema vault: the platform's\n"
        );
        assert_eq!(text(&[], &[], &[]), "");
    }
}
