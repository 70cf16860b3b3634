//! The source maps of a build: found below a folder, with the files that they are of.
//!
//! A built file names its map in its last lines, and need not have the map's name: with
//! Turbopack it has not. What no file names is taken for the map of the file whose name it
//! has.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

use uuid::Uuid;

use super::names;

/// How much of the end of a built file is read, in bytes.
const END: u64 = 4 * 1024;

/// Folders in which nothing lies that was built for being served: what was installed, and
/// what Next.js keeps for its next build.
const SKIPPED: [&str; 4] = ["node_modules", ".git", ".next/cache", ".next/dev"];

/// How many files of a folder are looked at.
const FILES: usize = 200_000;

/// A source map that was found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Found {
    /// Where it lies.
    pub(super) path: PathBuf,
    /// The built file that it is of; none where no frame could name it.
    pub(super) file: Option<String>,
    /// The id that the built file carries.
    pub(super) debug_id: Option<Uuid>,
}

/// Finds the source maps below folders, or single ones.
///
/// # Errors
/// What was named on the command line and cannot be looked at.
pub(super) fn find(paths: &[PathBuf], prefix: Option<&str>) -> Result<Vec<Found>, String> {
    let mut found = BTreeSet::new();
    for path in paths {
        let wrong = |error: std::io::Error| format!("{}: {error}", path.display());
        let path = fs::canonicalize(path).map_err(wrong)?;
        if path.is_dir() {
            let below = Folder {
                files: files(&path).map_err(wrong)?,
                path,
            };
            found.extend(below.maps(prefix));
        } else {
            let folder = path.parent().unwrap_or(&path).to_owned();
            let beside = fs::read_dir(&folder).map_err(wrong)?.flatten();
            let is_file = |entry: &fs::DirEntry| entry.file_type().is_ok_and(|it| it.is_file());
            let beside = beside.filter(is_file).map(|entry| entry.path());
            let below = Folder {
                files: beside
                    .filter(|file| is_built(file))
                    .chain([path.clone()])
                    .collect(),
                path: folder,
            };
            let maps = below.maps(prefix);
            found.extend(maps.into_iter().filter(|map| map.path == path));
        }
    }
    Ok(found.into_iter().collect())
}

/// A folder with the files below it.
struct Folder {
    path: PathBuf,
    files: BTreeSet<PathBuf>,
}

impl Folder {
    fn maps(&self, prefix: Option<&str>) -> Vec<Found> {
        let mut maps = Vec::new();
        let mut named = BTreeSet::new();
        for built in self.files.iter().filter(|file| is_built(file)) {
            let Some(end) = end(built) else { continue };
            let Some(map) = self.map_of(built, &end) else {
                continue;
            };
            let debug_id = after(&end, "# debugId=").and_then(|id| Uuid::parse_str(id).ok());
            named.insert(map.clone());
            maps.extend(self.found(map, built, prefix, debug_id));
        }
        for map in self.files.difference(&named) {
            let name = map.file_name().unwrap_or_default().to_string_lossy();
            let built = name.strip_suffix(".gz").unwrap_or(&name);
            if let Some(built) = built.strip_suffix(".map") {
                maps.extend(self.found(map.clone(), &map.with_file_name(built), prefix, None));
            }
        }
        maps
    }

    /// The map that a built file names, as long as it lies in the folder too.
    fn map_of(&self, built: &Path, end: &str) -> Option<PathBuf> {
        let url = names::decoded(after(end, "# sourceMappingURL=")?);
        let map = built.parent()?.join(url);
        let compressed = PathBuf::from(format!("{}.gz", map.display()));
        [map, compressed]
            .into_iter()
            .find(|map| self.files.contains(map))
    }

    fn found(
        &self,
        path: PathBuf,
        built: &Path,
        prefix: Option<&str>,
        debug_id: Option<Uuid>,
    ) -> Option<Found> {
        let below = built.strip_prefix(&self.path).ok()?.to_string_lossy();
        let whole = built.to_string_lossy();
        let file = match prefix {
            Some(prefix) => names::of_built(&format!("{}/{below}", prefix.trim_end_matches('/'))),
            None if whole.contains("/.next/") => names::of_built(&whole),
            None => names::of_built(&below),
        };
        Some(Found {
            path,
            file,
            debug_id,
        })
    }
}

/// The files below a folder. Links are not followed, for they may lead anywhere.
fn files(folder: &Path) -> std::io::Result<BTreeSet<PathBuf>> {
    let mut files = BTreeSet::new();
    let mut folders = vec![folder.to_owned()];
    let mut first = true;
    while let Some(folder) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if first => return Err(error),
            // What cannot be looked into is nothing that a server serves.
            Err(_) => continue,
        };
        first = false;
        for entry in entries.flatten() {
            let is = |kind: fn(&fs::FileType) -> bool| entry.file_type().is_ok_and(|it| kind(&it));
            let path = entry.path();
            if is(fs::FileType::is_dir) && !SKIPPED.iter().any(|skipped| path.ends_with(skipped)) {
                folders.push(path);
            } else if is(fs::FileType::is_file) && files.len() < FILES {
                files.insert(path);
            }
        }
    }
    Ok(files)
}

