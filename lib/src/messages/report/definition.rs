//! What each line of a report is called, in which unit it is, which way is better, and
//! where to look further. The database has the same ids; a test compares them.

use crate::messages::quantities;

/// What this release knows of a line.
#[derive(Debug, PartialEq, Eq)]
pub struct Definition {
    /// The id in the database.
    pub id: &'static str,
    /// The section it stands in.
    pub section: Section,
    /// Its name.
    pub label: &'static str,
    /// The unit of its figures.
    pub unit: Unit,
    /// Which way is better.
    pub better: Better,
    /// The command or page that tells more.
    pub way: &'static str,
}

impl Definition {
    /// The line of that id.
    #[must_use]
    pub fn of(id: &str) -> Option<&'static Self> {
        ALL.iter().find(|known| known.id == id)
    }
}

/// A part of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// How the services fared, and how fast the app answered.
    Health,
    /// What went wrong, and who was told.
    Trouble,
    /// Whether data could be brought back.
    Backups,
    /// What the machinery takes.
    Resources,
    /// Who used the app, and for what.
    Use,
    /// Who tries to get in.
    Access,
    /// What changed.
    Changes,
    /// What this release does not know.
    Other,
}

/// All sections, in the order in which they are read.
pub const SECTIONS: [Section; 8] = [
    Section::Health,
    Section::Trouble,
    Section::Backups,
    Section::Resources,
    Section::Use,
    Section::Access,
    Section::Changes,
    Section::Other,
];

impl Section {
    /// Its heading.
    #[must_use]
    pub fn heading(self) -> &'static str {
        match self {
            Self::Health => "Health and performance",
            Self::Trouble => "Errors and alerts",
            Self::Backups => "Backups",
            Self::Resources => "Resources and costs",
            Self::Use => "Use",
            Self::Access => "Access",
            Self::Changes => "Changes",
            Self::Other => "Other",
        }
    }
}

/// The unit of a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// How many.
    Count,
    /// A share of a hundred.
    Percent,
    /// Milliseconds.
    Milliseconds,
    /// Seconds, told in two units.
    Seconds,
    /// Bytes.
    Bytes,
    /// Days.
    Days,
    /// US dollars.
    Dollars,
    /// None.
    Plain,
}

impl Unit {
    /// A figure of this unit as one would say it.
    #[must_use]
    pub fn say(self, value: f64) -> String {
        match self {
            Self::Count | Self::Plain => quantities::quantity(value, None),
            Self::Percent => quantities::quantity(value, Some("%")),
            Self::Milliseconds => quantities::quantity(value, Some("ms")),
            // `quantity` tells minutes as lengths of time.
            Self::Seconds if value >= 60.0 => quantities::quantity(value / 60.0, Some("min")),
            Self::Seconds => quantities::quantity(value, Some("s")),
            Self::Bytes => bytes(value),
            Self::Days => quantities::days(value),
            Self::Dollars => format!("${value:.2}"),
        }
    }
}

