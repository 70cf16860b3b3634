//! The one table of endpoints: what each is, and who may call it.
//!
//! `vercel.json`, its variant for Hobby plans, the local server and the tests
//! all follow from it. A [`Route`] names its callers as its type, so that no
//! handler can be bound to it that takes others, or none.

use std::{fmt, marker::PhantomData, time::Duration};

use http::Method;

use crate::{
    auth::{
        Answerer, DoorSender, HeartbeatToken, Link, METRICS, Newcomer, Operator, Reader, SignedIn,
        Starter, Visitor,
    },
    own_reports,
};

/// Everything the platform and the edge need to know of an endpoint.
#[derive(Debug)]
pub struct Spec {
    /// Short name, used in logs and as the function's binary name.
    pub name: &'static str,
    /// Path on the deployed domain.
    pub path: &'static str,
    /// Other paths that lead there, as `vercel.json` writes them.
    pub rewrites: &'static [&'static str],
    /// Source file of the function, relative to the repository.
    pub source: &'static str,
    /// Memory given to an instance, in MB.
    pub memory_mb: u32,
    /// When the platform kills an invocation, in seconds.
    pub max_duration_s: u32,
    /// Largest accepted request body, in bytes. The platform's own limit is
    /// 4.5 MB.
    pub body_limit: usize,
    /// The scheduled job behind the endpoint, if it is one.
    pub job: Option<Job>,
    /// Whether pages of any origin may call it and read what it answers.
    pub open_to_pages: bool,
    /// What keeps its callers from asking too much of it, beside the size of a
    /// body.
    pub limits: &'static [Limit],
}

/// A bound on what callers may ask of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Proofs that are wrong.
    WrongProofs,
    /// The probes behind answers that anybody may have.
    SharedReadings,
    /// The project's public keys, which a token makes us fetch.
    KeyFetches,
    /// Runs of the job behind the endpoint.
    OneRun,
    /// Alerts that one request raises.
    AlertsOfARequest,
    /// Uses of a link.
    OneUse,
    /// Items that a project key brings.
    ItemsOfAKey,
    /// Tries to sign in, and codes that are asked for.
    TriesToSignIn,
    /// Requests for a subscription.
    Subscriptions,
    /// Reports of our own pages.
    OwnReports,
}

impl Limit {
    /// Who is limited, and by what.
    #[must_use]
    pub fn rule(self) -> &'static str {
        match self {
            Self::WrongProofs => {
                "who sends wrong proofs: 30 a minute per client (an IPv4 address, or an IPv6 /64 \
                 network), then 429 with `Retry-After`; no proof does not count, and a right one \
                 is never refused"
            }
            Self::SharedReadings => {
                "anybody: any number of answers, from one set of probes in 5 seconds"
            }
            Self::KeyFetches => {
                "who sends a user's token: the project's public keys are fetched once in 10 seconds \
                 at most, and kept for 10 minutes"
            }
            Self::OneRun => "who may start a run: one at a time, else `skipped`",
            Self::AlertsOfARequest => {
                "who may raise alerts: 500 in a request; the answer says how many were left out"
            }
            Self::OneUse => "who holds a link: it acts once, until the time that stands in it",
            Self::ItemsOfAKey => {
                "who holds a project key: its items a minute and a day, then 429 with \
                 `Retry-After`; what is too much is counted and left out"
            }
            Self::TriesToSignIn => {
                "who tries to sign in: by network, by address and by browser, each with pauses \
                 that grow, then 429 with `Retry-After` (docs/sign-in.md)"
            }
            Self::Subscriptions => {
                "who asks for a subscription: 10 an hour per client and 300 in all, then 429; an \
                 address is asked to confirm once a day"
            }
            Self::OwnReports => {
                "a browser on a page of ours: 20 reports and 64 KB at once, 30 times an hour per \
                 client, then 429; 60 a minute and 2,000 a day in all"
            }
        }
    }

    /// Where it is counted.
    #[must_use]
    pub fn counted(self) -> &'static str {
        match self {
            Self::WrongProofs | Self::SharedReadings | Self::KeyFetches => "in each instance",
            Self::OneRun
            | Self::OneUse
            | Self::ItemsOfAKey
            | Self::TriesToSignIn
            | Self::Subscriptions
            | Self::OwnReports => "in the database",
            Self::AlertsOfARequest => "in the request",
        }
    }
}

