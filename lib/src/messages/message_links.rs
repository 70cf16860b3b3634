//! The links of a message: where its reader goes on.

use url::Url;
use uuid::Uuid;

/// A place where a reader goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// What is there.
    pub label: &'static str,
    /// An absolute URL that needs no escaping beyond the channel's own.
    pub url: String,
}

/// The name of the link by which a reader acknowledges.
pub const ACKNOWLEDGE: &str = "Acknowledge";

/// The name of the link by which a reader snoozes.
pub const SNOOZE: &str = "Snooze";

const INCIDENT: &str = "Open incident";
const ALERT: &str = "Open alert";
const DASHBOARD: &str = "Dashboard";

/// Whether a link leads to the pages of this bundle, where what it is about can be answered
/// after signing in.
#[must_use]
pub fn is_of_pages(link: &Link) -> bool {
    [INCIDENT, ALERT, DASHBOARD].contains(&link.label)
}

impl Link {
    /// Whether it leads on. The others act, which is not for whoever merely looks.
    #[must_use]
    pub fn leads_on(&self) -> bool {
        ![ACKNOWLEDGE, SNOOZE].contains(&self.label)
    }
}

/// The link among those by which a reader acknowledges.
#[must_use]
pub fn acknowledging(links: &[Link]) -> Option<&Link> {
    links.iter().find(|link| link.label == ACKNOWLEDGE)
}

/// No rule has a longer id, and services refuse endless links.
const ANCHOR_LIMIT: usize = 100;

/// Where links lead.
#[derive(Debug, Clone, Copy, Default)]
pub struct Places<'a> {
    /// Where the bundle answers; without it there are no links into it.
    pub base: Option<&'a Url>,
    /// A runbook elsewhere, from the settings; else the bundle's own page.
    pub runbook: Option<&'a Url>,
}

impl Places<'_> {
    /// The runbook's entry of a rule.
    pub(super) fn runbook(self, rule: &str) -> Option<Link> {
        let page = match (self.runbook, self.base) {
            (Some(elsewhere), _) => elsewhere.as_str().to_owned(),
            (None, Some(base)) => format!("{}/runbook.html", trimmed(base)),
            (None, None) => return None,
        };
        // The runbook has entries for rules alone.
        if rule.is_empty() {
            return None;
        }
        // An id is a word. Anything else that a database might send has no anchor.
        let anchor: String = rule
            .chars()
            .filter(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-'))
            .take(ANCHOR_LIMIT)
            .collect();
        Some(Link {
            label: "Runbook",
            url: format!("{page}#{anchor}"),
        })
    }

    /// The dashboard, open at what a message is about: at its incident, else at its alert.
    pub(super) fn dashboard(self, incident: Option<Uuid>, alert: Option<Uuid>) -> Option<Link> {
        let page = format!("{}/dashboard", trimmed(self.base?));
        let (label, url) = match (incident, alert) {
            (Some(incident), _) => (INCIDENT, format!("{page}#incident={incident}")),
            (None, Some(alert)) => (ALERT, format!("{page}#alert={alert}")),
            (None, None) => (DASHBOARD, page),
        };
        Some(Link { label, url })
    }
}

fn trimmed(base: &Url) -> &str {
    base.as_str().trim_end_matches('/')
}
