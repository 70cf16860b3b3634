//! `pourtrait backup export`: a backup as a file that needs nothing of ours.

use std::{io, path::Path};

use anyhow::Context;
use backup::export::{Conduct, Export as Opened};
use serde_json::json;
use tokio::{
    fs::File,
    io::{AsyncWriteExt, BufWriter},
};

use super::{
    arguments::{Export, Format},
    choice,
    private_place::refuse_shared,
    repository::{Repository, identities},
};
use crate::environment::Environment;
use terminal::{
    failure::{Misuse, Verdict},
    output::{self, Output},
    private_file,
};

pub(super) async fn run(
    options: &Export,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    if output.json && options.output.is_none() {
        let both = "--json needs --output: the script itself goes to standard output";
        return Err(Misuse(both.into()).into());
    }
    if options.strict && matches!(options.format, Format::Directory) {
        let theirs =
            "--strict is of scripts: pg_restore has --exit-on-error and --single-transaction";
        return Err(Misuse(theirs.into()).into());
    }
    if let Some(path) = &options.output {
        refuse_shared(path, "a whole database in the clear")?;
    }
    let selection = options.choice.selection(options.data_only)?;
    let repository = Repository::of(environment)?;
    let identities = identities(&options.key, environment)?;
    let snapshot = options.moment.find(&repository, &options.snapshot).await?;
    output::note(&format!("exporting {}", snapshot.snapshot));
    let export = Opened::open(&repository.store, &snapshot, &identities).await?;
    let chosen = export.choose(&selection);
    let chosen = chosen.map_err(|unknown| Misuse(unknown.to_string()))?;
    choice::tell(&chosen);
    let conduct = if options.strict {
        Conduct::Strict
    } else {
        Conduct::Lenient
    };
    match (options.format, &options.output) {
        (Format::Sql, None) => {
            let mut stdout = BufWriter::new(tokio::io::stdout());
            export.write(&chosen, conduct, &mut stdout).await?;
            return Ok(Verdict::Good);
        }
        (Format::Sql, Some(path)) => {
            let file = create(path).with_context(|| format!("cannot make {}", path.display()))?;
            let mut file = BufWriter::new(file);
            export.write(&chosen, conduct, &mut file).await?;
            file.shutdown().await?;
        }
        (Format::Directory, path) => {
            let folder = path.as_deref().context("a folder needs --output")?;
            private_file::create_folder(folder)
                .with_context(|| format!("cannot make {}", folder.display()))?;
            let create = |name: &str| create(&folder.join(name));
            export.write_directory(&chosen, create).await?;
        }
    }
    let path = options.output.as_deref().unwrap_or(Path::new(""));
    output.result(
        &json!({ "backup": snapshot.snapshot, "file": path }),
        &format!("written to {}", path.display()),
    );
    Ok(Verdict::Good)
}

/// What is written holds everything in the clear, so it is its owner's alone.
fn create(path: &Path) -> io::Result<File> {
    private_file::create(path).map(File::from_std)
}