fn is_built(file: &Path) -> bool {
    let ending = file.extension().unwrap_or_default();
    ["js", "mjs", "cjs"].iter().any(|built| ending == *built)
}

/// The last lines of a file.
fn end(path: &Path) -> Option<String> {
    let mut file = File::open(path).ok()?;
    let length = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(END)))
        .ok()?;
    let mut end = Vec::new();
    file.take(END).read_to_end(&mut end).ok()?;
    Some(String::from_utf8_lossy(&end).into_owned())
}

/// The word that follows the last of those marks.
fn after<'a>(text: &'a str, mark: &str) -> Option<&'a str> {
    let (_, word) = text.rsplit_once(mark)?;
    word.split_whitespace().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "17531e93-d729-ba58-dffc-cc88bcc7a8b9";

    struct Build(PathBuf);

    impl Build {
        fn with(files: &[(&str, &str)]) -> Self {
            let name = format!("pourtrait-build-{}", Uuid::new_v4());
            let folder = fs::canonicalize(std::env::temp_dir()).unwrap().join(name);
            for (file, text) in files {
                let path = folder.join(file);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, text).unwrap();
            }
            Self(folder)
        }

        fn find(&self, path: &str, prefix: Option<&str>) -> Vec<(String, String, Option<Uuid>)> {
            let found = find(&[self.0.join(path)], prefix).unwrap();
            let map = |found: Found| {
                let path = found.path.strip_prefix(&self.0).unwrap();
                (
                    path.to_string_lossy().into_owned(),
                    found.file.unwrap_or_default(),
                    found.debug_id,
                )
            };
            found.into_iter().map(map).collect()
        }
    }

    impl Drop for Build {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).unwrap();
        }
    }

    fn found(path: &str, file: &str, id: Option<&str>) -> (String, String, Option<Uuid>) {
        (
            path.to_owned(),
            file.to_owned(),
            id.map(|id| id.parse().unwrap()),
        )
    }

    #[test]
    fn a_map_belongs_to_the_file_that_names_it_or_else_to_the_one_of_its_name() {
        let named = format!("x();\n//# debugId={ID}\n//# sourceMappingURL=%5Bmap%5D.js.map\n");
        let build = Build::with(&[
            (".next/static/chunks/app.js", &named),
            (".next/static/chunks/[map].js.map", ""),
            (".next/static/chunks/plain.js", "x()"),
            (".next/static/chunks/plain.js.map", ""),
            (".next/server/page.js", "//# sourceMappingURL=page.js.map"),
            (".next/server/page.js.map.gz", ""),
            (
                ".next/server/odd.js",
                "//# sourceMappingURL=data:application/json;base64,e30=",
            ),
            (".next/cache/old.js.map", ""),
            (".next/static/cache/page.js.map", ""),
            (".next/server/node_modules/a.js.map", ""),
            ("dist/app.js.map", ""),
        ]);
        let chunks = [
            found(
                ".next/static/chunks/[map].js.map",
                "~/_next/static/chunks/app.js",
                Some(ID),
            ),
            found(
                ".next/static/chunks/plain.js.map",
                "~/_next/static/chunks/plain.js",
                None,
            ),
        ];
        let server = found(
            ".next/server/page.js.map.gz",
            "~/_next/server/page.js",
            None,
        );
        let route = found(
            ".next/static/cache/page.js.map",
            "~/_next/static/cache/page.js",
            None,
        );
        let chunks = [&[route][..], &chunks].concat();
        assert_eq!(build.find(".next/static", None), chunks);
        assert_eq!(build.find(".next", None), [&[server][..], &chunks].concat());
        assert_eq!(
            build.find(".next/static/chunks/[map].js.map", None),
            chunks[1..2]
        );
        assert_eq!(
            build.find("dist", Some("~/assets/")),
            [found("dist/app.js.map", "~/assets/app.js", None)]
        );
        assert_eq!(
            build.find("dist/app.js.map", None),
            [found("dist/app.js.map", "~/app.js", None)]
        );
        assert!(find(&[build.0.join("absent")], None).is_err());
        let long = "x".repeat(300);
        assert_eq!(
            build.find("dist", Some(&long)),
            [found("dist/app.js.map", "", None)]
        );
    }

    #[test]
    fn links_are_not_followed_and_maps_outside_are_not_taken() {
        let build = Build::with(&[
            ("in/a.js", "//# sourceMappingURL=../out/a.js.map"),
            ("in/b.js", "//# sourceMappingURL=/etc/hostname"),
            ("out/a.js.map", ""),
        ]);
        #[cfg(unix)]
        std::os::unix::fs::symlink(build.0.join("out"), build.0.join("in/link")).unwrap();
        assert_eq!(build.find("in", None), []);
    }
}
