//! The files of the repository that follow from its code. `pourtrait docs` writes
//! them, and a test fails when one has drifted.

mod access;
mod header;
mod hobby;
mod index;
mod limits;
mod page;
mod write;

use std::path::Path;

use anyhow::Context;
use ops::{auth::roles, config::variables};

pub(crate) use write::run;

/// The repository that this build was made from.
pub(crate) const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// A file as it should be.
#[derive(Debug)]
pub(crate) struct File {
    /// Where, from the repository's root.
    pub(crate) path: &'static str,
    /// What.
    pub(crate) text: String,
}

/// Every such file.
pub(crate) fn files() -> anyhow::Result<Vec<File>> {
    let runbook = read("docs/runbooks.md")?;
    let style = style()?;
    Ok(vec![
        File {
            path: ".env.example",
            text: variables::env_example(),
        },
        File {
            path: "docs/configuration.md",
            text: header::below_title(&variables::markdown()) + &limits::markdown(),
        },
        File {
            path: "docs/access.md",
            text: header::below_title(&access::markdown()),
        },
        File {
            path: "public/runbook.html",
            text: page::render(&runbook, &style)?,
        },
        File {
            path: "public/index.html",
            text: page::wrap("Pourtrait Ops", index::ABOUT, &index::body(), &style),
        },
        File {
            path: "migrations/seeds/role_permissions.sql",
            text: roles::seed(),
        },
        File {
            path: "vercel.hobby.json",
            text: hobby::variant(&read("vercel.json")?)?,
        },
    ])
}

/// The path at which the pages' style sheet is served; its name holds a hash of what it says,
/// which the build of `web/` makes.
fn style() -> anyhow::Result<String> {
    let folder = Path::new(ROOT).join("public/assets");
    let names = std::fs::read_dir(&folder)
        .with_context(|| format!("cannot read {}", folder.display()))?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let found: Vec<String> = names.filter(|name| name.starts_with("style.")).collect();
    match &found[..] {
        [name] => Ok(format!("/assets/{name}")),
        _ => anyhow::bail!("public/assets must hold one style sheet, got {found:?}"),
    }
}

fn read(path: &str) -> anyhow::Result<String> {
    std::fs::read_to_string(Path::new(ROOT).join(path))
        .with_context(|| format!("cannot read {path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_file_has_drifted_from_the_code() {
        for File { path, text } in files().unwrap() {
            assert!(
                read(path).ok().as_deref() == Some(text.as_str()),
                "{path} has drifted: run `cargo run -p pourtrait -- docs`"
            );
        }
    }
}
