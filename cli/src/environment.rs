//! Where a command's variables come from: one source, whole, never two merged.
//!
//! Half of production and half of a laptop would be the worst of both: a
//! command's target is what one source says, and it is shown before anything
//! is changed.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use ops::config::{Config, variables};
use secrecy::SecretString;
use terminal::{
    env_file::{self, Variables},
    failure::Misuse,
};

/// The variables that name a project. The process's environment counts as a
/// source if one of them is set there.
const NAMES_OF_A_PROJECT: [&str; 4] = [
    "SUPABASE_URL",
    "NEXT_PUBLIC_SUPABASE_URL",
    "DATABASE_URL",
    "BACKUP_URL",
];

/// Read if the environment names no project and no file is asked for.
const DEFAULT_FILES: [&str; 2] = [".env", ".pourtrait/dev.env"];

/// A process variable by name.
pub(crate) type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// One source of variables.
#[derive(Debug)]
pub(crate) struct Environment {
    origin: Origin,
}

#[derive(Debug)]
enum Origin {
    Process,
    File { path: PathBuf, variables: Variables },
}

impl Environment {
    /// The file that was asked for, else the process's environment if it names a
    /// project, else the first file that exists: `.env`, `.pourtrait/dev.env`.
    ///
    /// `Ok(None)` where there is none of them. Fails with [`Misuse`] if the chosen
    /// file cannot be read.
    pub(crate) fn choose(
        process: Lookup,
        asked_for: Option<&Path>,
        folder: &Path,
    ) -> anyhow::Result<Option<Self>> {
        if let Some(path) = asked_for {
            return Self::from_file(path).map(Some);
        }
        if named_by(process).is_some() {
            return Ok(Some(Self::process()));
        }
        DEFAULT_FILES
            .iter()
            .map(|file| folder.join(file))
            .find(|path| path.is_file())
            .map(|path| Self::from_file(&path))
            .transpose()
    }

    /// What one file says.
    pub(crate) fn from_file(path: &Path) -> anyhow::Result<Self> {
        Ok(Self {
            origin: Origin::File {
                path: path.to_owned(),
                variables: env_file::read(path)?,
            },
        })
    }

    /// Variables that are put together, and kept at that place.
    pub(crate) fn of_variables(path: &Path, variables: Variables) -> Self {
        Self {
            origin: Origin::File {
                path: path.to_owned(),
                variables,
            },
        }
    }

    /// The process's environment, whatever it holds.
    pub(crate) fn process() -> Self {
        Self {
            origin: Origin::Process,
        }
    }

    /// A variable; one that is blank counts as unset.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        let value = match &self.origin {
            Origin::Process => process_variable(name),
            Origin::File { variables, .. } => variables.get(name).cloned(),
        };
        value.filter(|value| !value.trim().is_empty())
    }

    /// Every variable of the bundle's that is set here.
    pub(crate) fn variables(&self) -> BTreeMap<String, String> {
        let documented = variables::all().map(|variable| variable.name.to_owned());
        documented
            .chain(self.config().check_variables.into_keys())
            .filter_map(|name| {
                let value = self.get(&name)?;
                Some((name, value))
            })
            .collect()
    }

    /// The bundle's configuration as this source has it.
    pub(crate) fn config(&self) -> Config {
        match &self.origin {
            Origin::Process => Config::from_process(),
            Origin::File { variables, .. } => {
                Config::from_lookup(&|name| self.get(name)).with_check_variables(variables.clone())
            }
        }
    }

    /// The direct session: `DATABASE_URL`, and what `DATABASE_CA` names.
    pub(crate) fn database(&self) -> anyhow::Result<(SecretString, Option<String>)> {
        let unset = || Misuse(format!("DATABASE_URL is not set in {}", self.origin()));
        let url = self.get("DATABASE_URL").ok_or_else(unset)?;
        Ok((url.trim().into(), self.get("DATABASE_CA")))
    }

    /// The source in words, for messages.
    pub(crate) fn origin(&self) -> String {
        match &self.origin {
            Origin::Process => "the environment".to_owned(),
            Origin::File { path, .. } => path.display().to_string(),
        }
    }
}

