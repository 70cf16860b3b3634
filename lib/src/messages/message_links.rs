//! The links of a message: where its reader goes on.

use url::Url;

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

    /// The dashboard, over the last hour.
    pub(super) fn dashboard(self) -> Option<Link> {
        Some(Link {
            label: "Dashboard",
            url: format!(
                "{}/api/monitoring/dashboard?timeRange=1h",
                trimmed(self.base?)
            ),
        })
    }
}

fn trimmed(base: &Url) -> &str {
    base.as_str().trim_end_matches('/')
}