/// A job that the platform calls on a schedule.
#[derive(Debug, Clone, Copy)]
pub struct Job {
    /// Name in `ops.jobs` and in the job's runs.
    pub name: &'static str,
    /// The endpoint whose function does it.
    pub endpoint: Endpoint,
    /// Seconds between two slots.
    pub every_s: u32,
    /// How long a run may hold the job before another may take over, in
    /// seconds: longer than the function can live unless it is renewed, shorter
    /// than its interval, so that the slot after a killed run is not lost.
    pub lease_s: u32,
    /// How often a run renews its lease while it works, in seconds; `None` where
    /// the lease outlives the function.
    pub renewed_every_s: Option<u32>,
    /// Cron expression in UTC.
    pub schedule: &'static str,
    /// Cron expression for plans that allow one call a day.
    pub daily_schedule: &'static str,
}

/// An endpoint of the bundle: one function each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// `/api/health`: is everything the app stands on working?
    Health,
    /// `/api/monitoring/dashboard`: everything known, in one document; `/api/metrics`: the
    /// same for scrapers.
    Dashboard,
    /// `/api/cron/monitor`: one tick of watching.
    Monitor,
    /// `/api/alerts/dispatch`: the outbox's worker, and the door for outside
    /// alerts.
    Dispatch,
    /// `/api/alerts/acknowledge`: what people do about alerts.
    Acknowledge,
    /// `/api/cron/backup`: one backup of the database.
    Backup,
    /// `/api/cron/maintenance`: rolls up what is past and deletes what is old.
    Maintenance,
    /// `/api/heartbeat`: a job reports that it started, succeeded or failed.
    Heartbeat,
    /// `/api/ingest`: the door for what apps and platforms send.
    Ingest,
    /// `/api/account`: people sign in and out.
    Account,
    /// `/api/status`: the public page, its feeds and subscriptions.
    Status,
}

/// Kept back from `max_duration_s` so that a function ends by itself: for the
/// last answer to be written and for reports to be flushed.
const RESERVE: Duration = Duration::from_secs(3);

impl Job {
    /// One tick of watching.
    pub const MONITOR: Self = Self {
        name: "monitor",
        endpoint: Endpoint::Monitor,
        every_s: 60,
        lease_s: 57,
        renewed_every_s: None,
        schedule: "* * * * *",
        daily_schedule: "0 6 * * *",
    };

    /// One delivery of the outbox.
    pub const DISPATCH: Self = Self {
        name: "dispatch",
        endpoint: Endpoint::Dispatch,
        every_s: 60,
        lease_s: 57,
        renewed_every_s: None,
        schedule: "* * * * *",
        daily_schedule: "5 6 * * *",
    };

    /// One backup of the database.
    pub const BACKUP: Self = Self {
        name: "backup",
        endpoint: Endpoint::Backup,
        every_s: 1800,
        lease_s: 90,
        renewed_every_s: Some(20),
        schedule: "*/30 * * * *",
        daily_schedule: "30 5 * * *",
    };

    /// One maintenance of what ticks saw.
    pub const MAINTENANCE: Self = Self {
        name: "maintenance",
        endpoint: Endpoint::Maintenance,
        every_s: 600,
        lease_s: 245,
        renewed_every_s: None,
        schedule: "*/10 * * * *",
        daily_schedule: "10 6 * * *",
    };
}

