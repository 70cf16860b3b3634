//! The services that the app stands on, and what a probe of one can find.

use jiff::Timestamp;
use outside::failure::Failure;

/// A service that the app stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Service {
    /// PostgreSQL behind `PostgREST`.
    Database,
    /// `OpenAI`.
    Ai,
    /// Google Vision.
    ImageProcessing,
    /// Resend.
    Email,
    /// Supabase Storage.
    Storage,
}

impl Service {
    /// Every service, in the order in which they are shown.
    pub const ALL: [Self; 5] = [
        Self::Database,
        Self::Ai,
        Self::ImageProcessing,
        Self::Email,
        Self::Storage,
    ];

    /// The services without which the app is down.
    pub const CRITICAL: [Self; 1] = [Self::Database];

    /// The key under which answers and samples carry it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Database => "database",
            Self::Ai => "ai",
            Self::ImageProcessing => "imageProcessing",
            Self::Email => "email",
            Self::Storage => "storage",
        }
    }

    /// Whether the app is down without it.
    #[must_use]
    pub fn is_critical(self) -> bool {
        Self::CRITICAL.contains(&self)
    }
}

/// What one probe found.
#[derive(Debug, Clone)]
pub struct Reading {
    /// The verdict.
    pub outcome: Outcome,
    /// Milliseconds until the answer, or until it was given up; `None` where
    /// nothing was asked.
    pub response_time_ms: Option<f64>,
    /// When the probe ended.
    pub at: Timestamp,
}

/// The verdict of a probe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It answered as it should.
    Healthy,
    /// It answers, and warns: it is over a quota.
    Degraded(Reason),
    /// It does not do its work.
    Unhealthy(Reason),
    /// No key, so nothing was asked and nothing follows.
    Unconfigured,
}

impl Outcome {
    /// The word that answers carry.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Degraded(_) => "degraded",
            Self::Unhealthy(_) => "unhealthy",
            Self::Unconfigured => "unconfigured",
        }
    }

    /// Why it is not healthy.
    #[must_use]
    pub fn reason(&self) -> Option<&Reason> {
        match self {
            Self::Degraded(reason) | Self::Unhealthy(reason) => Some(reason),
            Self::Healthy | Self::Unconfigured => None,
        }
    }
}

/// Why a service is not healthy, told apart by what an operator would do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// No usable answer arrived.
    #[error("{0}")]
    Unreachable(Failure),
    /// The key was refused: a configuration fault, not an outage.
    #[error("the key was refused with {0}: check the variable that holds it")]
    Auth(u16),
    /// Over a quota or a rate.
    #[error("over its quota or rate limit (429)")]
    Quota,
    /// It sent us elsewhere.
    #[error("answered {0}, a redirect: check its base URL")]
    Redirect(u16),
    /// It answered with an error.
    #[error("answered {0}")]
    Status(u16),
    /// It answered 200 with something else than it should.
    #[error("answered something that is not its API")]
    Rubbish,
    /// The database is there, our functions are not.
    #[error("the database lacks the bundle's functions: run `pourtrait migrate`")]
    NotMigrated,
}

impl Reason {
    /// The stable word that samples and messages carry.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Unreachable(failure) => failure.as_str(),
            Self::Auth(_) => "auth",
            Self::Quota => "quota",
            Self::Redirect(_) => "redirect",
            Self::Status(_) => "http_status",
            Self::Rubbish => "rubbish",
            Self::NotMigrated => "not_migrated",
        }
    }
}
