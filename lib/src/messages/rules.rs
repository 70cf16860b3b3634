//! What each rule means in words. The database decides whether a rule fires; here it
//! only gets its sentences. Every id is also an entry of the runbook.
//!
//! A rule that this release does not know is worded from its facts alone, so
//! that a database which is ahead of its functions silences nobody.

mod channel_names;
mod failure_reasons;
mod resource_names;
mod rule_headlines;
mod service_names;

pub(super) use channel_names::name as channel_name;
pub(super) use failure_reasons::reason;
pub use rule_headlines::headline;

use super::message_facts::Facts;

/// A rule that may raise an alert or a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rule {
    /// A checked URL does not answer as it should.
    AppDown,
    /// The database or its API fails.
    DatabaseFailing,
    /// No page of the app is watched.
    PagesUnwatched,
    /// The app logged a critical error.
    CriticalError,
    /// A tick could not be committed.
    MonitoringBlind,
    /// More would be lost than may be.
    BackupRpoBreached,
    /// No tick was committed for a while.
    MonitoringGap,
    /// A run of the backup failed.
    BackupFailed,
    /// The newest backup is older than it should be.
    BackupOverdue,
    /// The newest backup may not hold what it should.
    BackupSuspect,
    /// A drill could not restore a backup whole.
    BackupDrillFailed,
    /// What lies in the store of a backup is not whole.
    BackupDamaged,
    /// The copy of the backups in another place is behind them.
    BackupReplicaBehind,
    /// A receipt of what was done with backups is missing or altered.
    BackupReceiptsBroken,
    /// The store deletes what it should lock.
    BackupLockOpen,
    /// No drill has reported for longer than it may take.
    BackupDrillOverdue,
    /// No backup was opened and read for long.
    BackupVerificationOverdue,
    /// The way back that needs nothing of ours was not tried for long.
    BackupRecoveryDrillOverdue,
    /// Drills take longer and longer.
    BackupRtoTrend,
    /// What backups rest on is not read again in time.
    BackupRereadBehind,
    /// The newest backup leaves something out that nobody has accepted.
    BackupGap,
    /// No archive of the application was taken for long, or none that held what it should.
    ApplicationArchiveOverdue,
    /// For long, no collection of backups came to anything.
    BackupCollectionOverdue,
    /// Backups lack files of Storage.
    StorageFilesUnsaved,
    /// Rows name files that are not there.
    StorageRowsWithoutFile,
    /// The backups that the provider makes itself are not as they should be.
    ProviderBackup,
    /// The deployment that serves is worse than the day before it.
    ReleaseRegressed,
    /// Production is pinned, so that later releases serve nobody.
    ReleasePinned,
    /// Too many requests end in a server error.
    ErrorRateHigh,
    /// Errors use up a month's budget within days.
    SloFastBurn,
    /// A checked URL answers slowly.
    AppSlow,
    /// The API's 95th percentile is high.
    ApiSlow,
    /// A service that the app stands on is impaired.
    ServiceDegraded,
    /// The API's average is high.
    ApiAverageSlow,
    /// Pages load slowly.
    PageLoadSlow,
    /// A Web Vital of the pages is poor.
    WebVitalPoor,
    /// A certificate ends within days.
    CertificateUrgent,
    /// One endpoint's 95th percentile is high.
    EndpointSlow,
    /// Errors use up more than the budget allows.
    SloSlowBurn,
    /// A certificate ends within weeks.
    CertificateExpiring,
    /// A check does not find what it should.
    CheckFailing,
    /// A check takes longer than it may.
    CheckSlow,
    /// The database is running out of connections.
    ConnectionsHigh,
    /// Slow statements are called often.
    SlowQueries,
    /// Messages wait too long to be delivered.
    OutboxStuck,
    /// A job of the bundle is not called any more.
    JobOverdue,
    /// Runs of a job fail one after the other.
    JobFailing,
    /// A job is not called as often as it should be.
    JobMissed,
    /// Two clocks or more have stopped calling.
    ClocksMissing,
    /// A clock no longer calls a job as often as it used to.
    ClockSilent,
    /// A job takes too much of its interval.
    JobSlow,
    /// A channel takes no messages.
    ChannelFailing,
    /// Nothing has shown for long that a channel works.
    DeliveryUnproven,
    /// An error of the app that is critical and new.
    ErrorNew,
    /// An error of the app that came back after it was resolved.
    ErrorRegressed,
    /// An error of the app that happens far more often than before.
    ErrorSpike,
    /// Nobody is on call at some time to come.
    OncallHole,
    /// The calendar of a rotation cannot be read.
    OncallCalendarUnread,
    /// There is little left of something.
    ResourceHigh,
    /// Something is nearly used up.
    ResourceFull,
    /// Somebody waits for what they asked of their own data.
    PrivacyRequestWaits,
    /// The month is going to cost more than it may.
    CostOverLimit,
    /// Somebody tries again and again to get in.
    SignInAttempts,
    /// Somebody was made an admin.
    AdminGranted,
    /// Many requests are refused.
    RefusedRequests,
    /// Access to the data changed without a migration.
    AccessDrift,
    /// The app raised an alert of its own.
    AppAlert,
    /// Somebody else raised an alert.
    External,
}

