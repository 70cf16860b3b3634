//! The tools, and what each packager calls them.

use std::path::Path;

use super::user;

/// The oldest major version of PostgreSQL that Supabase runs.
pub(super) const OLDEST: u32 = 15;

/// Something that this project runs and does not build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    /// PostgreSQL's server programs: of that major version, or of any that
    /// Supabase runs.
    Server {
        /// The version that made the data, if some are there.
        major: Option<u32>,
    },
    /// PostgreSQL's client programs, `psql` and `pg_dump`.
    Client,
    /// The program `age`, which opens backups without this project.
    Age,
    /// The program `zstd`, which does the same after it.
    Zstd,
    /// The extension `plpgsql_check`, which reads the bodies of functions.
    PlpgsqlCheck {
        /// The server's version.
        major: u32,
    },
}

impl Tool {
    /// What all tests together need.
    pub const FOR_TESTS: [Self; 4] = [
        Self::Server { major: None },
        Self::Client,
        Self::Age,
        Self::Zstd,
    ];

    fn name(self) -> String {
        match self {
            Self::Server { major: None } => {
                format!("the server of PostgreSQL {OLDEST} or newer")
            }
            Self::Server { major: Some(major) } => {
                format!("the server of PostgreSQL {major}, which made this data folder,")
            }
            Self::Client => "PostgreSQL's client".to_owned(),
            Self::Age => "age".to_owned(),
            Self::Zstd => "zstd".to_owned(),
            Self::PlpgsqlCheck { major } => format!("plpgsql_check for PostgreSQL {major}"),
        }
    }
}

/// The tools as a sentence lists them.
pub(super) fn listed(tools: &[Tool]) -> String {
    let names: Vec<String> = tools.iter().map(|tool| tool.name()).collect();
    match names.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// Whose packages a system has.
#[derive(Clone, Copy, Debug)]
pub(super) enum Packages {
    Debian,
    Fedora,
    Homebrew,
}

impl Packages {
    pub(super) fn of_this_system() -> Self {
        if cfg!(target_os = "macos") {
            Self::Homebrew
        } else if Path::new("/etc/debian_version").exists() {
            Self::Debian
        } else {
            Self::Fedora
        }
    }

    /// The package that holds the tool; Fedora has two for the server.
    pub(super) fn package(self, tool: Tool) -> String {
        match tool {
            Tool::Server { major } => match (self, major) {
                (Self::Debian, None) => "postgresql".to_owned(),
                (Self::Debian, Some(major)) => format!("postgresql-{major}"),
                (Self::Fedora, _) => "postgresql-server postgresql-contrib".to_owned(),
                (Self::Homebrew, major) => format!("postgresql@{}", major.unwrap_or(17)),
            },
            Tool::Client => match self {
                Self::Debian => "postgresql-client".to_owned(),
                Self::Fedora => "postgresql".to_owned(),
                Self::Homebrew => "libpq".to_owned(),
            },
            Tool::Age => "age".to_owned(),
            Tool::Zstd => "zstd".to_owned(),
            Tool::PlpgsqlCheck { major } => match self {
                Self::Debian => format!("postgresql-{major}-plpgsql-check"),
                Self::Fedora => format!("plpgsql_check_{major}"),
                Self::Homebrew => "plpgsql_check".to_owned(),
            },
        }
    }

    /// What a person types to install the tools.
    pub(super) fn command(self, tools: &[Tool]) -> String {
        let packages: Vec<String> = tools.iter().map(|tool| self.package(*tool)).collect();
        let packages = packages.join(" ");
        // Who cannot tell whether this is root is not.
        let sudo = if user::is_root().unwrap_or(false) {
            ""
        } else {
            "sudo "
        };
        match self {
            Self::Debian => format!("{sudo}apt-get install --yes {packages}"),
            Self::Fedora => format!("{sudo}dnf install --assumeyes {packages}"),
            Self::Homebrew => format!("brew install {packages}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_packager_s_command_names_every_tool() {
        for (packages, expected) in [
            (
                Packages::Debian,
                "apt-get install --yes postgresql postgresql-client age zstd",
            ),
            (
                Packages::Fedora,
                "dnf install --assumeyes postgresql-server postgresql-contrib postgresql age zstd",
            ),
            (
                Packages::Homebrew,
                "brew install postgresql@17 libpq age zstd",
            ),
        ] {
            let command = packages.command(&Tool::FOR_TESTS);
            assert!(command.ends_with(expected), "{command}");
        }
    }

    #[test]
    fn tools_are_listed_as_in_a_sentence() {
        assert_eq!(listed(&[Tool::Age]), "age");
        assert_eq!(listed(&[Tool::Age, Tool::Zstd]), "age and zstd");
        assert_eq!(
            listed(&[Tool::Client, Tool::Age, Tool::Zstd]),
            "PostgreSQL's client, age and zstd"
        );
    }
}
