//! The local env file: read, and changed without losing a line of it. It holds secrets, so
//! nobody else may read it, and whoever reads meanwhile has the old one or the new one.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use terminal::env_file::{self, Variables};

use super::made::{beside, write_private};

/// What a new file begins with.
const HEADING: &str = "\
# Written by `pourtrait setup`. It holds secrets: keep it out of repositories and chats.
# Every variable is explained in docs/configuration.md.
";

/// The file, as it is now.
#[derive(Debug)]
pub(super) struct LocalFile {
    path: PathBuf,
    text: String,
    /// What it assigns.
    pub(super) variables: Variables,
}

impl LocalFile {
    /// Reads it; one that is not there holds nothing.
    pub(super) fn read(path: &Path) -> anyhow::Result<Self> {
        if !path.exists() {
            return Ok(Self {
                path: path.to_owned(),
                text: String::new(),
                variables: Variables::new(),
            });
        }
        let variables = env_file::read(path)?;
        // A link goes on leading to the file.
        let path = path.canonicalize()?;
        let text = fs::read_to_string(&path)?;
        Ok(Self {
            path,
            text,
            variables,
        })
    }

    /// Writes what is new into it. Fails before anything is changed where the file would
    /// not be read back so.
    pub(super) fn write(&self, new: &Variables) -> anyhow::Result<()> {
        if new.is_empty() && self.is_private() {
            return Ok(());
        }
        let text = merged(&self.text, new);
        let mut expected = self.variables.clone();
        expected.extend(new.clone());
        if env_file::parse(&text).ok().as_ref() != Some(&expected) {
            bail!(
                "{} is written in a way that cannot be added to: move it away and run this again with --answers and its new name",
                self.path.display()
            );
        }
        self.replace(&text)
            .with_context(|| format!("cannot write {}", self.path.display()))
    }

    #[cfg(unix)]
    fn is_private(&self) -> bool {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(&self.path).map(|file| file.permissions().mode());
        mode.is_ok_and(|mode| mode % 0o100 == 0)
    }

    #[cfg(not(unix))]
    fn is_private(&self) -> bool {
        self.path.exists()
    }

    fn replace(&self, text: &str) -> std::io::Result<()> {
        let fresh = beside(&self.path);
        write_private(&fresh, text)?;
        fs::rename(&fresh, &self.path)
    }
}

/// The text with new values: in the place of an assignment that is a line, else at the end,
/// where the last one counts.
fn merged(text: &str, new: &Variables) -> String {
    let mut left = new.clone();
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines() {
        match assigned(line).and_then(|name| left.remove_entry(&name)) {
            Some((name, value)) => {
                lines.push(env_file::assignment(&name, &value).trim_end().to_owned());
            }
            None => lines.push(line.to_owned()),
        }
    }
    let mut merged = if text.is_empty() {
        HEADING.to_owned()
    } else {
        lines.join("\n") + "\n"
    };
    for (name, value) in left {
        merged.push_str(&env_file::assignment(&name, &value));
    }
    merged
}

/// The variable that a line assigns by itself.
fn assigned(line: &str) -> Option<String> {
    let variables = env_file::parse(line).ok()?;
    let mut names = variables.into_keys();
    let name = names.next()?;
    names.next().is_none().then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> Variables {
        let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn a_line_keeps_its_place_and_comments_stay() {
        let text = "# Callers\nCRON_SECRET=\n\nexport B=old # why\nC='x'";
        let new = variables(&[("CRON_SECRET", "it's"), ("B", "new"), ("D", "4")]);
        assert_eq!(
            merged(text, &new),
            "# Callers\nCRON_SECRET='it'\\''s'\n\nB='new'\nC='x'\nD='4'\n"
        );
        assert!(merged("", &new).starts_with("# Written by"));
    }

    #[test]
    fn a_value_over_several_lines_is_overruled_and_not_cut() {
        let text = "A='one\nB=two'\n";
        let merged = merged(text, &variables(&[("A", "x")]));
        assert_eq!(env_file::parse(&merged), Ok(variables(&[("A", "x")])));
    }

    #[cfg(unix)]
    #[test]
    fn what_was_open_to_others_is_private_afterwards() {
        use std::os::unix::fs::PermissionsExt;
        let path = std::env::temp_dir().join(format!("setup-{}.env", uuid::Uuid::new_v4()));
        fs::write(&path, "A=1\n").unwrap();
        let open = fs::Permissions::from_mode(0o644);
        fs::set_permissions(&path, open).unwrap();
        let file = LocalFile::read(&path).unwrap();
        file.write(&Variables::new()).unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_to_string(&path).unwrap(), "A=1\n");
        fs::remove_file(&path).unwrap();
    }
}