impl Rule {
    /// Every rule, the worst first.
    pub const ALL: [Self; 68] = [
        Self::AppDown,
        Self::DatabaseFailing,
        Self::PagesUnwatched,
        Self::CriticalError,
        Self::MonitoringBlind,
        Self::ClocksMissing,
        Self::BackupRpoBreached,
        Self::MonitoringGap,
        Self::BackupFailed,
        Self::BackupOverdue,
        Self::BackupSuspect,
        Self::BackupDrillFailed,
        Self::BackupDamaged,
        Self::BackupReplicaBehind,
        Self::BackupReceiptsBroken,
        Self::BackupLockOpen,
        Self::ProviderBackup,
        Self::PrivacyRequestWaits,
        Self::ReleaseRegressed,
        Self::ErrorRateHigh,
        Self::SloFastBurn,
        Self::AppSlow,
        Self::ApiSlow,
        Self::BackupDrillOverdue,
        Self::BackupVerificationOverdue,
        Self::BackupRecoveryDrillOverdue,
        Self::BackupRtoTrend,
        Self::BackupRereadBehind,
        Self::BackupGap,
        Self::ApplicationArchiveOverdue,
        Self::BackupCollectionOverdue,
        Self::StorageFilesUnsaved,
        Self::StorageRowsWithoutFile,
        Self::ReleasePinned,
        Self::ServiceDegraded,
        Self::ApiAverageSlow,
        Self::PageLoadSlow,
        Self::WebVitalPoor,
        Self::CertificateUrgent,
        Self::EndpointSlow,
        Self::SloSlowBurn,
        Self::CertificateExpiring,
        Self::CheckFailing,
        Self::CheckSlow,
        Self::ConnectionsHigh,
        Self::ResourceFull,
        Self::ResourceHigh,
        Self::SlowQueries,
        Self::OutboxStuck,
        Self::JobOverdue,
        Self::JobFailing,
        Self::JobMissed,
        Self::ClockSilent,
        Self::JobSlow,
        Self::ChannelFailing,
        Self::DeliveryUnproven,
        Self::ErrorNew,
        Self::ErrorRegressed,
        Self::ErrorSpike,
        Self::OncallHole,
        Self::OncallCalendarUnread,
        Self::CostOverLimit,
        Self::SignInAttempts,
        Self::AdminGranted,
        Self::RefusedRequests,
        Self::AccessDrift,
        Self::AppAlert,
        Self::External,
    ];

