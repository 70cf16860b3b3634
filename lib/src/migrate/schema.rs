//! The files of `migrations/`, as values.

use std::{collections::BTreeMap, path::Path};

use sha2::{Digest, Sha256};

use crate::{VERSION, hexadecimal::hexadecimal};

mod embedded {
    include!(concat!(env!("OUT_DIR"), "/migrations.rs"));
}

/// What a call that writes says before anything else, in the files.
const HOLD: &str = "ops.hold_functions()";

/// How a function's definition begins, at the start of a line.
const DEFINITION: &str = "create or replace function ";

/// Everything that one build brings to a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    /// The build's release, like `0.1.0`.
    pub release: String,
    /// Applied once each, in this order.
    pub tables: Vec<TableFile>,
    /// In force as a whole.
    pub set: FunctionSet,
}

/// One file of `migrations/tables/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableFile {
    /// Its number, like `0001`.
    pub version: String,
    /// What it is about.
    pub name: String,
    /// Its text.
    pub sql: String,
}

/// One file of the function set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its path below `migrations/`.
    pub path: String,
    /// Its text.
    pub sql: String,
}

/// Everything but tables, in the order in which it is put in place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionSet {
    /// Composite types that functions alone use.
    pub types: Vec<File>,
    /// Each function once.
    pub functions: Vec<File>,
    /// Triggers that call them.
    pub triggers: Vec<File>,
    /// Rows that must be there, never over an operator's own.
    pub seeds: Vec<File>,
    /// Who may call what.
    pub grants: Vec<File>,
}

impl Schema {
    /// What this build carries.
    #[must_use]
    pub fn embedded() -> Self {
        let files = |list: &[(&str, &str)]| list.iter().map(|file| File::of(*file)).collect();
        Self {
            release: VERSION.to_owned(),
            tables: embedded::TABLES
                .iter()
                .map(|file| TableFile::of(*file))
                .collect(),
            set: FunctionSet {
                types: files(embedded::TYPES),
                functions: files(embedded::FUNCTIONS),
                triggers: files(embedded::TRIGGERS),
                seeds: files(embedded::SEEDS),
                grants: files(embedded::GRANTS),
            },
        }
    }
}

impl Schema {
    /// What the files of a folder `migrations/` bring, by their paths below it.
    #[must_use]
    pub fn of_files(release: &str, mut files: Vec<(String, String)>) -> Self {
        // As the build lists them.
        files.sort_by(|(one, _), (other, _)| Path::new(one).cmp(Path::new(other)));
        let below = |place: &'static str| {
            let files = files
                .iter()
                .filter(move |(path, _)| path.starts_with(place));
            files.map(|(path, sql)| (path.as_str(), sql.as_str()))
        };
        let set = |place| below(place).map(File::of).collect();
        Self {
            release: release.to_owned(),
            tables: below("tables/").map(TableFile::of).collect(),
            set: FunctionSet {
                types: set("types.sql"),
                functions: set("functions/"),
                triggers: set("triggers.sql"),
                seeds: set("seeds/"),
                grants: set("grants.sql"),
            },
        }
    }

    /// SHA-256 over everything, in hexadecimal: two builds that agree in it make the
    /// same schema.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        for file in &self.tables {
            hash.update(file.path());
            hash.update(file.sha256());
        }
        hash.update(self.set.sha256());
        hexadecimal(&hash.finalize())
    }
}

impl TableFile {
    /// From its path below `migrations/` and its text.
    fn of((path, sql): (&str, &str)) -> Self {
        let name = path.rsplit('/').next().unwrap_or(path);
        let name = name.strip_suffix(".sql").unwrap_or(name);
        let (version, name) = name.split_once('_').unwrap_or((name, ""));
        Self {
            version: version.to_owned(),
            name: name.to_owned(),
            sql: sql.to_owned(),
        }
    }

    /// Its path below `migrations/`.
    #[must_use]
    pub fn path(&self) -> String {
        format!("tables/{}_{}.sql", self.version, self.name)
    }

    /// SHA-256 of its text, in hexadecimal.
    #[must_use]
    pub fn sha256(&self) -> String {
        hexadecimal(&Sha256::digest(&self.sql))
    }

    /// The oldest release whose functions bear these tables, from its line
    /// `-- needs: RELEASE`.
    #[must_use]
    pub fn needs(&self) -> Option<&str> {
        let mut lines = self.sql.lines();
        lines
            .find_map(|line| line.strip_prefix("-- needs:"))
            .map(str::trim)
    }
}

impl File {
    fn of((path, sql): (&str, &str)) -> Self {
        Self {
            path: path.to_owned(),
            sql: sql.to_owned(),
        }
    }
}

impl FunctionSet {
    /// Its parts in the order in which they are put in place.
    fn parts(&self) -> [&[File]; 5] {
        [
            &self.types,
            &self.functions,
            &self.triggers,
            &self.seeds,
            &self.grants,
        ]
    }

    /// SHA-256 over every path and text, in hexadecimal.
    #[must_use]
    pub fn sha256(&self) -> String {
        let mut hash = Sha256::new();
        for file in self.parts().into_iter().flatten() {
            for text in [&file.path, &file.sql] {
                hash.update(text.len().to_be_bytes());
                hash.update(text);
            }
        }
        hexadecimal(&hash.finalize())
    }

    /// The text of each part, as the server gets it: every call that writes
    /// names the set that it is of.
    pub(super) fn texts(&self) -> [String; 5] {
        let hold = format!("ops.hold_functions('{}')", self.sha256());
        self.parts().map(|files| {
            let texts: Vec<_> = files.iter().map(|file| file.sql.as_str()).collect();
            texts.join("\n").replace(HOLD, &hold)
        })
    }