/// Methods of an endpoint that the same callers may call. Any method that no route
/// of an endpoint names gets 405 with `Allow`.
pub struct Route<C> {
    /// Which endpoint.
    pub endpoint: Endpoint,
    /// The methods that are answered.
    pub methods: &'static [Method],
    callers: PhantomData<fn() -> C>,
}

impl<C> Route<C> {
    const fn new(endpoint: Endpoint, methods: &'static [Method]) -> Self {
        Self {
            endpoint,
            methods,
            callers: PhantomData,
        }
    }
}

impl<C> fmt::Debug for Route<C> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let callers = std::any::type_name::<C>();
        write!(
            formatter,
            "{:?} {:?} for {callers}",
            self.endpoint, self.methods
        )
    }
}

/// Anybody may call. Whoever proves to be an operator sees more.
impl Route<Visitor> {
    /// Reads what works.
    pub const HEALTH: Self = Self::new(Endpoint::Health, &[Method::GET, Method::HEAD]);
}

/// The platform's scheduler, and operators who want a run right now.
impl Route<Starter> {
    /// Runs one tick.
    pub const MONITOR: Self = Self::new(Endpoint::Monitor, &[Method::GET]);
    /// Delivers what is due.
    pub const DELIVER: Self = Self::new(Endpoint::Dispatch, &[Method::GET]);
    /// Makes one backup.
    pub const BACKUP: Self = Self::new(Endpoint::Backup, &[Method::GET]);
    /// Runs the maintenance.
    pub const MAINTENANCE: Self = Self::new(Endpoint::Maintenance, &[Method::GET]);
}

/// Operators and CI.
impl Route<Operator> {
    /// Raises alerts, or resolves them.
    pub const RAISE: Self = Self::new(Endpoint::Dispatch, &[Method::POST]);
}

/// Operators, people whose role has the permission `dashboard.read` and, for its metrics
/// alone, scrapers.
impl Route<Reader> {
    /// Reads everything that is known.
    pub const DASHBOARD: Self = Self::new(Endpoint::Dashboard, &[Method::GET, Method::HEAD]);
}

/// Whoever holds a link that stood in a message.
impl Route<Link> {
    /// Shows what the link would do.
    pub const SHOW_LINK: Self = Self::new(Endpoint::Acknowledge, &[Method::GET, Method::HEAD]);
}

/// Whoever holds a link that stood in a message, by a form; operators and people whose role
/// has the permission `alerts.answer`, by JSON.
impl Route<Answerer> {
    /// Does one thing about an alert or an incident.
    pub const ANSWER: Self = Self::new(Endpoint::Acknowledge, &[Method::POST]);
}

/// Jobs, each by the token of its own heartbeat.
impl Route<HeartbeatToken> {
    /// Notes what a job reports.
    pub const HEARTBEAT: Self = Self::new(
        Endpoint::Heartbeat,
        &[Method::GET, Method::HEAD, Method::POST],
    );
}

/// Apps and platforms, by a project key, and browsers with reports of our own pages.
impl Route<DoorSender> {
    /// Takes what they send.
    pub const INGEST: Self = Self::new(Endpoint::Ingest, &[Method::POST]);
}

/// Browsers that ask what they may send, and platforms that ask whose the door is.
impl Route<Visitor> {
    /// Answers them.
    pub const DOOR: Self = Self::new(Endpoint::Ingest, &[Method::GET, Method::OPTIONS]);
}

/// Whoever is signed in, whatever they may do.
impl Route<SignedIn> {
    /// Says who it is.
    pub const WHO: Self = Self::new(Endpoint::Account, &[Method::GET, Method::HEAD]);
}

/// Anybody at a page of ours.
impl Route<Newcomer> {
    /// Signs in, stays signed in, signs out.
    pub const SIGN_IN: Self = Self::new(Endpoint::Account, &[Method::POST]);
}

