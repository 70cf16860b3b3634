//! Every endpoint and method, and who is let in. A test knocks with each proof.

use http::Method;

use crate::{auth::METRICS, endpoint::Endpoint};

/// Somebody who calls, by what they have to prove themselves with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// Nothing.
    Nothing,
    /// `CRON_SECRET`.
    CronSecret,
    /// `MONITORING_API_KEY`.
    OperatorKey,
    /// `METRICS_TOKEN`.
    MetricsToken,
    /// A link that stood in a message.
    Link,
    /// The token of a heartbeat.
    HeartbeatToken,
    /// A project key of the door.
    ProjectKey,
    /// A token of somebody who has no role.
    User,
    /// A token of a viewer.
    Viewer,
    /// A token of a responder.
    Responder,
    /// A token of an admin.
    Admin,
}

use Proof::{
    Admin, CronSecret, HeartbeatToken, Link, MetricsToken, Nothing, OperatorKey, ProjectKey,
    Responder, User, Viewer,
};

/// A method of an endpoint.
#[derive(Debug)]
pub struct Door {
    /// Whose.
    pub endpoint: Endpoint,
    /// Where: the endpoint's own path, or one that is rewritten to it and lets others in.
    pub path: &'static str,
    /// How it is called.
    pub method: Method,
    /// With which proofs one is let in. Everybody else is refused.
    pub may: &'static [Proof],
}

impl Proof {
    /// Every proof, the one that opens least first.
    pub const ALL: [Self; 11] = [
        Nothing,
        Link,
        HeartbeatToken,
        ProjectKey,
        MetricsToken,
        CronSecret,
        User,
        Viewer,
        Responder,
        Admin,
        OperatorKey,
    ];

    /// What documents call it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Nothing => "nobody",
            CronSecret => "clock",
            OperatorKey => "operator",
            MetricsToken => "scraper",
            Link => "link",
            HeartbeatToken => "heartbeat",
            ProjectKey => "project key",
            User => "user",
            Viewer => "viewer",
            Responder => "responder",
            Admin => "admin",
        }
    }

    /// What is sent.
    #[must_use]
    pub fn what(self) -> &'static str {
        match self {
            Nothing => "no proof at all",
            CronSecret => "`CRON_SECRET` as a bearer",
            OperatorKey => "`MONITORING_API_KEY` as a bearer",
            MetricsToken => "`METRICS_TOKEN` as a bearer",
            Link => "a signed link of a message",
            HeartbeatToken => "the token of a heartbeat",
            ProjectKey => "a project key of the door",
            User => "the token of somebody who is signed in and has no role",
            Viewer => "the same of a viewer, by token or cookie",
            Responder => "the same of a responder",
            Admin => "the same of an admin",
        }
    }
}

/// Whoever needs no proof; whoever sends one as a bearer has to be an operator.
const ANYBODY: &[Proof] = &[Nothing, Link, HeartbeatToken, ProjectKey, OperatorKey];

/// The same at the pages' own door, where a bearer has to be of somebody who is signed in.
const NEWCOMERS: &[Proof] = &[
    Nothing,
    Link,
    HeartbeatToken,
    ProjectKey,
    User,
    Viewer,
    Responder,
    Admin,
    OperatorKey,
];

const STARTERS: &[Proof] = &[CronSecret, OperatorKey];
const READERS: &[Proof] = &[Viewer, Responder, Admin, OperatorKey];
const SCRAPERS: &[Proof] = &[MetricsToken, Viewer, Responder, Admin, OperatorKey];
const SIGNED_IN: &[Proof] = &[User, Viewer, Responder, Admin, OperatorKey];
const ANSWERERS: &[Proof] = &[Link, Responder, Admin, OperatorKey];

/// A door at the endpoint's own path.
fn door(endpoint: Endpoint, method: Method, may: &'static [Proof]) -> Door {
    Door {
        endpoint,
        path: endpoint.spec().path,
        method,
        may,
    }
}

/// The table.
#[must_use]
pub fn all() -> Vec<Door> {
    let metrics = |method| Door {
        path: METRICS,
        ..door(Endpoint::Dashboard, method, SCRAPERS)
    };
    vec![
        door(Endpoint::Health, Method::GET, ANYBODY),
        door(Endpoint::Health, Method::HEAD, ANYBODY),
        door(Endpoint::Dashboard, Method::GET, READERS),
        door(Endpoint::Dashboard, Method::HEAD, READERS),
        metrics(Method::GET),
        metrics(Method::HEAD),
        door(Endpoint::Monitor, Method::GET, STARTERS),
        door(Endpoint::Dispatch, Method::GET, STARTERS),
        door(Endpoint::Dispatch, Method::POST, &[OperatorKey]),
        door(Endpoint::Acknowledge, Method::GET, &[Link]),
        door(Endpoint::Acknowledge, Method::HEAD, &[Link]),
        door(Endpoint::Acknowledge, Method::POST, ANSWERERS),
        door(Endpoint::Backup, Method::GET, STARTERS),
        door(Endpoint::Maintenance, Method::GET, STARTERS),
        door(Endpoint::Heartbeat, Method::GET, &[HeartbeatToken]),
        door(Endpoint::Heartbeat, Method::HEAD, &[HeartbeatToken]),
        door(Endpoint::Heartbeat, Method::POST, &[HeartbeatToken]),
        door(Endpoint::Ingest, Method::POST, &[ProjectKey]),
        door(Endpoint::Ingest, Method::GET, ANYBODY),
        door(Endpoint::Ingest, Method::OPTIONS, ANYBODY),
        door(Endpoint::Account, Method::GET, SIGNED_IN),
        door(Endpoint::Account, Method::HEAD, SIGNED_IN),
        door(Endpoint::Account, Method::POST, NEWCOMERS),
        door(Endpoint::Status, Method::GET, ANYBODY),
        door(Endpoint::Status, Method::HEAD, ANYBODY),
        door(Endpoint::Status, Method::OPTIONS, ANYBODY),
        door(Endpoint::Status, Method::POST, ANYBODY),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::router;

    #[test]
    fn the_table_has_every_method_of_every_endpoint_and_no_other() {
        for endpoint in Endpoint::ALL {
            let mut answered = router::routes(endpoint).methods();
            let doors = all().into_iter();
            let mut listed: Vec<_> = doors
                .filter(|door| door.endpoint == endpoint && door.path == endpoint.spec().path)
                .map(|door| door.method)
                .collect();
            answered.sort_by_key(ToString::to_string);
            listed.sort_by_key(ToString::to_string);
            assert_eq!(listed, answered, "{endpoint:?}");
        }
    }
}
