//! The sentence that a message begins with.

use serde_json::Value;

use super::{Rule, channel_names, has_ended, resource_names, service_names};
use crate::messages::{
    alert_end::{AlertEnd, EndedBy},
    json_fields::time,
    message_facts::{Facts, Kind},
    plain_text, quantities, release_wording,
};

/// How much of a raiser's words a headline takes over; the rest follows below.
const SAID_LIMIT: usize = 120;

/// One sentence that says what happened.
#[must_use]
pub fn headline(facts: &Facts) -> String {
    let Some(rule) = Rule::parse(&facts.rule) else {
        return unknown(facts);
    };
    match facts.kind {
        Kind::Firing | Kind::Escalation | Kind::Reminder | Kind::Notice => firing(rule, facts),
        Kind::Resolved => match &facts.ended {
            Some(end) => ended(rule, end, facts),
            None => resolved(rule, facts),
        },
    }
}

/// Nothing was seen to be well, so nothing is said to be.
fn ended(rule: Rule, end: &AlertEnd, facts: &Facts) -> String {
    let happened = firing(rule, facts);
    match (end.how, &end.by) {
        (EndedBy::Closed, Some(by)) => format!("“{happened}” was closed by {by}"),
        (EndedBy::Closed, None) => format!("“{happened}” was closed by hand"),
        (EndedBy::Unwatched, _) => format!("“{happened}” is no longer watched"),
    }
}

