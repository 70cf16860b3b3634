//! The built functions, spoken to as the platforms speak to them: by Vercel's
//! protocol over a Unix socket, and by an emulated runtime interface of AWS
//! Lambda. What is tested here is the process, from its start to its end.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on has failed"
)]

mod callers;
mod harness;
mod lambda;
mod limits;
mod logs;
mod reports;
mod vercel;
mod whole;

/// The binaries as cargo built them, by the name of their endpoint.
mod binary {
    pub(crate) const ACCOUNT: &str = env!("CARGO_BIN_EXE_account");
    pub(crate) const HEALTH: &str = env!("CARGO_BIN_EXE_health");
    pub(crate) const DASHBOARD: &str = env!("CARGO_BIN_EXE_monitoring_dashboard");
    pub(crate) const MONITOR: &str = env!("CARGO_BIN_EXE_cron_monitor");
    pub(crate) const DISPATCH: &str = env!("CARGO_BIN_EXE_alerts_dispatch");
    pub(crate) const BACKUP: &str = env!("CARGO_BIN_EXE_cron_backup");
    pub(crate) const MAINTENANCE: &str = env!("CARGO_BIN_EXE_cron_maintenance");
}
