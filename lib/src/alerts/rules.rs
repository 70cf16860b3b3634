//! What each rule means in words. Whether a rule fires is decided in the
//! database; here it only gets its sentences. Every id is also an entry of the
//! runbook.
//!
//! A rule that this release does not know is worded from its facts alone, so
//! that a database which is ahead of its functions silences nobody.

mod channels;
mod reasons;
mod services;

pub(super) use channels::name as channel_name;
pub(super) use reasons::reason;

use super::{
    facts::{Facts, Kind},
    figures, text,
};

/// How much of a raiser's words a headline takes over; the rest follows below.
const SAID_LIMIT: usize = 120;

/// A rule that may raise an alert or a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rule {
    /// A checked URL does not answer as it should.
    AppDown,
    /// The database or its API fails.
    DatabaseFailing,
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
    /// A kept check does not find what it should.
    CheckFailing,
    /// A kept check takes longer than it may.
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
    /// A job takes too much of its interval.
    JobSlow,
    /// A channel takes no messages.
    ChannelFailing,
    /// Nothing has shown for long that a channel works.
    DeliveryUnproven,
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
    pub const ALL: [Self; 38] = [
        Self::AppDown,
        Self::DatabaseFailing,
        Self::CriticalError,
        Self::MonitoringBlind,
        Self::BackupRpoBreached,
        Self::MonitoringGap,
        Self::BackupFailed,
        Self::BackupOverdue,
        Self::BackupSuspect,
        Self::ErrorRateHigh,
        Self::SloFastBurn,
        Self::AppSlow,
        Self::ApiSlow,
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
        Self::SlowQueries,
        Self::OutboxStuck,
        Self::JobOverdue,
        Self::JobFailing,
        Self::JobMissed,
        Self::JobSlow,
        Self::ChannelFailing,
        Self::DeliveryUnproven,
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
            Self::CriticalError => "critical_error",
            Self::MonitoringBlind => "monitoring_blind",
            Self::BackupRpoBreached => "backup_rpo_breached",
            Self::MonitoringGap => "monitoring_gap",
            Self::BackupFailed => "backup_failed",
            Self::BackupOverdue => "backup_overdue",
            Self::BackupSuspect => "backup_suspect",
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
            Self::JobSlow => "job_slow",
            Self::ChannelFailing => "channel_failing",
            Self::DeliveryUnproven => "delivery_unproven",
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
            Self::JobSlow => "share of its interval",
            Self::ChannelFailing => "failing for",
            Self::DeliveryUnproven => "since the last message",
            Self::SignInAttempts => "attempts",
            Self::RefusedRequests => "refused",
            Self::ApiSlow | Self::EndpointSlow => "95th percentile",
            Self::ApiAverageSlow | Self::PageLoadSlow => "average",
            Self::MonitoringGap => "silence",
            Self::BackupRpoBreached | Self::BackupOverdue => "age of the newest backup",
            Self::AppDown
            | Self::DatabaseFailing
            | Self::CriticalError
            | Self::MonitoringBlind
            | Self::BackupFailed
            | Self::BackupSuspect
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
    pub(super) fn consequence(self, facts: &Facts) -> Option<&'static str> {
        Some(match self {
            Self::AppDown => "everybody who opens this page",
            Self::DatabaseFailing => "everything that reads or writes data",
            Self::CriticalError => "users whose request meets this error",
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
            Self::ServiceDegraded => return services::consequence(&facts.subject),
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
            Self::JobSlow => "nobody yet; its runs are about to be cut off or to overlap",
            Self::ChannelFailing => "whoever hears of alerts this way; other channels stand in",
            Self::DeliveryUnproven => "nobody yet; whether an alert would arrive is not known",
            Self::SignInAttempts => "perhaps nobody yet; somebody may be guessing",
            Self::AdminGranted => "nobody, if it was meant; else everybody's data",
            Self::RefusedRequests => "users who are shut out, or nobody, if it is an attack",
            Self::AccessDrift => "nobody, if it was meant; else whoever's data are now open",
            Self::CheckFailing | Self::CheckSlow | Self::AppAlert | Self::External => return None,
        })
    }
}