fn firing(rule: Rule, facts: &Facts) -> String {
    let subject = subject(facts);
    match rule {
        Rule::AppDown => format!("{subject} is down"),
        Rule::DatabaseFailing => "The database is failing".into(),
        Rule::PagesUnwatched => "No page of the app is watched".into(),
        Rule::CriticalError => format!("The app logged an error: {}", said(facts)),
        Rule::ErrorNew => format!("The app meets a new error: {}", said(facts)),
        Rule::ErrorRegressed => format!("An error is back: {}", said(facts)),
        Rule::ErrorSpike => format!("An error happens often: {}", said(facts)),
        Rule::MonitoringBlind => "Monitoring is blind".into(),
        Rule::MonitoringGap => match facts.gap {
            Some(gap) if facts.detail["unreachable"] == true => format!(
                "Monitoring sees again, after {} in which it was blind",
                quantities::between(gap.from, gap.to)
            ),
            Some(gap) => format!(
                "Monitoring was interrupted for {}",
                quantities::between(gap.from, gap.to)
            ),
            None => "Monitoring was interrupted".into(),
        },
        Rule::BackupRpoBreached => "The newest backup is too old".into(),
        Rule::BackupFailed => "A backup failed".into(),
        Rule::BackupOverdue => "A backup is overdue".into(),
        Rule::BackupSuspect => "The newest backup is suspect".into(),
        Rule::BackupDrillFailed => "A backup was not restored as it should be in a drill".into(),
        Rule::BackupDamaged => "A backup is damaged in its store".into(),
        Rule::BackupReplicaBehind => "The copy of the backups is behind them".into(),
        Rule::BackupReceiptsBroken => "A receipt of the backups is missing or altered".into(),
        Rule::BackupLockOpen => "The store of the backups does not lock them".into(),
        Rule::BackupDrillOverdue => "A drill of the backups is overdue".into(),
        Rule::BackupVerificationOverdue => "Backups are not opened and read in time".into(),
        Rule::BackupRecoveryDrillOverdue => "A drill of the whole way back is overdue".into(),
        Rule::BackupRtoTrend => "Restores will soon take longer than they may".into(),
        Rule::BackupRereadBehind => "What backups rest on is not read again in time".into(),
        Rule::BackupGap => format!("The newest backup leaves out {subject}"),
        Rule::ApplicationArchiveOverdue => "An archive of the application is overdue".into(),
        Rule::BackupCollectionOverdue => "Old backups are not deleted".into(),
        Rule::StorageFilesUnsaved => "Backups lack files of Storage".into(),
        Rule::StorageRowsWithoutFile => "Rows in Storage name files that are not there".into(),
        Rule::ProviderBackup => "The provider's own backups are not as they should be".into(),
        Rule::ReleaseRegressed => release_wording::headline(facts, subject),
        Rule::ReleasePinned => format!("{} is pinned", release_wording::project(subject)),
        Rule::ErrorRateHigh => "The API's error rate is high".into(),
        Rule::SloFastBurn => "The error budget burns fast".into(),
        Rule::SloSlowBurn => "The error budget burns too fast to last".into(),
        Rule::WebVitalPoor => format!("{} is poor", web_vital(subject)),
        Rule::AppSlow => format!("{subject} answers slowly"),
        Rule::ApiSlow => "The API is slow".into(),
        Rule::ServiceDegraded => format!("{} is degraded", service_names::name(subject)),
        Rule::ApiAverageSlow => "The API is slow on average".into(),
        Rule::PageLoadSlow => "Pages load slowly".into(),
        Rule::CertificateUrgent | Rule::CertificateExpiring => match facts.value {
            Some(_) if has_ended(facts) => format!("The certificate of {subject} has ended"),
            Some(left) => format!(
                "The certificate of {subject} ends in {}",
                quantities::days(left)
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
        Rule::ClocksMissing => clocks_missing(facts),
        Rule::ClockSilent => format!("The clock {subject} does not call as it used to"),
        Rule::JobSlow => format!("The job {subject} takes too long"),
        Rule::ChannelFailing => format!("Alerts do not arrive by {}", channel_names::name(subject)),
        Rule::DeliveryUnproven => {
            format!("Alerts by {} are unproven", channel_names::name(subject))
        }
        Rule::OncallHole => hole(facts, subject),
        Rule::OncallCalendarUnread => format!("The calendar of {subject} cannot be read"),
        Rule::ResourceHigh => format!(
            "Little is left of {}{}",
            resource_names::name(subject),
            fullness(facts)
        ),
        Rule::ResourceFull => format!(
            "Nearly used up: {}{}",
            resource_names::name(subject),
            fullness(facts)
        ),
        Rule::PrivacyRequestWaits => "Somebody waits for what they asked of their data".into(),
        Rule::CostOverLimit => "The month is going to cost more than it may".into(),
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
        Rule::PagesUnwatched => "Pages of the app are watched again".into(),
        Rule::CriticalError | Rule::ErrorNew | Rule::ErrorRegressed => {
            format!("No longer seen: {}", said(facts))
        }
        Rule::ErrorSpike => format!("No more often than before: {}", said(facts)),
        Rule::MonitoringBlind => "Monitoring sees again".into(),
        Rule::MonitoringGap => "Monitoring goes on".into(),
        Rule::BackupRpoBreached => "The newest backup is recent enough again".into(),
        Rule::BackupFailed => "Backups succeed again".into(),
        Rule::BackupOverdue => "Backups are made in time again".into(),
        Rule::BackupSuspect => "The newest backup is as it should be".into(),
        Rule::BackupDrillFailed => "The last drill of the backups is good".into(),
        Rule::BackupDamaged => "Backups are whole in their store again".into(),
        Rule::BackupReplicaBehind => "The copy of the backups is up to them again".into(),
        Rule::BackupReceiptsBroken => {
            "Receipts of the backups are whole, or what is wrong is accepted".into()
        }
        Rule::BackupLockOpen => "Nothing that the backups' store should lock is open".into(),
        Rule::BackupDrillOverdue => "Backups are drilled in time again".into(),
        Rule::BackupVerificationOverdue => "Backups are opened and read in time again".into(),
        Rule::BackupRecoveryDrillOverdue => "The whole way back is tried in time again".into(),
        Rule::BackupRtoTrend => "Restores will not take longer than they may".into(),
        Rule::BackupRereadBehind => "What backups rest on is read again in time".into(),
        Rule::BackupGap if facts.reason.as_deref() == Some("accepted") => {
            format!("It is accepted that backups leave out {subject}")
        }
        Rule::BackupGap => format!("The newest backup no longer leaves out {subject}"),
        Rule::ApplicationArchiveOverdue => "The application is archived in time again".into(),
        Rule::BackupCollectionOverdue => "Old backups are deleted in time again".into(),
        Rule::StorageFilesUnsaved => "Backups have all files of Storage again".into(),
        Rule::StorageRowsWithoutFile => "Every row in Storage has its file again".into(),
        Rule::ProviderBackup => "The provider's own backups are as they should be again".into(),
        Rule::ReleaseRegressed if facts.reason.as_deref() == Some("replaced") => {
            format!("The release {subject} no longer serves")
        }
        Rule::ReleaseRegressed => format!("The release {subject} is no longer worse"),
        Rule::ReleasePinned => format!("{} is free again", release_wording::project(subject)),
        Rule::ErrorRateHigh => "The API's error rate is back to normal".into(),
        Rule::SloFastBurn => "The error budget no longer burns fast".into(),
        Rule::SloSlowBurn => "The error budget lasts again".into(),
        Rule::WebVitalPoor => format!("{} is good again", web_vital(subject)),
        Rule::AppSlow => format!("{subject} answers in time again"),
        Rule::ApiSlow => "The API is no longer slow".into(),
        Rule::ServiceDegraded => format!("{} works again", service_names::name(subject)),
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
        Rule::ClocksMissing => "One clock at most calls nothing any more".into(),
        Rule::ClockSilent if facts.reason.as_deref() == Some("removed") => {
            format!("The clock {subject} is no longer expected")
        }
        Rule::ClockSilent => format!("The clock {subject} calls as it used to again"),
        Rule::JobSlow => format!("The job {subject} is quick enough again"),
        Rule::ChannelFailing => format!("Alerts arrive by {} again", channel_names::name(subject)),
        Rule::DeliveryUnproven => format!(
            "Alerts by {} are proven again",
            channel_names::name(subject)
        ),
        Rule::OncallHole => format!("Somebody is on call for {subject} in all the days to come"),
        Rule::OncallCalendarUnread => format!("The calendar of {subject} is read again"),
        Rule::ResourceHigh => format!("There is enough of {} again", resource_names::name(subject)),
        Rule::ResourceFull => format!(
            "No longer nearly used up: {}",
            resource_names::name(subject)
        ),
        Rule::PrivacyRequestWaits => {
            "Nobody waits for long for what they asked of their data".into()
        }
        Rule::CostOverLimit => "The month is not going to cost more than it may".into(),
        Rule::SignInAttempts => format!("No more attempts to sign in: {subject}"),
        Rule::AdminGranted => "No further admin was made".into(),
        Rule::RefusedRequests => "Requests are answered as usual again".into(),
        Rule::AccessDrift => "Access to the data has not changed further".into(),
        Rule::AppAlert | Rule::External => said(facts),
    }
}

/// When it is full at the pace of the last weeks, of what only grows.
fn fullness(facts: &Facts) -> String {
    let days = facts.detail["daysToFull"].as_f64();
    days.map_or_else(String::new, |days| {
        format!(", which is full in {}", quantities::days(days.floor()))
    })
}

/// When nobody is on call, first and how often.
fn hole(facts: &Facts, subject: &str) -> String {
    let times = facts.detail["holes"].as_u64().unwrap_or(1);
    let more = match times.saturating_sub(1) {
        0 => String::new(),
        more => format!(", and {}", quantities::count(more, "more time")),
    };
    let hole = &facts.detail["hole"];
    match (time(hole, "from"), time(hole, "to")) {
        (Some(from), Some(to)) => format!(
            "Nobody is on call for {subject} from {} to {}{more}",
            quantities::time(from),
            quantities::time(to)
        ),
        _ => format!("Nobody is on call for {subject} at some time to come{more}"),
    }
}

/// Which clocks have stopped.
fn clocks_missing(facts: &Facts) -> String {
    let names: Vec<&str> = facts.detail["clocks"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    if names.is_empty() {
        "Clocks have stopped calling".to_owned()
    } else {
        format!("Clocks have stopped calling: {}", names.join(", "))
    }
}

/// The early warning also ends when the urgent one takes over.
fn certificate_over(facts: &Facts, subject: &str) -> String {
    match (facts.value, facts.threshold) {
        (Some(left), Some(limit)) if left >= limit => format!(
            "The certificate of {subject} is valid for another {}",
            quantities::days(left)
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
    plain_text::cut_at_word(first.trim_end(), SAID_LIMIT)
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
