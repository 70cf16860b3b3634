//! Where a private key, or a whole database in the clear, must not lie: where
//! `git add` or a deployment would take it along, to a repository's readers or to the
//! machines that it has to be kept from.

use std::path::{Path, PathBuf};

use terminal::failure::Misuse;

/// What shows that a folder and all below it belong to a repository.
const REPOSITORIES: [&str; 4] = [".git", ".jj", ".hg", ".svn"];

/// What shows that a folder and all below it are uploaded by `vercel deploy`.
const DEPLOYED: [&str; 4] = [".vercel", "vercel.json", "vercel.ts", ".vercelignore"];

/// Refuses a path inside a repository's work tree, or under a folder that is
/// uploaded, wherever symbolic links lead. `private` says what would go there.
pub(crate) fn refuse_shared(path: &Path, private: &str) -> Result<(), Misuse> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let folder = folder
        .canonicalize()
        .map_err(|error| Misuse(format!("cannot write to {}: {error}", folder.display())))?;
    let holds = |folder: &Path, marks: &[&str]| marks.iter().any(|mark| folder.join(mark).exists());
    for above in folder.ancestors() {
        let what = if holds(above, &REPOSITORIES) {
            "a repository"
        } else if holds(above, &DEPLOYED) {
            "a folder that is deployed"
        } else {
            continue;
        };
        return Err(Misuse(format!(
            "{} lies in {}, which is {what}: {private} must not go along; \
             name a file outside of it, such as {}",
            path.display(),
            above.display(),
            elsewhere(path).display(),
        )));
    }
    Ok(())
}

/// A file of the same name in a home folder.
fn elsewhere(path: &Path) -> PathBuf {
    Path::new("~").join(path.file_name().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Folder(PathBuf);

    impl Folder {
        fn new() -> Self {
            let folder = std::env::temp_dir().join(format!("keygen-{}", uuid::Uuid::new_v4()));
            std::fs::create_dir_all(folder.join("a/b")).unwrap();
            Self(folder)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            std::fs::remove_dir_all(&self.0).unwrap();
        }
    }

    #[test]
    fn a_key_is_written_nowhere_below_a_repository_or_a_deployed_folder() {
        for mark in REPOSITORIES.iter().chain(&DEPLOYED) {
            let folder = Folder::new();
            let (above, below) = (folder.0.join("key.txt"), folder.0.join("a/b/key.txt"));
            assert!(refuse_shared(&below, "the key").is_ok(), "without {mark}");
            // A work tree of git's may have a file there instead of a folder.
            std::fs::write(folder.0.join("a").join(mark), "").unwrap();
            let Misuse(refused) = refuse_shared(&below, "the key").unwrap_err();
            assert!(refused.contains("the key must not go along"), "{refused}");
            assert!(refuse_shared(&above, "the key").is_ok(), "beside {mark}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_link_into_a_repository_is_followed() {
        let folder = Folder::new();
        std::fs::create_dir(folder.0.join("a/.git")).unwrap();
        let link = folder.0.join("link");
        std::os::unix::fs::symlink(folder.0.join("a/b"), &link).unwrap();
        assert!(refuse_shared(&link.join("key.txt"), "the key").is_err());
        assert!(refuse_shared(&folder.0.join("link/../key.txt"), "the key").is_err());
        let Misuse(refused) = refuse_shared(&folder.0.join("none/key.txt"), "the key").unwrap_err();
        assert!(refused.starts_with("cannot write to "), "{refused}");
    }
}