/// The process variable that makes the environment a source.
pub(crate) fn named_by(process: Lookup) -> Option<&'static str> {
    NAMES_OF_A_PROJECT
        .into_iter()
        .find(|name| process(name).is_some_and(|value| !value.trim().is_empty()))
}

/// A variable of the process.
#[expect(
    clippy::disallowed_methods,
    reason = "the command's one place: it chooses between the environment and a file"
)]
pub(crate) fn process_variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// What to say where there is no source at all.
pub(crate) fn nothing() -> anyhow::Error {
    Misuse(format!(
        "no project is named: {} are unset and neither {} exists here; \
         start `cargo dev`, or name a file with --env-file",
        NAMES_OF_A_PROJECT.join(", "),
        DEFAULT_FILES.join(" nor ")
    ))
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Folder(PathBuf);

    impl Folder {
        fn with(files: &[(&str, &str)]) -> Self {
            let folder = std::env::temp_dir().join(format!("env-{}", uuid::Uuid::new_v4()));
            std::fs::create_dir_all(folder.join(".pourtrait")).unwrap();
            for (name, text) in files {
                std::fs::write(folder.join(name), text).unwrap();
            }
            Self(folder)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            std::fs::remove_dir_all(&self.0).unwrap();
        }
    }

    const NOTHING: Lookup = &|_| None;

    fn chosen(process: Lookup, asked_for: Option<&str>, folder: &Folder) -> Option<Environment> {
        let asked_for = asked_for.map(|name| folder.0.join(name));
        Environment::choose(process, asked_for.as_deref(), &folder.0).unwrap()
    }

    #[test]
    fn what_was_asked_for_wins_then_the_environment_once_it_names_a_project() {
        let folder = Folder::with(&[(".env", "SUPABASE_URL=https://a.test"), ("other", "A=b")]);
        let other = folder.0.join("other").display().to_string();
        for name in NAMES_OF_A_PROJECT {
            let process = |wanted: &str| (wanted == name).then(|| "https://b.test".to_owned());
            let environment = chosen(&process, None, &folder).unwrap();
            assert_eq!(environment.origin(), "the environment");
            let environment = chosen(&process, Some("other"), &folder).unwrap();
            assert_eq!(environment.origin(), other, "{name}");
            assert_eq!(environment.get(name), None, "the two are not merged");
        }
        for (name, value) in [("SUPABASE_URL", " "), ("CRON_SECRET", "set")] {
            let process = |wanted: &str| (wanted == name).then(|| value.to_owned());
            let environment = chosen(&process, None, &folder).unwrap();
            assert_eq!(
                environment.origin(),
                folder.0.join(".env").display().to_string(),
                "{name}"
            );
        }
    }

    #[test]
    fn the_first_file_that_exists_counts_alone() {
        let all = [
            (".env", "B=2"),
            (".pourtrait/dev.env", "A=1\nB=1"),
            ("other", "C=3"),
        ];
        let folder = Folder::with(&all);
        let read = |environment: Environment| ["A", "B", "C"].map(|name| environment.get(name));
        let of = |value: &str| Some(value.to_owned());
        assert_eq!(
            read(chosen(NOTHING, Some("other"), &folder).unwrap()),
            [None, None, of("3")]
        );
        assert_eq!(
            read(chosen(NOTHING, None, &folder).unwrap()),
            [None, of("2"), None]
        );
        std::fs::remove_file(folder.0.join(".env")).unwrap();
        assert_eq!(
            read(chosen(NOTHING, None, &folder).unwrap()),
            [of("1"), of("1"), None]
        );
        std::fs::remove_file(folder.0.join(".pourtrait/dev.env")).unwrap();
        assert!(chosen(NOTHING, None, &folder).is_none());
    }

    #[test]
    fn a_file_that_was_asked_for_is_never_replaced_by_another() {
        let folder = Folder::with(&[(".env", "B=2"), ("broken", "A=b\nC = d")]);
        for (name, reason) in [("absent", "cannot read"), ("broken", "line 2")] {
            let error =
                Environment::choose(NOTHING, Some(&folder.0.join(name)), &folder.0).unwrap_err();
            assert!(error.is::<Misuse>());
            assert!(error.to_string().contains(reason), "{error}");
        }
    }
}
