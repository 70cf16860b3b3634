//! Embeds the folder `migrations/`: lists its files, so that adding one needs no
//! edit here or elsewhere, and refuses names that have no place.

use std::{
    env,
    error::Error,
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(&cargo_says("CARGO_MANIFEST_DIR")?).join("../migrations");
    let root = root.canonicalize()?;
    println!("cargo::rerun-if-changed={}", root.display());
    let mut code = String::new();
    for (constant, place) in [
        ("TABLES", "tables"),
        ("TYPES", "types.sql"),
        ("FUNCTIONS", "functions"),
        ("TRIGGERS", "triggers.sql"),
        ("SEEDS", "seeds"),
        ("GRANTS", "grants.sql"),
    ] {
        let files = files(&root.join(place))?;
        writeln!(code, "pub(super) const {constant}: &[(&str, &str)] = &[")?;
        for file in &files {
            let name = file.strip_prefix(&root)?.display().to_string();
            let file = file.display().to_string();
            writeln!(code, "    ({name:?}, include_str!({file:?})),")?;
        }
        writeln!(code, "];")?;
    }
    refuse_strays(&root)?;
    let folder = cargo_says("OUT_DIR")?;
    fs::write(Path::new(&folder).join("migrations.rs"), code)?;
    Ok(())
}

/// What Cargo says as it runs this, which is not where this was compiled: a checkout
/// may move and keep its target directory.
#[expect(
    clippy::disallowed_methods,
    reason = "Cargo speaks to a build script by variables"
)]
fn cargo_says(variable: &str) -> Result<String, env::VarError> {
    env::var(variable)
}

/// Every SQL file at or below a path, sorted.
fn files(path: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(path).map_err(|error| format!("{}: {error}", path.display()))? {
        found.extend(files(&entry?.path())?);
    }
    if let Some(stray) = found.iter().find(|file| !is_sql(file)) {
        return Err(format!("{} is no SQL file", stray.display()).into());
    }
    found.sort();
    Ok(found)
}

/// A file beside the folders would silently never be applied.
fn refuse_strays(root: &Path) -> Result<(), Box<dyn Error>> {
    let places = ["types.sql", "triggers.sql", "grants.sql"];
    for entry in fs::read_dir(root)? {
        let path = entry?.path();
        let is_placed = places.iter().any(|place| path.ends_with(place));
        if is_sql(&path) && !is_placed {
            return Err(format!("{} has no place in the layout", path.display()).into());
        }
    }
    Ok(())
}

fn is_sql(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "sql")
}