/// `1.21 GB`, `-300 kB`.
fn bytes(value: f64) -> String {
    const UNITS: [(f64, &str); 4] = [(1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")];
    let unit = UNITS.iter().find(|(size, _)| value.abs() >= *size);
    let (size, unit) = unit.copied().unwrap_or((1.0, "B"));
    quantities::quantity(value / size, Some(unit))
}

/// Which way a figure is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Better {
    /// The more the better.
    Higher,
    /// The less the better.
    Lower,
    /// Neither.
    Neither,
}

const fn line(
    section: Section,
    id: &'static str,
    label: &'static str,
    unit: Unit,
    better: Better,
    way: &'static str,
) -> Definition {
    Definition {
        id,
        section,
        label,
        unit,
        better,
        way,
    }
}

/// Every line, in the order in which they are read.
pub const ALL: [Definition; 64] = {
    use {
        Better::{Higher, Lower, Neither},
        Section::{Access, Backups, Changes, Health, Resources, Trouble, Use},
        Unit::{Bytes, Count, Days, Dollars, Milliseconds, Percent, Seconds},
    };
    [
        line(
            Health,
            "uptime",
            "Uptime",
            Percent,
            Higher,
            "pourtrait checks history NAME",
        ),
        line(
            Health,
            "coverage",
            "Share of time that was watched",
            Percent,
            Higher,
            "pourtrait schedule status",
        ),
        line(Health, "requests", "Requests", Count, Neither, "/dashboard"),
        line(
            Health,
            "response_average",
            "Average response time",
            Milliseconds,
            Lower,
            "/dashboard",
        ),
        line(
            Health,
            "response_p95",
            "95th percentile of response times",
            Milliseconds,
            Lower,
            "/dashboard",
        ),
        line(
            Health,
            "error_rate",
            "Failed requests",
            Percent,
            Lower,
            "pourtrait errors list",
        ),
        line(
            Health,
            "web_vital",
            "Web Vital, 75th percentile",
            Milliseconds,
            Lower,
            "/dashboard",
        ),
        line(
            Trouble,
            "errors",
            "Errors",
            Count,
            Lower,
            "pourtrait errors list",
        ),
        line(
            Trouble,
            "errors_critical",
            "Critical errors",
            Count,
            Lower,
            "pourtrait errors list",
        ),
        line(
            Trouble,
            "issues_new",
            "New kinds of error",
            Count,
            Lower,
            "pourtrait errors list",
        ),
        line(
            Trouble,
            "issues_regressed",
            "Errors that came back",
            Count,
            Lower,
            "pourtrait errors list",
        ),
        line(
            Trouble,
            "alerts",
            "Alerts",
            Count,
            Lower,
            "pourtrait alerts list",
        ),
        line(
            Trouble,
            "alerts_severe",
            "Critical and high alerts",
            Count,
            Lower,
            "pourtrait alerts list",
        ),
        line(
            Trouble,
            "alerts_open",
            "Alerts open now",
            Count,
            Lower,
            "pourtrait alerts list",
        ),
        line(
            Trouble,
            "alert_acknowledge",
            "Time until somebody acknowledged an alert",
            Seconds,
            Lower,
            "pourtrait alerts list",
        ),
        line(
            Trouble,
            "alert_resolve",
            "Time until an alert was over",
            Seconds,
            Lower,
            "pourtrait alerts list",
        ),
        line(
            Trouble,
            "incidents",
            "Incidents",
            Count,
            Lower,
            "pourtrait incidents list",
        ),
        line(
            Trouble,
            "incident_acknowledge",
            "Time until somebody took an incident",
            Seconds,
            Lower,
            "pourtrait incidents list",
        ),
        line(
            Trouble,
            "incident_resolve",
            "Time until an incident was over",
            Seconds,
            Lower,
            "pourtrait incidents list",
        ),
        line(
            Trouble,
            "messages_lost",
            "Messages that were given up",
            Count,
            Lower,
            "pourtrait alerts messages --dead",
        ),
        line(
            Trouble,
            "unanswered",
            "People asked who did not answer",
            Count,
            Lower,
            "pourtrait contacts list",
        ),
        line(
            Trouble,
            "oncall_holes",
            "Times ahead when nobody is on call",
            Count,
            Lower,
            "pourtrait oncall show",
        ),
        line(
            Backups,
            "backups",
            "Backups made",
            Count,
            Higher,
            "pourtrait backup list",
        ),
        line(
            Backups,
            "backups_failed",
            "Backups that failed",
            Count,
            Lower,
            "pourtrait backup list",
        ),
        line(
            Backups,
            "backup_bytes",
            "Written to the store",
            Bytes,
            Neither,
            "pourtrait backup list",
        ),
        line(
            Backups,
            "backup_age",
            "Age of the newest backup",
            Seconds,
            Lower,
            "pourtrait backup list",
        ),
        line(
            Backups,
            "verified_age",
            "Since a backup was restored whole",
            Seconds,
            Lower,
            "pourtrait backup drill",
        ),
        line(
            Backups,
            "checked_age",
            "Since a backup was found whole in its store",
            Seconds,
            Lower,
            "pourtrait backup verify",
        ),
        line(
            Backups,
            "drill_age",
            "Since the last drill",
            Seconds,
            Lower,
            "pourtrait backup drill",
        ),
        line(
            Backups,
            "drill_time",
            "What the last drill took to restore",
            Seconds,
            Lower,
            "pourtrait backup drill",
        ),
        line(
            Backups,
            "backups_missed",
            "Backups that nobody called",
            Count,
            Lower,
            "pourtrait schedule status",
        ),
        line(
            Backups,
            "rpo_largest",
            "The newest backup was at most that old (RPO)",
            Seconds,
            Lower,
            "pourtrait backup evidence",
        ),
        line(
            Backups,
            "rpo_median",
            "The newest backup was that old in the median",
            Seconds,
            Lower,
            "pourtrait backup evidence",
        ),
        line(
            Backups,
            "drills",
            "Drills made",
            Count,
            Higher,
            "pourtrait backup drill",
        ),
        line(
            Backups,
            "drills_bad",
            "Drills that found something",
            Count,
            Lower,
            "pourtrait backup drill",
        ),
        line(
            Backups,
            "rto_largest",
            "The longest restore that a drill measured (RTO)",
            Seconds,
            Lower,
            "pourtrait backup drill",
        ),
        line(
            Backups,
            "reviews",
            "Reviews of the evidence of backups",
            Count,
            Neither,
            "pourtrait backup evidence review",
        ),
        line(
            Resources,
            "jobs_missed",
            "Runs that nobody called",
            Count,
            Lower,
            "pourtrait schedule status",
        ),
        line(
            Resources,
            "jobs_failed",
            "Runs that failed",
            Count,
            Lower,
            "/dashboard",
        ),
        line(
            Resources,
            "database_size",
            "Size of the database",
            Bytes,
            Neither,
            "pourtrait database show",
        ),
        line(
            Resources,
            "database_growth",
            "Growth of the database",
            Bytes,
            Neither,
            "pourtrait database show",
        ),
        line(
            Resources,
            "rows_deleted",
            "Rows deleted by age",
            Count,
            Neither,
            "pourtrait maintenance plan",
        ),
        line(
            Resources,
            "connections",
            "Database connections in use",
            Percent,
            Lower,
            "pourtrait database show",
        ),
        line(
            Resources,
            "slow_calls",
            "Slow statements called a minute",
            Count,
            Lower,
            "pourtrait database show",
        ),
        line(
            Resources,
            "month_cost",
            "What the month is going to cost",
            Dollars,
            Lower,
            "pourtrait costs",
        ),
        line(
            Use,
            "people",
            "People",
            Count,
            Higher,
            "pourtrait retention",
        ),
        line(
            Use,
            "people_new",
            "People there for the first time",
            Count,
            Higher,
            "pourtrait retention",
        ),
        line(Use, "visits", "Visits", Count, Higher, "/dashboard"),
        line(Use, "sessions", "Sessions", Count, Higher, "/dashboard"),
        line(
            Use,
            "feature",
            "Uses of a feature",
            Count,
            Neither,
            "/dashboard",
        ),
        line(Use, "event", "Events", Count, Neither, "/dashboard"),
        line(
            Use,
            "conversion",
            "Taste profiles completed for each registration",
            Percent,
            Higher,
            "pourtrait funnels list",
        ),
        line(
            Use,
            "feedback",
            "Feedback written",
            Count,
            Neither,
            "pourtrait feedback list",
        ),
        line(
            Access,
            "sign_ins_failed",
            "Failed attempts to sign in",
            Count,
            Lower,
            "/dashboard",
        ),
        line(
            Access,
            "admins",
            "Admins",
            Count,
            Neither,
            "pourtrait roles list",
        ),
        line(
            Access,
            "roles_changed",
            "Roles given, taken or found changed",
            Count,
            Neither,
            "pourtrait audit list",
        ),
        line(
            Access,
            "keys_changed",
            "Keys added, rotated or revoked",
            Count,
            Neither,
            "pourtrait audit list",
        ),
        line(
            Access,
            "settings_changed",
            "Settings and checks changed",
            Count,
            Neither,
            "pourtrait audit list",
        ),
        line(
            Access,
            "refusals",
            "Refused access",
            Count,
            Lower,
            "pourtrait audit list",
        ),
        line(
            Changes,
            "deployments",
            "Deployments",
            Count,
            Neither,
            "/dashboard",
        ),
        line(
            Changes,
            "deployments_failed",
            "Deployments that failed",
            Count,
            Lower,
            "/dashboard",
        ),
        line(
            Changes,
            "rollbacks",
            "Rollbacks",
            Count,
            Lower,
            "/dashboard",
        ),
        line(
            Changes,
            "certificate_days",
            "Until the next certificate ends",
            Days,
            Higher,
            "pourtrait checks list",
        ),
        line(
            Changes,
            "outdated",
            "Outdated dependencies",
            Count,
            Lower,
            "pourtrait report outdated",
        ),
    ]
};