/// Anybody.
impl Route<Visitor> {
    /// Shows the status page, in all of its forms.
    pub const STATUS: Self = Self::new(
        Endpoint::Status,
        &[Method::GET, Method::HEAD, Method::OPTIONS],
    );
    /// Asks for a subscription, confirms, changes or ends it.
    pub const SUBSCRIBE: Self = Self::new(Endpoint::Status, &[Method::POST]);
}

static HEALTH: Spec = Spec {
    name: "health",
    path: "/api/health",
    rewrites: &["/health"],
    source: "api/health.rs",
    memory_mb: 512,
    max_duration_s: 10,
    body_limit: 0,
    job: None,
    open_to_pages: false,
    limits: &[Limit::SharedReadings, Limit::WrongProofs],
};

static DASHBOARD: Spec = Spec {
    name: "monitoring_dashboard",
    path: "/api/monitoring/dashboard",
    rewrites: &[METRICS],
    source: "api/monitoring/dashboard.rs",
    memory_mb: 512,
    max_duration_s: 15,
    body_limit: 0,
    job: None,
    open_to_pages: false,
    limits: &[Limit::WrongProofs, Limit::KeyFetches],
};

static MONITOR: Spec = Spec {
    name: "cron_monitor",
    path: "/api/cron/monitor",
    rewrites: &[],
    source: "api/cron/monitor.rs",
    memory_mb: 512,
    max_duration_s: 55,
    body_limit: 0,
    job: Some(Job::MONITOR),
    open_to_pages: false,
    limits: &[Limit::OneRun, Limit::WrongProofs],
};

static DISPATCH: Spec = Spec {
    name: "alerts_dispatch",
    path: "/api/alerts/dispatch",
    rewrites: &[],
    source: "api/alerts/dispatch.rs",
    memory_mb: 512,
    max_duration_s: 55,
    body_limit: 256 * 1024,
    job: Some(Job::DISPATCH),
    open_to_pages: false,
    limits: &[Limit::OneRun, Limit::AlertsOfARequest, Limit::WrongProofs],
};

static ACKNOWLEDGE: Spec = Spec {
    name: "alerts_acknowledge",
    path: "/api/alerts/acknowledge",
    rewrites: &[],
    source: "api/alerts/acknowledge.rs",
    memory_mb: 512,
    max_duration_s: 55,
    body_limit: 16 * 1024,
    job: None,
    open_to_pages: false,
    limits: &[Limit::OneUse, Limit::WrongProofs, Limit::KeyFetches],
};

static BACKUP: Spec = Spec {
    name: "cron_backup",
    path: "/api/cron/backup",
    rewrites: &[],
    source: "api/cron/backup.rs",
    memory_mb: 2048,
    max_duration_s: 300,
    body_limit: 0,
    job: Some(Job::BACKUP),
    open_to_pages: false,
    limits: &[Limit::OneRun, Limit::WrongProofs],
};

static MAINTENANCE: Spec = Spec {
    name: "cron_maintenance",
    path: "/api/cron/maintenance",
    rewrites: &[],
    source: "api/cron/maintenance.rs",
    memory_mb: 512,
    max_duration_s: 240,
    body_limit: 0,
    job: Some(Job::MAINTENANCE),
    open_to_pages: false,
    limits: &[Limit::OneRun, Limit::WrongProofs],
};

static HEARTBEAT: Spec = Spec {
    name: "heartbeat",
    path: "/api/heartbeat",
    rewrites: &[],
    source: "api/heartbeat.rs",
    memory_mb: 512,
    max_duration_s: 10,
    body_limit: 0,
    job: None,
    open_to_pages: false,
    limits: &[Limit::WrongProofs],
};

static INGEST: Spec = Spec {
    name: "ingest",
    path: "/api/ingest",
    rewrites: &[
        r"/api/(\d+)/(envelope|store|security)",
        r"/api/(\d+)/(envelope|store|security)/",
        "/v1/(traces|logs|metrics)",
        "/api/drain/([^/]+)",
        own_reports::PATH,
    ],
    source: "api/ingest.rs",
    memory_mb: 512,
    max_duration_s: 10,
    body_limit: 1024 * 1024,
    job: None,
    open_to_pages: true,
    limits: &[Limit::ItemsOfAKey, Limit::OwnReports, Limit::WrongProofs],
};

