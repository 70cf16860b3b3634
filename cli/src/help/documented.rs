//! Commands that documents tell people to type, held against the grammar.

use std::{fs, path::Path};

use super::typed::{understood, words};
use crate::docs::ROOT;

/// Every Markdown file of a folder and below it, and the README.
fn pages() -> Vec<std::path::PathBuf> {
    let mut folders = vec![Path::new(ROOT).join("docs")];
    let mut pages = vec![Path::new(ROOT).join("README.md")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "md") {
                pages.push(path);
            }
        }
    }
    pages
}

/// The commands `pourtrait …` in a page's blocks for a shell, each on a line of its own.
fn commands(page: &str) -> Vec<String> {
    let mut commands = Vec::new();
    let mut in_shell = false;
    let joined = page.replace("\\\n", " ");
    for line in joined.lines() {
        let line = line.trim_start();
        if let Some(language) = line.strip_prefix("```") {
            in_shell = !in_shell && language.split(' ').next() == Some("sh");
        } else if in_shell && line.starts_with("pourtrait ") {
            commands.push(line.to_owned());
        }
    }
    commands
}

#[test]
fn every_command_in_a_block_for_a_shell_is_understood() {
    let mut seen = 0;
    for page in pages() {
        for command in commands(&fs::read_to_string(&page).unwrap()) {
            // What a person has to fill in is not for the grammar.
            if command.contains('…') {
                continue;
            }
            seen += 1;
            if let Err(error) = understood(&words(&command)) {
                panic!("{}: {command}\n{error}", page.display());
            }
        }
    }
    assert!(seen > 60, "only {seen} commands were found");
}

#[test]
fn commands_are_found_where_a_shell_would_run_them() {
    let page = "pourtrait no\n```sh run\npourtrait a \\\n  b\necho no\n```\n```text\npourtrait no\n```\n  ```sh\n  pourtrait c\n  ```\n";
    let found: Vec<_> = commands(page).iter().map(|line| words(line)).collect();
    assert_eq!(found, [vec!["pourtrait", "a", "b"], vec!["pourtrait", "c"]]);
}
