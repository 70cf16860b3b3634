//! Only `public/` is ever published. Without files there, the builder would
//! take the whole repository for static files, sources included.

use std::{fs, path::Path};

use sha2::{Digest, Sha256};

use crate::{configuration, documents, files};

#[test]
fn public_is_never_empty_and_the_build_stops_if_it_is() {
    let configuration = configuration::read();
    assert_eq!(configuration.output_directory, "public");
    assert!(!files::text("public/index.html").is_empty());
    // Without a build command the builder does not look whether the folder is
    // there, and publishes everything else instead.
    assert_eq!(
        configuration.build_command.as_deref(),
        Some("test -s public/index.html")
    );
}

#[test]
fn public_holds_pages_and_assets_alone() {
    for file in files::below("public") {
        let extension = file.extension().unwrap_or_default().to_string_lossy();
        assert!(
            [
                "html",
                "css",
                "js",
                "svg",
                "png",
                "ico",
                "txt",
                "webmanifest"
            ]
            .contains(&extension.as_ref()),
            "{} is published",
            file.display()
        );
        assert!(
            !fs::symlink_metadata(files::root().join(&file))
                .unwrap()
                .is_symlink(),
            "{}",
            file.display()
        );
    }
}

#[test]
fn an_asset_is_named_after_its_content() {
    let assets = files::below("public/assets");
    assert!(!assets.is_empty());
    for asset in assets {
        let digest = Sha256::digest(fs::read(files::root().join(&asset)).unwrap());
        let name = asset.file_name().unwrap().to_string_lossy();
        let named = name.split('.').nth(1).unwrap_or_default();
        let bytes: Vec<String> = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(
            named,
            bytes[..6].concat(),
            "{name} is kept for a year: rename it when it changes"
        );
    }
}

#[test]
fn what_a_page_links_to_is_served() {
    for page in files::below("public")
        .iter()
        .filter(|file| file.extension().is_some_and(|end| end == "html"))
    {
        let text = files::text(page);
        let links = documents::between(&text, "href=\"", "\"");
        for link in links.chain(documents::between(&text, "src=\"", "\"")) {
            let path = link.split('#').next().unwrap_or_default();
            if let Some(path) = path.strip_prefix('/') {
                assert!(is_served(path), "{} links to {link}", page.display());
            }
        }
    }
}

fn is_served(path: &str) -> bool {
    let file = if path.is_empty() { "index.html" } else { path };
    let rewritten = || {
        let rewrites = configuration::read().rewrites;
        let rewrite = rewrites
            .into_iter()
            .find(|rewrite| rewrite.source == format!("/{path}"));
        rewrite.is_some_and(|rewrite| is_file(rewrite.destination.trim_start_matches('/')))
    };
    is_file(file) || ops::endpoint::Endpoint::at(&format!("/{path}")).is_some() || rewritten()
}

fn is_file(path: &str) -> bool {
    files::root().join("public").join(Path::new(path)).is_file()
}

/// The patterns of a file that names what is ignored.
fn patterns(file: &str) -> Vec<String> {
    let lines = files::text(file);
    let patterns = lines
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with(['#', '!']));
    patterns.map(str::to_owned).collect()
}

#[test]
fn nothing_private_is_committed_or_uploaded() {
    let (committed, uploaded) = (patterns(".gitignore"), patterns(".vercelignore"));
    for pattern in &committed {
        assert!(uploaded.contains(pattern), "{pattern} would be uploaded");
    }
    for private in [
        "/.env",
        "/.env.*",
        "/.pourtrait",
        "*-identity*.txt",
        "*.age",
        "*.agekey",
        "*.key",
        "*.pem",
        "*.dump",
    ] {
        assert!(committed.contains(&private.to_owned()), "{private}");
    }
}
