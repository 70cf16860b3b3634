//! The bundle's schema, which a release brings before it serves: the functions in force
//! bear its tables, and the way back is at hand before anything is applied.

use std::path::Path;

use anyhow::{Context, bail};
use ops::migrate::{Applied, Schema, SetInForce, Step};
use outside::database;
use terminal::{failure::Misuse, output};
use tokio_postgres::Client;

use super::repository;
use crate::environment::Environment;

/// What was applied, and what takes the functions back.
#[derive(Debug)]
pub(super) struct Migrated {
    pub(super) applied: Applied,
    /// The schema of what serves now, if its functions are others.
    pub(super) way_back: Option<Schema>,
}

/// Applies the schema of this build. `serving` is the commit of what serves now.
pub(super) async fn apply(
    environment: &Environment,
    folder: &Path,
    commit: &str,
    serving: Option<&str>,
    is_one_way: bool,
) -> anyhow::Result<Migrated> {
    let schema = Schema::embedded();
    let wanted = repository::schema(folder, commit).await?;
    if wanted.fingerprint() != schema.fingerprint() {
        return Err(Misuse(
            "this command was built from other migrations than the commit has: build it anew"
                .to_owned(),
        )
        .into());
    }
    let mut client = connect(environment).await?;
    let status = schema.status(&client).await?;
    if status.outgrows_functions() {
        bail!(
            "a pending table file needs newer functions than those in force, so that what serves \
             now would break: release what it names first, or run `pourtrait migrate` while calls \
             may wait"
        );
    }
    let way_back = match (&status.set, serving) {
        (Some(in_force), Some(serving)) => {
            let former = repository::schema(folder, serving).await;
            match former.and_then(|former| way_back(former, &schema, in_force)) {
                Ok(way_back) => way_back,
                Err(error) if is_one_way => {
                    output::note(&format!(
                        "NO WAY BACK for the database's functions: {error:#}"
                    ));
                    None
                }
                Err(error) => {
                    return Err(error).context(
                        "the functions of what serves now could not be put back (--one-way goes on)",
                    );
                }
            }
        }
        (None, _) => None,
        (Some(_), None) if is_one_way || !status.set_differs => None,
        (Some(_), None) => bail!(
            "the commit of what serves now is not known, so that its functions could not be put \
             back (--one-way goes on)"
        ),
    };
    let mut starting = |step: &Step| output::note(&format!("  applying {step}"));
    let applied = schema.apply(&mut client, &mut starting).await?;
    Ok(Migrated { applied, way_back })
}

/// Puts the functions back that served before.
pub(super) async fn go_back(environment: &Environment, former: &Schema) -> anyhow::Result<()> {
    let mut client = connect(environment).await?;
    let mut starting = |step: &Step| output::note(&format!("  applying {step}"));
    former.apply(&mut client, &mut starting).await?;
    Ok(())
}

/// The schema of what serves now, if it is one to go back to: proven to be in force, or
/// replaced by this build's already.
fn way_back(
    former: Schema,
    schema: &Schema,
    in_force: &SetInForce,
) -> anyhow::Result<Option<Schema>> {
    let (before, after) = (former.set.sha256(), schema.set.sha256());
    if before == after {
        return Ok(None);
    }
    if in_force.sha256 == before || in_force.sha256 == after {
        return Ok(Some(former));
    }
    bail!(
        "the functions in force are those of release {}, and not of the commit that serves",
        in_force.release
    )
}

async fn connect(environment: &Environment) -> anyhow::Result<Client> {
    let (url, ca) = environment.database()?;
    output::note(&format!("  database: {}", database::host(&url)?));
    Ok(database::connect(&url, ca.as_deref()).await?)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn only_what_is_in_force_or_was_just_replaced_is_a_way_back() {
        let of = |sql: &str| Schema::of_files("0.1.0", vec![("grants.sql".into(), sql.into())]);
        let in_force = |schema: &Schema| SetInForce {
            release: "0.1.0".to_owned(),
            sha256: schema.set.sha256(),
            since: String::new(),
            functions: BTreeMap::new(),
            sources: BTreeMap::new(),
        };
        let (former, new, other) = (of("a"), of("b"), of("c"));
        for (former, in_force, expected) in [
            (&former, in_force(&former), Some(Some(&former))),
            (&former, in_force(&new), Some(Some(&former))),
            (&former, in_force(&other), None),
            (&new, in_force(&new), Some(None)),
        ] {
            let found = way_back(former.clone(), &new, &in_force).ok();
            assert_eq!(found.as_ref().map(Option::as_ref), expected);
        }
    }
}