static ACCOUNT: Spec = Spec {
    name: "account",
    path: "/api/account",
    rewrites: &[],
    source: "api/account.rs",
    memory_mb: 512,
    max_duration_s: 10,
    body_limit: 8 * 1024,
    job: None,
    open_to_pages: false,
    limits: &[Limit::TriesToSignIn, Limit::WrongProofs, Limit::KeyFetches],
};

static STATUS: Spec = Spec {
    name: "status",
    path: "/api/status",
    rewrites: &["/status", "/status/(.*)", "/api/v2/(.*)"],
    source: "api/status.rs",
    memory_mb: 512,
    max_duration_s: 10,
    body_limit: 16 * 1024,
    job: None,
    open_to_pages: false,
    limits: &[Limit::Subscriptions, Limit::WrongProofs],
};

/// Whether a path is one of the status page, or of the API that its readers know.
fn leads_to_the_page(path: &str) -> bool {
    path == "/status" || path.starts_with("/status/") || path.starts_with("/api/v2/")
}

/// Whether a path is one to which clients of others send by themselves: Sentry's to
/// `/api/PROJECT/envelope/`, those of OpenTelemetry to `/v1/traces`, drains to a path of ours.
fn leads_to_the_door(path: &str) -> bool {
    let parts: Vec<_> = path.split('/').collect();
    match parts.as_slice() {
        ["", "api", "drain", name] => !name.is_empty(),
        ["", "api", project, "envelope" | "store" | "security"]
        | ["", "api", project, "envelope" | "store" | "security", ""] => {
            !project.is_empty() && project.bytes().all(|digit| digit.is_ascii_digit())
        }
        ["", "v1", "traces" | "logs" | "metrics"] => true,
        _ => false,
    }
}

impl Endpoint {
    /// Every endpoint.
    pub const ALL: [Self; 11] = [
        Self::Health,
        Self::Dashboard,
        Self::Monitor,
        Self::Dispatch,
        Self::Acknowledge,
        Self::Backup,
        Self::Maintenance,
        Self::Heartbeat,
        Self::Ingest,
        Self::Account,
        Self::Status,
    ];

    /// The endpoint's row of the table.
    #[must_use]
    pub fn spec(self) -> &'static Spec {
        match self {
            Self::Health => &HEALTH,
            Self::Dashboard => &DASHBOARD,
            Self::Monitor => &MONITOR,
            Self::Dispatch => &DISPATCH,
            Self::Acknowledge => &ACKNOWLEDGE,
            Self::Backup => &BACKUP,
            Self::Maintenance => &MAINTENANCE,
            Self::Heartbeat => &HEARTBEAT,
            Self::Ingest => &INGEST,
            Self::Account => &ACCOUNT,
            Self::Status => &STATUS,
        }
    }

    /// The endpoint at a path of the deployed domain, by the rewrites of the table, which tests
    /// hold this to.
    #[must_use]
    pub fn at(path: &str) -> Option<Self> {
        let path = match path {
            "/health" => HEALTH.path,
            METRICS => DASHBOARD.path,
            own_reports::PATH => INGEST.path,
            path if leads_to_the_door(path) => INGEST.path,
            path if leads_to_the_page(path) => STATUS.path,
            path => path,
        };
        Self::ALL
            .into_iter()
            .find(|endpoint| endpoint.spec().path == path)
    }

    /// How long an invocation may work before it has to end by itself.
    #[must_use]
    pub fn time_budget(self) -> Duration {
        Duration::from_secs(u64::from(self.spec().max_duration_s)).saturating_sub(RESERVE)
    }
}