/// One sentence that says what happened.
#[must_use]
pub fn headline(facts: &Facts) -> String {
    let Some(rule) = Rule::parse(&facts.rule) else {
        return unknown(facts);
    };
    match facts.kind {
        Kind::Firing | Kind::Escalation | Kind::Reminder | Kind::Notice => firing(rule, facts),
        Kind::Resolved => resolved(rule, facts),
    }
}

fn firing(rule: Rule, facts: &Facts) -> String {
    let subject = subject(facts);
    match rule {
        Rule::AppDown => format!("{subject} is down"),
        Rule::DatabaseFailing => "The database is failing".into(),
        Rule::CriticalError => format!("The app logged an error: {}", said(facts)),
        Rule::MonitoringBlind => "Monitoring is blind".into(),
        Rule::MonitoringGap => match facts.gap {
            Some(gap) => format!(
                "Monitoring was interrupted for {}",
                figures::between(gap.from, gap.to)
            ),
            None => "Monitoring was interrupted".into(),
        },
        Rule::BackupRpoBreached => "The newest backup is too old".into(),
        Rule::BackupFailed => "A backup failed".into(),
        Rule::BackupOverdue => "A backup is overdue".into(),
        Rule::BackupSuspect => "The newest backup is suspect".into(),
        Rule::ErrorRateHigh => "The API's error rate is high".into(),
        Rule::SloFastBurn => "The error budget burns fast".into(),
        Rule::SloSlowBurn => "The error budget burns too fast to last".into(),
        Rule::WebVitalPoor => format!("{} is poor", web_vital(subject)),
        Rule::AppSlow => format!("{subject} answers slowly"),
        Rule::ApiSlow => "The API is slow".into(),
        Rule::ServiceDegraded => format!("{} is degraded", services::name(subject)),
        Rule::ApiAverageSlow => "The API is slow on average".into(),
        Rule::PageLoadSlow => "Pages load slowly".into(),
        Rule::CertificateUrgent | Rule::CertificateExpiring => match facts.value {
            Some(_) if has_ended(facts) => format!("The certificate of {subject} has ended"),
            Some(left) => format!(
                "The certificate of {subject} ends in {}",
                figures::days(left)
            ),
            None => format!("The certificate of {subject} ends soon"),
        },
        Rule::EndpointSlow => format!("{subject} is slow"),
        Rule::CheckFailing => format!("The check {subject} fails"),
        Rule::CheckSlow => format!("The check {subject} is slow"),
        Rule::ConnectionsHigh => "The database is running out of connections".into(),
        Rule::SlowQueries => "Slow statements are called often".into(),
        Rule::OutboxStuck => "Messages are not being delivered".into(),
        Rule::JobOverdue => format!("The job {subject} is overdue"),
        Rule::JobFailing => format!("The job {subject} fails"),
        Rule::JobMissed => format!("The job {subject} is not always called"),
        Rule::JobSlow => format!("The job {subject} takes too long"),
        Rule::ChannelFailing => format!("Alerts do not arrive by {}", channels::name(subject)),
        Rule::DeliveryUnproven => format!("Alerts by {} are unproven", channels::name(subject)),
        Rule::SignInAttempts => format!("Many attempts to sign in: {subject}"),
        Rule::AdminGranted => "Somebody was made an admin".into(),
        Rule::RefusedRequests => "Many requests are refused".into(),
        Rule::AccessDrift => "Access to the data changed without a migration".into(),
        Rule::AppAlert => format!("The app reports: {}", said(facts)),
        Rule::External => said(facts),
    }
}

