//! Blocks of the documents that are marked `sh run`, run as they stand there: each page's in one
//! shell, in order, in a folder like the repository's with a bundle's `dev.env` in it. So what a
//! step needs, a step before it has shown.

use std::{
    collections::BTreeMap,
    fmt::Write,
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

use dev::DevOptions;
use terminal::env_file;

use crate::{
    backup::with_identity,
    support::{Called, Folder, bundle},
};

const DOCS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs");

/// What separates the output of one block from that of the next.
const MARK: &str = "::block";

/// A block to run, and the lines that its output has to have, where `…` is anything.
#[derive(Debug, PartialEq, Eq, Default)]
struct Block {
    script: String,
    shown: Vec<String>,
}

/// The runnable blocks of a page, without their indentation.
fn blocks(page: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let Some((indent, kind)) = line.split_once("```") else {
            continue;
        };
        let body: Vec<String> = lines
            .by_ref()
            .take_while(|line| line.trim() != "```")
            .map(|line| line.strip_prefix(indent).unwrap_or(line).to_owned())
            .collect();
        match kind {
            "sh run" => blocks.push(Block {
                script: body.join("\n"),
                shown: Vec::new(),
            }),
            "text shown" => {
                let block = blocks.last_mut().unwrap();
                block.shown.extend(body);
            }
            _ => {}
        }
    }
    blocks
}

/// Whether a line is as expected: with the same words, where `…` stands for any.
fn is_like(line: &str, expected: &str) -> bool {
    let spaced = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let (line, expected) = (spaced(line), spaced(expected));
    let mut rest = line.as_str();
    for (nth, piece) in expected.split('…').map(str::trim).enumerate() {
        match rest.find(piece) {
            Some(at) if nth > 0 || at == 0 => rest = &rest[at + piece.len()..],
            _ => return false,
        }
    }
    expected.ends_with('…') || rest.is_empty()
}

/// The pages with something to run.
fn pages() -> Vec<PathBuf> {
    let mut folders = vec![PathBuf::from(DOCS)];
    let mut pages = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "md")
                && fs::read_to_string(&path).unwrap().contains("```sh run\n")
            {
                pages.push(path);
            }
        }
    }
    pages.sort();
    pages
}

/// A folder in which the commands of a page find what they name.
fn like_the_repository(env: &BTreeMap<String, String>) -> Folder {
    let folder = Folder::empty();
    symlink(DOCS, folder.path().join("docs")).unwrap();
    fs::create_dir(folder.path().join("bin")).unwrap();
    symlink(
        env!("CARGO_BIN_EXE_pourtrait"),
        folder.path().join("bin/pourtrait"),
    )
    .unwrap();
    fs::create_dir(folder.path().join(".pourtrait")).unwrap();
    let assignments: String = env
        .iter()
        .map(|(name, value)| env_file::assignment(name, value))
        .collect();
    fs::write(folder.path().join(".pourtrait/dev.env"), assignments).unwrap();
    folder
}

/// Runs all blocks in one shell, which ends at the first command that fails.
fn run(blocks: &[Block], folder: &Path, programs: &Path) -> Called {
    let mut script = String::from("exec 2>&1\nset -eu\n");
    for block in blocks {
        let _ = writeln!(script, "echo {MARK}\n{}", block.script);
    }
    #[expect(
        clippy::disallowed_methods,
        reason = "the shell finds programs as this test does"
    )]
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = [folder.join("bin"), programs.to_owned()];
    let path = std::env::join_paths(folders.into_iter().chain(std::env::split_paths(&path)));
    let output = Command::new("sh")
        .args(["-c", &script])
        .current_dir(folder)
        .env_clear()
        .env("PATH", path.unwrap())
        .env("USER", "anna")
        .output()
        .unwrap();
    output.into()
}

async fn check(page: &Path) {
    let blocks = blocks(&fs::read_to_string(page).unwrap());
    let (running, database) = bundle(DevOptions::default()).await;
    let folder = like_the_repository(&with_identity(&running));
    let psql = database.cluster().await.unwrap().program("psql").unwrap();
    let (page_name, scripts) = (page.display().to_string(), blocks.len());
    let (folder, blocks, called) = tokio::task::spawn_blocking(move || {
        let called = run(&blocks, folder.path(), psql.parent().unwrap());
        (folder, blocks, called)
    })
    .await
    .unwrap();
    assert_eq!(called.status, 0, "{page_name}:\n{}", called.stdout);
    let outputs: Vec<_> = called.stdout.split(MARK).skip(1).collect();
    assert_eq!(outputs.len(), scripts, "{page_name}");
    for (block, output) in blocks.iter().zip(outputs) {
        for expected in &block.shown {
            assert!(
                output.lines().any(|line| is_like(line, expected)),
                "{page_name}: no line `{expected}` after\n{}\n{output}",
                block.script
            );
        }
    }
    drop(folder);
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_runnable_block_runs_and_shows_what_its_page_says() {
    let pages = pages();
    assert!(pages.len() >= 8, "{pages:?}");
    for page in pages {
        check(&page).await;
    }
}

#[test]
fn blocks_are_found_with_what_they_show() {
    let page = "a\n```sh\nno\n```\n  ```sh run\n  one\n    two\n  ```\n\n  ```text shown\n  x … y\n  ```\n```text\nno\n```\n";
    assert_eq!(
        blocks(page),
        [Block {
            script: "one\n  two".to_owned(),
            shown: vec!["x … y".to_owned()],
        }]
    );
}

#[test]
fn a_line_is_as_expected_or_not() {
    for (line, expected, is) in [
        ("a  b", "a b", true),
        ("a b c", "a b", false),
        ("a b c", "a …", true),
        ("a b c", "… c", true),
        ("a b c", "… b …", true),
        ("a b c", "b …", false),
        ("100", "100", true),
        ("1001", "100", false),
    ] {
        assert_eq!(is_like(line, expected), is, "{line} / {expected}");
    }
}
