//! What has to hold before anything is built: the folder is as committed, and what its
//! owners check passes.

use std::{path::Path, time::Duration};

use serde_json::Value;

use super::program::Program;
use crate::traffic::Which;

/// How long one gate may take.
const LIMIT: Duration = Duration::from_secs(40 * 60);

/// Scripts of an app's `package.json` that are gates, where it has them. Its `build` is
/// none: `vercel build` runs that.
const SCRIPTS: [&str; 2] = ["lint", "test"];

/// The programs that have to succeed, in order.
pub(super) fn programs(which: Which, folder: &Path) -> Vec<Program> {
    match which {
        Which::App => {
            let manifest = std::fs::read_to_string(folder.join("package.json"));
            scripts(&manifest.unwrap_or_default())
                .into_iter()
                // Without it a test runner may wait for changes for ever.
                .map(|script| Program::new("npm", ["run", script], LIMIT).with("CI", "true"))
                .collect()
        }
        Which::Ops => [
            "fmt --all --check",
            "clippy --locked --all-targets -- -D warnings",
            "test --locked",
        ]
        .map(|line| Program::new("cargo", line.split(' '), LIMIT))
        .into(),
    }
}

/// Those of the scripts that a `package.json` has.
fn scripts(manifest: &str) -> Vec<&'static str> {
    let manifest: Value = serde_json::from_str(manifest).unwrap_or_default();
    let has = |script: &&str| manifest["scripts"][*script].is_string();
    SCRIPTS.into_iter().filter(has).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_scripts_that_are_there_are_gates() {
        for (manifest, expected) in [
            ("", vec![]),
            ("{}", vec![]),
            (
                r#"{"scripts": {"test": "vitest", "dev": "next dev"}}"#,
                vec!["test"],
            ),
            (
                r#"{"scripts": {"test": "vitest", "lint": "eslint ."}}"#,
                vec!["lint", "test"],
            ),
        ] {
            assert_eq!(scripts(manifest), expected, "{manifest}");
        }
    }
}
