//! Words that have no place in any file: what is unfinished, what holds on one
//! machine only, and what must not be known.

use crate::files;

/// Files whose text is written by tools, from sources that are not ours.
const GENERATED: [&str; 2] = ["Cargo.lock", "package-lock.json"];

/// Each in two parts, or this file would be the first to fail.
const UNWANTED: [(&str, &str, &str); 8] = [
    ("TO", "DO", "unfinished: do it or leave it out"),
    ("FIX", "ME", "unfinished: do it or leave it out"),
    ("XX", "X ", "unfinished: do it or leave it out"),
    ("dbg", "!(", "left over from debugging"),
    ("/Us", "ers/", "a path of one machine"),
    ("/ro", "ot/", "a path of one machine"),
    ("-----BEGIN ", "PRIVATE KEY", "a private key"),
    ("AGE-SECRET-", "KEY-1Q", "a private key"),
];

#[test]
fn no_file_holds_an_unwanted_word() {
    for file in files::below("") {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let Ok(text) = std::fs::read_to_string(files::root().join(&file)) else {
            continue;
        };
        if GENERATED.contains(&name.as_ref()) {
            continue;
        }
        for (start, end, reason) in UNWANTED {
            let word = format!("{start}{end}");
            assert!(
                !text.contains(&word),
                "{} holds `{word}`: {reason}",
                file.display()
            );
        }
    }
}

#[test]
fn dependencies_come_from_the_public_registries() {
    for lock in files::ending("package-lock.json") {
        let text = files::text(&lock);
        for origin in crate::documents::between(&text, "\"resolved\": \"", "\"") {
            assert!(
                origin.starts_with("https://registry.npmjs.org/"),
                "{}: {origin}",
                lock.display()
            );
        }
    }
    let text = files::text("Cargo.lock");
    for origin in crate::documents::between(&text, "source = \"", "\"") {
        assert_eq!(
            origin,
            "registry+https://github.com/rust-lang/crates.io-index"
        );
    }
}
