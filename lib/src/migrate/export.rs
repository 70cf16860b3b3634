//! The schema as files for `supabase db push`: names of fourteen digits, each
//! file recording itself in our ledger. The Supabase CLI's own ledger is the
//! CLI's to write.

use jiff::Timestamp;

use super::{
    exchange, ledger,
    schema::{Schema, TableFile},
};

/// What our files' names have after their digits.
const MARK: &str = "_pourtrait_ops_";

/// Quotes the set's texts. No text of ours contains it; a test holds that.
const QUOTE: &str = "$pourtrait$";

/// The files that a folder lacks, as name and text, in the order in which they
/// apply. Names follow everything that the folder has, because the Supabase CLI
/// refuses a file that sorts before one that it has applied. What was exported
/// before is left as it is.
#[must_use]
pub fn export(schema: &Schema, folder: &[String], now: Timestamp) -> Vec<(String, String)> {
    let mut folder = folder.to_vec();
    folder.sort();
    let present: Vec<&str> = folder.iter().filter_map(|name| ours(name)).collect();
    let mut lacking: Vec<(String, String)> = Vec::new();
    if !present.contains(&"ledger") {
        lacking.push(("ledger".to_owned(), ledger::MAKE.to_owned()));
    }
    for file in &schema.tables {
        let name = format!("{}_{}", file.version, file.name);
        if !present.contains(&name.as_str()) {
            lacking.push((name, tables(file)));
        }
    }
    let set = set_name(schema);
    let newest = present.iter().rfind(|name| name.starts_with("functions_"));
    if newest != Some(&set.as_str()) {
        lacking.push((set, functions(schema)));
    }
    let first = first_version(&folder, now);
    lacking
        .into_iter()
        .zip(first..)
        .map(|((name, sql), version)| (format!("{version}{MARK}{name}.sql"), sql))
        .collect()
}

/// What a file of ours is of, from its name.
fn ours(name: &str) -> Option<&str> {
    let (digits, rest) = name.split_once(MARK)?;
    let is_ours = digits.len() == 14 && digits.bytes().all(|byte| byte.is_ascii_digit());
    rest.strip_suffix(".sql").filter(|_| is_ours)
}

/// A set put back is exported anew, so its hash tells sets apart.
fn set_name(schema: &Schema) -> String {
    let hash = schema.set.sha256();
    format!("functions_{}_{}", schema.release, &hash[..12])
}

/// The time as fourteen digits, or one more than the last file's, whichever is
/// later.
fn first_version(folder: &[String], now: Timestamp) -> u64 {
    let now = now.strftime("%Y%m%d%H%M%S").to_string();
    let versions = folder
        .iter()
        .filter_map(|name| name.split_once('_')?.0.parse::<u64>().ok());
    let last = versions.max().unwrap_or_default();
    now.parse().unwrap_or(last + 1).max(last + 1)
}

fn tables(file: &TableFile) -> String {
    let literal = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let needs = file.needs().map_or("null".to_owned(), literal);
    format!(
        "{}
insert into ops.migrations (version, name, sha256, needs)
values ({}, {}, {}, {needs});

notify pgrst, 'reload schema';
",
        file.sql,
        literal(&file.version),
        literal(&file.name),
        literal(&file.sha256()),
    )
}

fn functions(schema: &Schema) -> String {
    let sources = serde_json::to_string(&schema.set.sources()).unwrap_or_default();
    let texts = schema.set.texts();
    let quoted: Vec<String> = texts
        .iter()
        .chain([&sources])
        .map(|text| format!("{QUOTE}{text}{QUOTE}"))
        .collect();
    format!(
        "{}
select pg_temp.exchange_functions(
    '{}',
    '{}',
    {}
);
",
        exchange::preparation(),
        schema.release,
        schema.set.sha256(),
        quoted.join(",\n    "),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-11-28T21:00:00Z".parse().unwrap()
    }

    fn names(files: &[(String, String)]) -> Vec<String> {
        files.iter().map(|(name, _)| name.clone()).collect()
    }

    #[test]
    fn a_folder_gets_what_it_lacks_after_what_it_has() {
        let schema = Schema::embedded();
        let first = export(&schema, &["20261128210007_app.sql".to_owned()], now());
        let exported = names(&first);
        assert_eq!(first.len(), schema.tables.len() + 2);
        assert_eq!(exported[0], "20261128210008_pourtrait_ops_ledger.sql");
        assert!(exported[1].starts_with("20261128210009_pourtrait_ops_0001_"));
        assert!(exported.is_sorted());

        assert_eq!(export(&schema, &exported, now()), []);
        let mut newer = schema.clone();
        newer.set.grants[0].sql.push_str("-- newer\n");
        let second = names(&export(&newer, &exported, now()));
        assert_eq!(second.len(), 1, "{second:?}");
        let all: Vec<_> = exported.into_iter().chain(second).collect();
        assert_eq!(
            export(&schema, &all, now()).len(),
            1,
            "a set put back is written anew"
        );
    }

    #[test]
    fn each_file_records_itself_and_none_the_cli() {
        let schema = Schema::embedded();
        let files = export(&schema, &[], now());
        for (file, table) in files[1..].iter().zip(&schema.tables) {
            assert!(file.1.starts_with(&table.sql));
            assert!(file.1.contains(&table.sha256()), "{}", file.0);
        }
        let (name, set) = files.last().unwrap();
        assert!(name.ends_with(&format!("_{}.sql", set_name(&schema))));
        assert!(set.contains(&schema.set.sha256()));
    }

    #[test]
    fn no_text_ends_its_own_quotes() {
        for text in Schema::embedded().set.texts() {
            assert!(!text.contains(QUOTE));
        }
    }
}