    /// The file and the line at a position, counted in characters from one, of
    /// one of the [`texts`](Self::texts).
    pub(super) fn locate(&self, text: &str, position: usize) -> Option<(String, usize)> {
        let part = self.texts().iter().position(|part| part == text)?;
        let mut line = text
            .chars()
            .take(position)
            .filter(|character| *character == '\n')
            .count();
        for file in *self.parts().get(part)? {
            // One more parts the files.
            let lines = file.sql.matches('\n').count() + 1;
            if line < lines {
                return Some((file.path.clone(), line + 1));
            }
            line -= lines;
        }
        None
    }

    /// Every function's name with a digest of its text.
    #[must_use]
    pub fn sources(&self) -> BTreeMap<String, String> {
        let texts = self.functions.iter().map(|file| file.sql.as_str());
        texts.flat_map(definitions).collect()
    }
}

/// The functions that a text defines, each with a digest of what stands from
/// its first line to the next one's.
fn definitions(sql: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, Sha256)> = Vec::new();
    for line in sql.lines() {
        if let Some(rest) = line.strip_prefix(DEFINITION) {
            let name = rest.split('(').next().unwrap_or(rest).trim();
            found.push((name.to_owned(), Sha256::new()));
        }
        if let Some((_, digest)) = found.last_mut() {
            digest.update(line);
            digest.update("\n");
        }
    }
    found
        .into_iter()
        .map(|(name, digest)| (name, hexadecimal(&digest.finalize())))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, sql: &str) -> File {
        File::of((path, sql))
    }

    fn set() -> FunctionSet {
        FunctionSet {
            types: vec![file("types.sql", "")],
            functions: vec![
                file(
                    "functions/a.sql",
                    "create or replace function ops.a()\none\ntwo\n",
                ),
                file(
                    "functions/b.sql",
                    "-- B.\ncreate or replace function ops.b()\n;\ncreate or replace function ops.c(p_a text)\nperform ops.hold_functions();",
                ),
            ],
            triggers: vec![],
            seeds: vec![],
            grants: vec![file("grants.sql", "grant")],
        }
    }

    #[test]
    fn a_folder_brings_what_a_build_of_it_embeds() {
        let lists = [
            embedded::GRANTS,
            embedded::SEEDS,
            embedded::TRIGGERS,
            embedded::FUNCTIONS,
            embedded::TYPES,
            embedded::TABLES,
        ];
        let owned = |(path, sql): &(&str, &str)| ((*path).to_owned(), (*sql).to_owned());
        let files = lists.into_iter().flatten().rev().map(owned).collect();
        assert_eq!(Schema::of_files(VERSION, files), Schema::embedded());
    }

    #[test]
    fn a_table_file_says_which_release_it_needs() {
        let needs = |sql| {
            TableFile::of(("tables/0001_a_b.sql", sql))
                .needs()
                .map(str::to_owned)
        };
        assert_eq!(needs("select 1;"), None);
        assert_eq!(
            needs("-- A.\n-- needs: 0.2.0\nselect 1;"),
            Some("0.2.0".into())
        );
        assert_eq!(
            TableFile::of(("tables/0001_a_b.sql", "")).path(),
            "tables/0001_a_b.sql"
        );
    }

    #[test]
    fn a_set_is_another_when_any_file_is() {
        let mut moved = set();
        moved.functions[0].path = "functions/c.sql".into();
        let mut changed = set();
        changed.grants[0].sql.push(' ');
        for other in [moved, changed] {
            assert_ne!(other.sha256(), set().sha256());
        }
    }

    #[test]
    fn who_writes_names_its_set() {
        let texts = set().texts();
        let expected = format!("perform ops.hold_functions('{}');", set().sha256());
        assert!(texts[1].ends_with(&expected), "{texts:?}");
    }

    #[test]
    fn a_position_is_found_in_its_file() {
        let texts = set().texts();
        let check = |word: &str, path: &str, line| {
            let position = texts[1].find(word).unwrap() + 1;
            assert_eq!(set().locate(&texts[1], position), Some((path.into(), line)));
        };
        check("one", "functions/a.sql", 2);
        check("-- B.", "functions/b.sql", 1);
        check("perform", "functions/b.sql", 5);
        assert_eq!(set().locate("another text", 1), None);
    }

    #[test]
    fn each_function_has_a_digest_of_its_own() {
        let before = set().sources();
        assert_eq!(
            before.keys().collect::<Vec<_>>(),
            ["ops.a", "ops.b", "ops.c"]
        );
        let mut changed = set();
        changed.functions[1].sql = changed.functions[1]
            .sql
            .replace(";\ncreate", "; --\ncreate");
        let after = changed.sources();
        let differing: Vec<_> = before
            .keys()
            .filter(|name| before[*name] != after[*name])
            .collect();
        assert_eq!(differing, ["ops.b"]);
    }

    #[test]
    fn what_is_embedded_is_numbered_and_defines_each_function_once() {
        let schema = Schema::embedded();
        for (file, number) in schema.tables.iter().zip(1..) {
            assert_eq!(file.version, format!("{number:04}"), "{}", file.path());
            assert!(
                file.needs()
                    .is_none_or(|needs| super::super::release::Release::parse(needs).is_some())
            );
        }
        let mut names: Vec<_> = schema
            .set
            .functions
            .iter()
            .flat_map(|file| definitions(&file.sql))
            .map(|(name, _)| name)
            .collect();
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
