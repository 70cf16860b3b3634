//! What a restore leaves out: whoever was erased after its backup was taken.

use std::collections::BTreeSet;

use backup::{erasures, format::Snapshot, keys::Identities, store::Store};
use jiff::SignedDuration;
use ops::privacy::{
    Person,
    erasure::{self, Order},
    files,
    ways::Ways,
};
use outside::database;
use secrecy::SecretString;

use terminal::output;

/// An erasure is decided before it is done, and a backup may be taken between the two.
const BETWEEN: SignedDuration = SignedDuration::from_hours(24);

/// The numbers of everybody who was erased since a backup was taken.
pub(crate) async fn erased_since(
    store: &Store,
    snapshot: &Snapshot,
    identities: &Identities,
) -> anyhow::Result<BTreeSet<String>> {
    let since = snapshot.taken_at - BETWEEN;
    let erasures = erasures::since(store, since, identities).await?;
    Ok(erasures
        .iter()
        .map(|erasure| erasure.user.to_string())
        .collect())
}

/// Erases in a database whoever was erased since a backup of it was taken, and says whether all
/// of that could be done. Until it is, what was restored holds people who are gone.
pub(crate) async fn is_followed(
    store: &Store,
    snapshot: &Snapshot,
    identities: &Identities,
    into: &SecretString,
    ca: Option<&str>,
) -> bool {
    match follow(store, snapshot, identities, into, ca).await {
        Ok(0) => true,
        Ok(count) => {
            output::note(&format!(
                "{count} people who were erased since are erased here too"
            ));
            true
        }
        Err(error) => {
            output::note(&format!(
                "NOT WHOLE: people who were erased since may be in it, because their erasures could not be followed: {error:#}"
            ));
            false
        }
    }
}

async fn follow(
    store: &Store,
    snapshot: &Snapshot,
    identities: &Identities,
    into: &SecretString,
    ca: Option<&str>,
) -> anyhow::Result<usize> {
    let since = snapshot.taken_at - BETWEEN;
    let erasures = erasures::since(store, since, identities).await?;
    if erasures.is_empty() {
        return Ok(0);
    }
    let mut client = database::connect(into, ca).await?;
    for decided in &erasures {
        let ways = Ways::read(&client, &decided.delete).await?;
        let person = Person::find(&client, decided.user).await?;
        let order = Order {
            id: decided.id,
            person: &person,
            subject: &decided.subject,
            subscriber: None,
            decided_at: decided.decided_at,
            by: "restore",
        };
        erasure::erase(&mut client, &order, &ways).await?;
        files::forget_rows(&mut client, &person).await?;
    }
    Ok(erasures.len())
}
