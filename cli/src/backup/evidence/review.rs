//! `pourtrait backup evidence review`: somebody signs off the receipts of a time.

use anyhow::bail;
use backup::evidence::chain::{self, Stretch};
use ops::backups::{
    evidence::{ReviewEvidence, Signed},
    receipt_proof::Fault,
};
use serde_json::json;
use uuid::Uuid;

use super::{
    super::{arguments::Review, known_drills},
    in_store,
};
use crate::{environment::Environment, project::Project, times::to_the_minute};
use terminal::{
    failure::{Misuse, Verdict},
    output::{self, Output},
};

pub(super) async fn run(
    options: &Review,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    let by = options.by.trim();
    if by.is_empty() {
        return Err(Misuse("--by must be the name of whoever has reviewed it".to_owned()).into());
    }
    let project = Project::of(environment)?;
    project.show(environment);
    let read = in_store::read(environment, None).await?;
    refuse_faults(&read.proven.faults, environment).await?;
    let stretch = chain::stretch(&read.found(), options.from, options.to);
    if stretch.receipts == 0 {
        bail!("nothing is signed: there is no receipt of that time");
    }
    let said = said(options, &stretch);
    if !options.yes {
        output::note(&format!("would sign {said}"));
        output::note("nothing was done: say --yes");
        return Ok(Verdict::Good);
    }
    let call = ReviewEvidence {
        p_review: Signed {
            id: Uuid::new_v4(),
            from: options.from,
            to: options.to,
            by: by.to_owned(),
            note: options.note.clone(),
            receipts: stretch.receipts,
            first: stretch.first.clone(),
            last: stretch.last.clone(),
            root: stretch.root.clone(),
        },
    };
    let review = project.call(&call).await?;
    let text = format!(
        "{by} signed {said}\nThe audit log tells it now, and the next backup leaves its receipt in the store."
    );
    output.result(&json!(review), &text);
    Ok(Verdict::Good)
}

/// What is lost stays lost: once an operator has accepted it by its name, periods are signed again.
async fn refuse_faults(faults: &[Fault], environment: &Environment) -> anyhow::Result<()> {
    if faults.is_empty() {
        return Ok(());
    }
    let known = known_drills::known_soon(environment).await?;
    let accepted = known.map(|known| known.accepted).unwrap_or_default();
    let (known, unknown): (Vec<_>, Vec<_>) = faults
        .iter()
        .partition(|fault| accepted.contains(&fault.what));
    if let Some(fault) = unknown.first() {
        bail!(
            "nothing is signed: {} of the receipts are not as they should be, the first {}: {}; `pourtrait backup evidence --verify` tells all",
            unknown.len(),
            fault.what,
            fault.why
        );
    }
    for fault in known {
        output::note(&format!("accepted: {}: {}", fault.what, fault.why));
    }
    Ok(())
}

fn said(options: &Review, stretch: &Stretch) -> String {
    format!(
        "{} receipts from {} to {}, root {}",
        stretch.receipts,
        to_the_minute(options.from),
        to_the_minute(options.to),
        stretch.root
    )
}
