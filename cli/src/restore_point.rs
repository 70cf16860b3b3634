//! A restore point of the provider's, taken before the schema of a project is changed.

use std::time::Duration;

use anyhow::Context;
use jiff::Timestamp;
use ops::platforms::supabase::{Management, backups::RestorePoint};
use outside::{outbound::Outbound, secure_url};
use terminal::output;
use url::Url;
use uuid::Uuid;

use crate::environment::Environment;

/// How long it may take until it can be gone back to.
const PATIENCE: Duration = Duration::from_secs(60);

/// Takes one where there are a token, a project and the feature, and says its name. What
/// stands in the way is an error, which names the flag that goes on without.
pub(crate) async fn take(
    environment: &Environment,
    database: &str,
    now: Timestamp,
) -> anyhow::Result<Option<String>> {
    let platforms = environment.config().platforms;
    let management = platforms.management(&Outbound::default().into());
    let (Some(management), Some(project)) = (management, platforms.supabase_project) else {
        return Ok(None);
    };
    if is_elsewhere(database, &management) {
        return Ok(None);
    }
    // The API takes at most 20 characters. Two within a second are two.
    let unique = Uuid::new_v4().as_u128() & 0xffff;
    let name = format!("migrate-{:x}{unique:04x}", now.as_second());
    output::note(&format!(
        "taking the restore point {name} of {project} at {}",
        management.api().host()
    ));
    let taken = management.restore_point(&project, &name, PATIENCE).await;
    let taken = taken.context(
        "no restore point was taken, so nothing was changed; \
         `pourtrait migrate apply --without-restore-point` goes on without one",
    )?;
    match taken {
        RestorePoint::Available => Ok(Some(name)),
        RestorePoint::Unsupported => {
            output::note("the project's plan has no restore points: going on without one");
            Ok(None)
        }
    }
}

/// A database of this machine is not the platform's project, unless the platform is played
/// here, too.
fn is_elsewhere(database: &str, management: &Management) -> bool {
    let is_local = |host: &str| {
        let url = Url::parse(&format!("https://{host}"));
        url.is_ok_and(|url| secure_url::is_loopback(&url))
    };
    is_local(database) && !is_local(&management.api().host())
}