    /// The id: in the database, and the anchor of its runbook entry.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AppDown => "app_down",
            Self::DatabaseFailing => "database_failing",
            Self::PagesUnwatched => "pages_unwatched",
            Self::CriticalError => "critical_error",
            Self::MonitoringBlind => "monitoring_blind",
            Self::BackupRpoBreached => "backup_rpo_breached",
            Self::MonitoringGap => "monitoring_gap",
            Self::BackupFailed => "backup_failed",
            Self::BackupOverdue => "backup_overdue",
            Self::BackupSuspect => "backup_suspect",
            Self::BackupDrillFailed => "backup_drill_failed",
            Self::BackupDamaged => "backup_damaged",
            Self::BackupReplicaBehind => "backup_replica_behind",
            Self::BackupReceiptsBroken => "backup_receipts_broken",
            Self::BackupLockOpen => "backup_lock_open",
            Self::BackupDrillOverdue => "backup_drill_overdue",
            Self::BackupVerificationOverdue => "backup_verification_overdue",
            Self::BackupRecoveryDrillOverdue => "backup_recovery_drill_overdue",
            Self::BackupRtoTrend => "backup_rto_trend",
            Self::BackupRereadBehind => "backup_reread_behind",
            Self::BackupGap => "backup_gap",
            Self::ApplicationArchiveOverdue => "application_archive_overdue",
            Self::BackupCollectionOverdue => "backup_collection_overdue",
            Self::StorageFilesUnsaved => "storage_files_unsaved",
            Self::StorageRowsWithoutFile => "storage_rows_without_file",
            Self::ProviderBackup => "provider_backup",
            Self::ReleaseRegressed => "release_regressed",
            Self::ReleasePinned => "release_pinned",
            Self::ErrorRateHigh => "error_rate_high",
            Self::SloFastBurn => "slo_fast_burn",
            Self::AppSlow => "app_slow",
            Self::ApiSlow => "api_slow",
            Self::ServiceDegraded => "service_degraded",
            Self::ApiAverageSlow => "api_average_slow",
            Self::PageLoadSlow => "page_load_slow",
            Self::WebVitalPoor => "web_vital_poor",
            Self::CertificateUrgent => "certificate_urgent",
            Self::EndpointSlow => "endpoint_slow",
            Self::SloSlowBurn => "slo_slow_burn",
            Self::CertificateExpiring => "certificate_expiring",
            Self::CheckFailing => "check_failing",
            Self::CheckSlow => "check_slow",
            Self::ConnectionsHigh => "connections_high",
            Self::SlowQueries => "slow_queries",
            Self::OutboxStuck => "outbox_stuck",
            Self::JobOverdue => "job_overdue",
            Self::JobFailing => "job_failing",
            Self::JobMissed => "job_missed",
            Self::ClocksMissing => "clocks_missing",
            Self::ClockSilent => "clock_silent",
            Self::JobSlow => "job_slow",
            Self::ChannelFailing => "channel_failing",
            Self::DeliveryUnproven => "delivery_unproven",
            Self::ErrorNew => "error_new",
            Self::ErrorRegressed => "error_regressed",
            Self::ErrorSpike => "error_spike",
            Self::OncallHole => "oncall_hole",
            Self::OncallCalendarUnread => "oncall_calendar_unread",
            Self::ResourceHigh => "resource_high",
            Self::ResourceFull => "resource_full",
            Self::PrivacyRequestWaits => "privacy_request_waits",
            Self::CostOverLimit => "cost_over_limit",
            Self::SignInAttempts => "sign_in_attempts",
            Self::AdminGranted => "admin_granted",
            Self::RefusedRequests => "refused_requests",
            Self::AccessDrift => "access_drift",
            Self::AppAlert => "app_alert",
            Self::External => "external",
        }
    }

    /// The rule of that id, if this release knows it.
    #[must_use]
    pub fn parse(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.as_str() == id)
    }

    /// What the rule's figure is; days speak for themselves.
    pub(super) fn measure(self) -> &'static str {
        match self {
            Self::ErrorRateHigh => "error rate",
            Self::SloFastBurn | Self::SloSlowBurn => "burn rate",
            Self::WebVitalPoor => "75th percentile",
            Self::AppSlow | Self::CheckSlow => "response time",
            Self::ConnectionsHigh => "connections in use",
            Self::SlowQueries => "slow calls",
            Self::OutboxStuck => "oldest message",
            Self::JobOverdue => "since the last run",
            Self::JobFailing => "failed runs",
            Self::JobMissed => "missed slots",
            Self::ClocksMissing => "clocks that call nothing",
            Self::ClockSilent => "silent for",
            Self::JobSlow => "share of its interval",
            Self::ChannelFailing => "failing for",
            Self::DeliveryUnproven => "since the last message",
            Self::ErrorSpike => "in two hours",
            Self::OncallHole => "nobody for",
            Self::OncallCalendarUnread => "since the last reading",
            Self::ResourceHigh | Self::ResourceFull => "used",
            Self::PrivacyRequestWaits => "asked",
            Self::CostOverLimit => "projected",
            Self::SignInAttempts => "attempts",
            Self::RefusedRequests => "refused",
            Self::ApiSlow | Self::EndpointSlow => "95th percentile",
            Self::ApiAverageSlow | Self::PageLoadSlow => "average",
            Self::MonitoringGap => "silence",
            Self::BackupRpoBreached | Self::BackupOverdue | Self::ProviderBackup => {
                "age of the newest backup"
            }
            Self::ReleasePinned => "pinned for",
            Self::BackupDrillFailed => "restore time",
            Self::BackupReplicaBehind => "behind",
            Self::BackupDrillOverdue => "since the last drill",
            Self::ApplicationArchiveOverdue => "since the last whole archive",
            Self::BackupCollectionOverdue => "since the last collection",
            Self::BackupVerificationOverdue => "since the last one was read",
            Self::BackupRecoveryDrillOverdue => "since the last one",
            Self::BackupRtoTrend => "in thirty days",
            Self::BackupRereadBehind => "since it was read",
            Self::StorageFilesUnsaved => "since a backup had all files",
            Self::AppDown
            | Self::DatabaseFailing
            | Self::PagesUnwatched
            | Self::CriticalError
            | Self::ErrorNew
            | Self::ErrorRegressed
            | Self::MonitoringBlind
            | Self::BackupFailed
            | Self::BackupSuspect
            | Self::BackupDamaged
            | Self::BackupReceiptsBroken
            | Self::BackupLockOpen
            | Self::BackupGap
            | Self::StorageRowsWithoutFile
            | Self::ReleaseRegressed
            | Self::ServiceDegraded
            | Self::CertificateUrgent
            | Self::CertificateExpiring
            | Self::CheckFailing
            | Self::AdminGranted
            | Self::AccessDrift
            | Self::AppAlert
            | Self::External => "measured",
        }
    }

    /// Who or what suffers, if the rule itself tells.
    #[expect(clippy::too_many_lines, reason = "each rule has a sentence")]
    pub(super) fn consequence(self, facts: &Facts) -> Option<&'static str> {
        Some(match self {
            Self::AppDown => "everybody who opens this page",
            Self::DatabaseFailing => "everything that reads or writes data",
            Self::PagesUnwatched => "nobody yet; if the app goes down, nobody is told",
            Self::CriticalError | Self::ErrorNew | Self::ErrorRegressed | Self::ErrorSpike => {
                "users whose request meets this error"
            }
            Self::MonitoringBlind => {
                "monitoring itself: nothing is recorded, no other alert can open or resolve"
            }
            Self::MonitoringGap => {
                "what happened in that time is unknown; it counts neither as up nor as down"
            }
            Self::BackupRpoBreached => {
                "nobody yet; if the database were lost now, more would be lost than was agreed"
            }
            Self::BackupFailed => "nobody yet; earlier backups are whole, the next run tries again",
            Self::BackupOverdue => "nobody yet; what was written since is in no backup",
            Self::BackupSuspect => {
                "nobody yet; it is whole and can be restored, and may hold less than it should"
            }
            Self::BackupDrillFailed => {
                "nobody yet; if the database were lost now, it would not come back as it was"
            }
            Self::BackupDamaged => {
                "nobody yet; if the database were lost now, that backup would not come back whole"
            }
            Self::BackupReplicaBehind => {
                "nobody yet; if the place of the backups were lost now, more would be lost with it"
            }
            Self::BackupReceiptsBroken => {
                "nobody yet; whoever altered receipts may have altered backups, and an auditor will ask"
            }
            Self::BackupLockOpen => {
                "nobody yet; whoever has the key of the functions can delete every backup"
            }
            Self::BackupDrillOverdue => {
                "nobody yet; whether the backups can be restored is no longer known"
            }
            Self::BackupGap => "nobody yet; a restore would come back without it",
            Self::BackupVerificationOverdue => {
                "nobody yet; whether the backups can be opened is no longer known"
            }
            Self::BackupRecoveryDrillOverdue => {
                "nobody yet; whether the backups come back without this program is no longer known"
            }
            Self::BackupRtoTrend => {
                "nobody yet; within thirty days a restore will take longer than was agreed"
            }
            Self::BackupRereadBehind => {
                "nobody yet; decay of what is unread would be found by a restore alone"
            }
            Self::ApplicationArchiveOverdue => {
                "nobody yet; if a project were lost now, how it was set up would be known from before"
            }
            Self::PrivacyRequestWaits => {
                "whoever asked; the law gives a month to answer, and it is running out"
            }
            Self::BackupCollectionOverdue => {
                "nobody; no backup is lost, and the store grows, with people in it who were erased"
            }
            Self::StorageFilesUnsaved => {
                "nobody yet; if Storage were lost now, those files would not come back"
            }
            Self::StorageRowsWithoutFile => {
                "users of the app who open such a file: there is nothing behind it"
            }
            Self::ProviderBackup => {
                "nobody yet; the provider's own backups are no second way back for now"
            }
            Self::ReleaseRegressed => "users of the app, as the evidence says",
            Self::ReleasePinned => "nobody yet; what is released next serves nobody",
            Self::ErrorRateHigh => "users of the API: their requests end in a server error",
            Self::SloFastBurn => {
                "users of the API: at this rate a month's error budget is gone within days"
            }
            Self::SloSlowBurn => {
                "users of the API, a few: at this rate the month's error budget does not last"
            }
            Self::WebVitalPoor => "at least every fourth visitor of the app",
            Self::AppSlow => "everybody who opens this page: they wait",
            Self::ApiSlow => "users of the API: one request in twenty takes this long or longer",
            Self::ServiceDegraded => return service_names::consequence(&facts.subject),
            Self::ApiAverageSlow => "all users of the API",
            Self::PageLoadSlow => "all users of the app",
            Self::CertificateUrgent | Self::CertificateExpiring if has_ended(facts) => {
                "everybody: browsers refuse the app"
            }
            Self::CertificateUrgent | Self::CertificateExpiring => {
                "nobody yet; browsers refuse the app once the certificate has ended"
            }
            Self::EndpointSlow => "users of this endpoint",
            Self::ConnectionsHigh => {
                "nobody yet; once none is left, everything that reads or writes data fails"
            }
            Self::SlowQueries => "whoever waits for these statements",
            Self::OutboxStuck => "whoever should have been told by now",
            Self::JobOverdue | Self::JobFailing => "what this job does is not being done",
            Self::JobMissed => "what this job does is done late",
            Self::ClocksMissing => {
                "nobody yet; once the last clock stops, nothing is watched and nobody is told"
            }
            Self::ClockSilent => {
                "nobody, while another clock calls; what only this one calls is not done"
            }
            Self::JobSlow => "nobody yet; its runs are about to be cut off or to overlap",
            Self::ChannelFailing => "whoever hears of alerts this way; other channels stand in",
            Self::DeliveryUnproven => "nobody yet; whether an alert would arrive is not known",
            Self::OncallHole => "nobody yet; an alert in that time asks others, or everybody",
            Self::OncallCalendarUnread => {
                "nobody yet; what was read last stays in force, and changes since are not seen"
            }
            Self::ResourceHigh => "nobody yet; there is little left of it",
            Self::ResourceFull => "nobody yet; once it is used up, what needs it fails",
            Self::CostOverLimit => "nobody; the bill is going to be higher than was meant",
            Self::SignInAttempts => "perhaps nobody yet; somebody may be guessing",
            Self::AdminGranted => "nobody, if it was meant; else everybody's data",
            Self::RefusedRequests => "users who are shut out, or nobody, if it is an attack",
            Self::AccessDrift => "nobody, if it was meant; else whoever's data are now open",
            Self::CheckFailing | Self::CheckSlow | Self::AppAlert | Self::External => return None,
        })
    }
}

/// Of a certificate: its figure is the days that it has left.
fn has_ended(facts: &Facts) -> bool {
    facts.value.is_some_and(|left| left < 0.0)
}

#[cfg(test)]
mod tests;
