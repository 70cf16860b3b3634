//! The steps of a validation: each is one program, run in the repository's folder.

use std::{
    ffi::OsString,
    io,
    path::Path,
    process::{Command, Stdio},
};

use clap::ValueEnum;
use serde::Serialize;

/// One step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Step {
    /// The code is formatted
    Format,
    /// The compiler's and Clippy's warnings
    Lint,
    /// Every test
    Tests,
    /// Vercel's build, and what would be published
    Build,
    /// Known holes in dependencies
    Advisories,
    /// `pourtrait check`
    Configuration,
    /// `pourtrait migrate plan`
    Plan,
}

/// What the steps are about that ask this program itself.
pub(super) struct Target<'a> {
    /// This program.
    pub(super) itself: &'a Path,
    /// Where variables are read from.
    pub(super) env_file: Option<&'a Path>,
}

impl Step {
    /// In the order in which they run: what is told soonest comes first.
    pub(super) const ALL: [Self; 7] = [
        Self::Format,
        Self::Configuration,
        Self::Plan,
        Self::Advisories,
        Self::Lint,
        Self::Tests,
        Self::Build,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Format => "format",
            Self::Lint => "lint",
            Self::Tests => "tests",
            Self::Build => "build",
            Self::Advisories => "advisories",
            Self::Configuration => "configuration",
            Self::Plan => "plan",
        }
    }

    /// The program, and what it is called with.
    fn words(self, target: &Target) -> Vec<OsString> {
        let plain = |line: &str| line.split(' ').map(OsString::from).collect();
        let itself = |line: &str| {
            let mut words: Vec<OsString> = vec![target.itself.into()];
            words.extend(line.split(' ').map(OsString::from));
            if let Some(file) = target.env_file {
                words.extend(["--env-file".into(), file.into()]);
            }
            words
        };
        match self {
            Self::Format => plain("cargo fmt --all --check"),
            Self::Lint => plain("cargo clippy --locked --workspace --all-targets -- -D warnings"),
            Self::Tests => plain("cargo test --locked"),
            Self::Build => plain(".ci/vercel-build"),
            Self::Advisories => plain("cargo deny check advisories"),
            Self::Configuration => itself("check"),
            Self::Plan => itself("migrate plan"),
        }
    }

    /// As somebody would type it.
    pub(super) fn line(self, target: &Target) -> String {
        let words = self.words(target);
        let words: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
        words.join(" ")
    }

    /// Runs it; whether it passed. What it says goes to standard error.
    pub(super) fn run(self, target: &Target) -> io::Result<bool> {
        let words = self.words(target);
        let (program, arguments) = words
            .split_first()
            .ok_or_else(|| io::Error::other("it names no program"))?;
        let status = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::from(io::stderr()))
            .status()?;
        Ok(status.success())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_runs_once() {
        for step in Step::value_variants() {
            let runs = Step::ALL.iter().filter(|known| *known == step).count();
            assert_eq!(runs, 1, "{}", step.name());
        }
    }

    #[test]
    fn what_asks_this_program_asks_the_source_that_was_named() {
        let target = Target {
            itself: Path::new("pourtrait"),
            env_file: Some(Path::new("other.env")),
        };
        assert_eq!(
            Step::Plan.line(&target),
            "pourtrait migrate plan --env-file other.env"
        );
        assert_eq!(Step::Format.line(&target), "cargo fmt --all --check");
    }

    #[test]
    fn a_step_passes_or_fails_as_its_program_says() {
        for (program, passes) in [("true", true), ("false", false)] {
            let target = Target {
                itself: Path::new(program),
                env_file: None,
            };
            assert_eq!(Step::Configuration.run(&target).unwrap(), passes);
        }
        let absent = Target {
            itself: Path::new("./no-such-program"),
            env_file: None,
        };
        assert!(Step::Plan.run(&absent).is_err());
    }
}
