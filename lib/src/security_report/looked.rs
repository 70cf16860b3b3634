//! What is looked at outside: what a deployment answers everybody, what the provider's advisors
//! say, since when variables are as they are, and the newest backup. Each by itself: what could
//! not be looked at takes nothing else along.

use std::{collections::BTreeMap, sync::Arc};

use backup::{keys::Recipients, store::Store};
use futures_util::join;
use jiff::Timestamp;
use outside::{
    clock::{self, Deadline},
    outbound::Outbound,
};
use serde::Serialize;
use tokio::time::timeout;

use super::places::{self, Place, Verified};
use crate::{
    config::Config,
    platforms::supabase::advisors::{Advice, Advisor},
    verification::{
        subject::{Project, Subject},
        transport::{Transport, transport},
    },
};

const LATE: &str = "it took longer than there is time";

/// What was looked at, or why it was not.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Looked {
    /// When.
    pub at: Timestamp,
    /// TLS and headers, as seen from outside.
    pub transport: Result<Transport, String>,
    /// The provider's advisors.
    pub advice: Result<Vec<Advice>, String>,
    /// When each variable of the deployment was changed last.
    pub variables: Result<BTreeMap<String, Timestamp>, String>,
    /// Where things lie.
    pub places: Vec<Place>,
}

/// Where backups lie, as far as there are any.
#[derive(Debug)]
pub enum Backups {
    /// None are configured here.
    Absent,
    /// They cannot be read, for that reason.
    Unreadable(String),
    /// There.
    In(Store),
}

/// Looks at everything within a time.
pub async fn look(
    config: &Config,
    outbound: &Arc<Outbound>,
    backups: &Backups,
    deadline: Deadline,
) -> Looked {
    let (transport, advice, variables, kept) = join!(
        Box::pin(seen(config, outbound, deadline)),
        Box::pin(within(deadline, advice(config, outbound))),
        Box::pin(within(deadline, variables(config, outbound))),
        Box::pin(kept(config, backups, deadline)),
    );
    Looked {
        at: clock::now(),
        transport,
        advice,
        variables,
        places: places::configured(config).into_iter().chain(kept).collect(),
    }
}

async fn within<T>(
    deadline: Deadline,
    work: impl Future<Output = Result<T, String>>,
) -> Result<T, String> {
    let done = timeout(deadline.remaining(), work).await;
    done.unwrap_or_else(|_| Err(LATE.to_owned()))
}

async fn seen(
    config: &Config,
    outbound: &Arc<Outbound>,
    deadline: Deadline,
) -> Result<Transport, String> {
    let Some(url) = config.base_url.clone() else {
        return Err("BASE_URL is not set here".to_owned());
    };
    let subject = Subject::new(url, Project::Ops, config, Arc::clone(outbound));
    let seen = within(deadline, async { Ok(transport(&subject, deadline).await) }).await?;
    if seen.headers.is_empty() {
        let reasons = seen.unreached.join("; ");
        return Err(format!("{} cannot be reached: {reasons}", seen.url));
    }
    Ok(seen)
}

async fn advice(config: &Config, outbound: &Arc<Outbound>) -> Result<Vec<Advice>, String> {
    let platforms = &config.platforms;
    let management = platforms.management(outbound);
    let Some((management, project)) = management.zip(platforms.supabase_project.as_deref()) else {
        return Err("SUPABASE_ACCESS_TOKEN or the project's reference is not set here".to_owned());
    };
    let mut all = Vec::new();
    for advisor in Advisor::ALL {
        let advice = management.advice(project, advisor).await;
        all.extend(advice.map_err(|error| format!("Supabase {error}"))?);
    }
    Ok(all)
}

async fn variables(
    config: &Config,
    outbound: &Arc<Outbound>,
) -> Result<BTreeMap<String, Timestamp>, String> {
    let platforms = &config.platforms;
    let vercel = platforms.vercel(outbound);
    let Some((vercel, project)) = vercel.zip(platforms.own_project.as_deref()) else {
        return Err("VERCEL_TOKEN or VERCEL_PROJECT_ID is not set here".to_owned());
    };
    let listed = vercel.variables(project).await;
    let listed = listed.map_err(|error| format!("Vercel {error}"))?;
    let of_production = listed
        .into_iter()
        .filter(|variable| variable.target.iter().any(|target| target == "production"));
    Ok(of_production
        .filter_map(|variable| {
            let changed = Timestamp::from_millisecond(variable.updated_at?).ok()?;
            Some((variable.key, changed))
        })
        .collect())
}

async fn kept(config: &Config, backups: &Backups, deadline: Deadline) -> Option<Place> {
    let unread = |reason: String| Place {
        name: "backups".to_owned(),
        holds: "everything that the database holds",
        by: "this bundle, before they leave it (age, X25519)",
        key: "public keys of whoever may restore; the private ones are not here",
        verified: Verified::Not(reason),
    };
    match backups {
        Backups::Absent => None,
        Backups::Unreadable(reason) => Some(unread(reason.clone())),
        Backups::In(store) => {
            let ours = config.backup.as_ref();
            let ours = ours.and_then(|backup| Recipients::parse(&backup.recipients).ok());
            let looked = async { Ok(places::backups(store, ours.as_ref()).await) };
            Some(within(deadline, looked).await.unwrap_or_else(unread))
        }
    }
}
