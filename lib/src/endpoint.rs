//! The one table of endpoints.
//!
//! `vercel.json`, its variant for Hobby plans, the local server and the tests
//! all follow from it.

use std::time::Duration;

use http::Method;

/// Everything the platform and the edge need to know of an endpoint.
#[derive(Debug)]
pub struct Spec {
    /// Short name, used in logs and as the function's binary name.
    pub name: &'static str,
    /// Path on the deployed domain.
    pub path: &'static str,
    /// Source file of the function, relative to the repository.
    pub source: &'static str,
    /// Methods that are answered; any other gets 405 with `Allow`.
    pub methods: &'static [Method],
    /// Memory given to an instance, in MB.
    pub memory_mb: u32,
    /// When the platform kills an invocation, in seconds.
    pub max_duration_s: u32,
    /// Largest accepted request body, in bytes. The platform's own limit is
    /// 4.5 MB.
    pub body_limit: usize,
    /// The scheduled job behind the endpoint, if it is one.
    pub job: Option<Job>,
}

/// A job that the platform calls on a schedule.
#[derive(Debug, Clone, Copy)]
pub struct Job {
    /// Name in `ops.jobs` and in the job's runs.
    pub name: &'static str,
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
    /// `/api/monitoring/dashboard`: everything known, in one document.
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
}

/// Kept back from `max_duration_s` so that a function ends by itself: for the
/// last answer to be written and for reports to be flushed.
const RESERVE: Duration = Duration::from_secs(3);

static HEALTH: Spec = Spec {
    name: "health",
    path: "/api/health",
    source: "api/health.rs",
    methods: &[Method::GET, Method::HEAD],
    memory_mb: 512,
    max_duration_s: 10,
    body_limit: 0,
    job: None,
};

static DASHBOARD: Spec = Spec {
    name: "monitoring_dashboard",
    path: "/api/monitoring/dashboard",
    source: "api/monitoring/dashboard.rs",
    methods: &[Method::GET],
    memory_mb: 512,
    max_duration_s: 15,
    body_limit: 0,
    job: None,
};

static MONITOR: Spec = Spec {
    name: "cron_monitor",
    path: "/api/cron/monitor",
    source: "api/cron/monitor.rs",
    methods: &[Method::GET],
    memory_mb: 512,
    max_duration_s: 55,
    body_limit: 0,
    job: Some(Job {
        name: "monitor",
        every_s: 60,
        lease_s: 57,
        renewed_every_s: None,
        schedule: "* * * * *",
        daily_schedule: "0 6 * * *",
    }),
};

static DISPATCH: Spec = Spec {
    name: "alerts_dispatch",
    path: "/api/alerts/dispatch",
    source: "api/alerts/dispatch.rs",
    methods: &[Method::GET, Method::POST],
    memory_mb: 512,
    max_duration_s: 55,
    body_limit: 256 * 1024,
    job: Some(Job {
        name: "dispatch",
        every_s: 60,
        lease_s: 57,
        renewed_every_s: None,
        schedule: "* * * * *",
        daily_schedule: "5 6 * * *",
    }),
};

static ACKNOWLEDGE: Spec = Spec {
    name: "alerts_acknowledge",
    path: "/api/alerts/acknowledge",
    source: "api/alerts/acknowledge.rs",
    methods: &[Method::GET, Method::POST],
    memory_mb: 512,
    max_duration_s: 55,
    body_limit: 16 * 1024,
    job: None,
};

static BACKUP: Spec = Spec {
    name: "cron_backup",
    path: "/api/cron/backup",
    source: "api/cron/backup.rs",
    methods: &[Method::GET],
    memory_mb: 2048,
    max_duration_s: 300,
    body_limit: 0,
    job: Some(Job {
        name: "backup",
        every_s: 1800,
        lease_s: 90,
        renewed_every_s: Some(20),
        schedule: "*/30 * * * *",
        daily_schedule: "30 5 * * *",
    }),
};

static MAINTENANCE: Spec = Spec {
    name: "cron_maintenance",
    path: "/api/cron/maintenance",
    source: "api/cron/maintenance.rs",
    methods: &[Method::GET],
    memory_mb: 512,
    max_duration_s: 55,
    body_limit: 0,
    job: Some(Job {
        name: "maintenance",
        every_s: 600,
        lease_s: 57,
        renewed_every_s: None,
        schedule: "*/10 * * * *",
        daily_schedule: "10 6 * * *",
    }),
};

static HEARTBEAT: Spec = Spec {
    name: "heartbeat",
    path: "/api/heartbeat",
    source: "api/heartbeat.rs",
    methods: &[Method::GET, Method::HEAD, Method::POST],
    memory_mb: 512,
    max_duration_s: 10,
    body_limit: 0,
    job: None,
};

impl Endpoint {
    /// Every endpoint.
    pub const ALL: [Self; 8] = [
        Self::Health,
        Self::Dashboard,
        Self::Monitor,
        Self::Dispatch,
        Self::Acknowledge,
        Self::Backup,
        Self::Maintenance,
        Self::Heartbeat,
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
        }
    }

    /// The endpoint at a path of the deployed domain, rewrites included.
    #[must_use]
    pub fn at(path: &str) -> Option<Self> {
        let path = if path == "/health" { HEALTH.path } else { path };
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
