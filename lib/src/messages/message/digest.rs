//! Several messages as one: what could wait, or what is too much at once.

use serde::Deserialize;

use super::Message;
use crate::messages::{
    message_facts::{Facts, Kind},
    message_links::{Link, Places},
    quantities,
    recipients::Recipients,
};

/// Several messages as one.
#[derive(Debug, Clone, PartialEq)]
pub struct Digest {
    /// Why they come together.
    pub occasion: Occasion,
    /// In the order in which they came up; of a group, the worst first.
    pub messages: Vec<Message>,
    /// How many more it stands for.
    pub hidden: usize,
    /// To whom it goes.
    pub recipients: Recipients,
    /// The dashboard.
    pub links: Vec<Link>,
}

/// Why messages come together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Occasion {
    /// They could wait for their hour.
    #[default]
    Daily,
    /// There are too many at once, after one that says what is worst.
    Group,
}

/// Nobody reads further down a list that came at once.
const GROUP_SHOWN: usize = 10;

impl Digest {
    /// The daily digest of several messages' facts.
    #[must_use]
    pub fn new(items: &[Facts], places: Places<'_>) -> Self {
        Self {
            occasion: Occasion::Daily,
            messages: items
                .iter()
                .map(|facts| Message::new(facts, places))
                .collect(),
            hidden: 0,
            recipients: Recipients::default(),
            links: places.dashboard(None, None).into_iter().collect(),
        }
    }

    /// A group of that many messages to the same people, which are all
    /// beginnings or all ends; the facts are those of the worst.
    #[must_use]
    pub fn group(items: &[Facts], total: usize, places: Places<'_>) -> Self {
        let recipients = items.first().map(|facts| facts.recipients.clone());
        Self {
            occasion: Occasion::Group,
            hidden: total.saturating_sub(items.len()),
            recipients: recipients.unwrap_or_default(),
            ..Self::new(items, places)
        }
    }

    /// `Daily digest: 2 alerts, 1 resolved`, `12 more alerts`, `12 alerts resolved`.
    #[must_use]
    pub fn headline(&self) -> String {
        let resolved = self
            .messages
            .iter()
            .filter(|message| message.kind == Kind::Resolved)
            .count();
        let total = self.messages.len() + self.hidden;
        match self.occasion {
            Occasion::Daily => {
                let alerts = quantities::count((total - resolved) as u64, "alert");
                format!("Daily digest: {alerts}, {resolved} resolved")
            }
            Occasion::Group if resolved > 0 => {
                format!("{} resolved", quantities::count(total as u64, "alert"))
            }
            Occasion::Group => quantities::count(total as u64, "more alert"),
        }
    }

    /// The worst of a group, which says how bad the whole is.
    #[must_use]
    pub fn worst(&self) -> Option<&Message> {
        self.messages
            .first()
            .filter(|_| self.occasion == Occasion::Group)
    }

    /// What is shown where that many fit, and how many more there are.
    #[must_use]
    pub fn shown(&self, fit: usize) -> (&[Message], usize) {
        let fit = match self.occasion {
            Occasion::Daily => fit,
            Occasion::Group => fit.min(GROUP_SHOWN),
        };
        let shown = &self.messages[..self.messages.len().min(fit)];
        (shown, self.messages.len() - shown.len() + self.hidden)
    }
}
