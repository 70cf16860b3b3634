//! `pourtrait backup export`: a backup as a file that needs nothing of ours.

use std::path::Path;

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
    let Format::Sql = options.format;
    if output.json && options.output.is_none() {
        let both = "--json needs --output: the script itself goes to standard output";
        return Err(Misuse(both.into()).into());
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
    match &options.output {
        None => {
            let mut stdout = BufWriter::new(tokio::io::stdout());
            export.write(&chosen, conduct, &mut stdout).await?;
        }
        Some(path) => {
            let mut file = BufWriter::new(create(path)?);
            export.write(&chosen, conduct, &mut file).await?;
            file.shutdown().await?;
            let text = format!("written to {}", path.display());
            output.result(&json!({ "backup": snapshot.snapshot, "file": path }), &text);
        }
    }
    Ok(Verdict::Good)
}

/// The script holds everything in the clear, so it is its owner's alone.
fn create(path: &Path) -> anyhow::Result<File> {
    let file = private_file::create(path);
    let file = file.with_context(|| format!("cannot make {}", path.display()))?;
    Ok(File::from_std(file))
}