fn resolved(rule: Rule, facts: &Facts) -> String {
    let subject = subject(facts);
    match rule {
        Rule::AppDown => format!("{subject} is up again"),
        Rule::DatabaseFailing => "The database works again".into(),
        Rule::CriticalError => format!("No longer seen: {}", said(facts)),
        Rule::MonitoringBlind => "Monitoring sees again".into(),
        Rule::MonitoringGap => "Monitoring goes on".into(),
        Rule::BackupRpoBreached => "The newest backup is recent enough again".into(),
        Rule::BackupFailed => "Backups succeed again".into(),
        Rule::BackupOverdue => "Backups are made in time again".into(),
        Rule::BackupSuspect => "The newest backup is as it should be".into(),
        Rule::ErrorRateHigh => "The API's error rate is back to normal".into(),
        Rule::SloFastBurn => "The error budget no longer burns fast".into(),
        Rule::SloSlowBurn => "The error budget lasts again".into(),
        Rule::WebVitalPoor => format!("{} is good again", web_vital(subject)),
        Rule::AppSlow => format!("{subject} answers in time again"),
        Rule::ApiSlow => "The API is no longer slow".into(),
        Rule::ServiceDegraded => format!("{} works again", services::name(subject)),
        Rule::ApiAverageSlow => "The API's average is back to normal".into(),
        Rule::PageLoadSlow => "Pages load in time again".into(),
        Rule::CertificateUrgent | Rule::CertificateExpiring => certificate_over(facts, subject),
        Rule::EndpointSlow => format!("{subject} is no longer slow"),
        Rule::CheckFailing => format!("The check {subject} succeeds again"),
        Rule::CheckSlow => format!("The check {subject} is quick enough again"),
        Rule::ConnectionsHigh => "The database has connections to spare again".into(),
        Rule::SlowQueries => "Slow statements are rare again".into(),
        Rule::OutboxStuck => "Messages are delivered again".into(),
        Rule::JobOverdue => format!("The job {subject} runs again"),
        Rule::JobFailing => format!("The job {subject} succeeds again"),
        Rule::JobMissed => format!("The job {subject} is called as it should be again"),
        Rule::JobSlow => format!("The job {subject} is quick enough again"),
        Rule::ChannelFailing => format!("Alerts arrive by {} again", channels::name(subject)),
        Rule::DeliveryUnproven => format!("Alerts by {} are proven again", channels::name(subject)),
        Rule::SignInAttempts => format!("No more attempts to sign in: {subject}"),
        Rule::AdminGranted => "No further admin was made".into(),
        Rule::RefusedRequests => "Requests are answered as usual again".into(),
        Rule::AccessDrift => "Access to the data has not changed further".into(),
        Rule::AppAlert | Rule::External => said(facts),
    }
}

/// Of a certificate: its figure is the days that it has left.
fn has_ended(facts: &Facts) -> bool {
    facts.value.is_some_and(|left| left < 0.0)
}

/// The early warning also ends when the urgent one takes over.
fn certificate_over(facts: &Facts, subject: &str) -> String {
    match (facts.value, facts.threshold) {
        (Some(left), Some(limit)) if left >= limit => format!(
            "The certificate of {subject} is valid for another {}",
            figures::days(left)
        ),
        _ => format!("The earlier warning about the certificate of {subject} is over"),
    }
}

fn unknown(facts: &Facts) -> String {
    if facts.title.is_some() || facts.message.is_some() {
        said(facts)
    } else if facts.rule.is_empty() {
        format!("Alert about {}", subject(facts))
    } else {
        format!("{}: {}", facts.rule, subject(facts))
    }
}

fn subject(facts: &Facts) -> &str {
    if facts.subject.is_empty() {
        "an unnamed subject"
    } else {
        &facts.subject
    }
}

/// The raiser's own words, else what they are about.
fn said(facts: &Facts) -> String {
    let words = facts
        .title
        .as_deref()
        .or(facts.message.as_deref())
        .unwrap_or_else(|| subject(facts));
    let first = words.trim_start().lines().next().unwrap_or_default();
    text::cut(first, SAID_LIMIT)
}

fn web_vital(name: &str) -> &str {
    match name {
        "LCP" => "Largest Contentful Paint (LCP)",
        "FID" => "First Input Delay (FID)",
        "INP" => "Interaction to Next Paint (INP)",
        "CLS" => "Cumulative Layout Shift (CLS)",
        other => other,
    }
}

#[cfg(test)]
mod tests;
