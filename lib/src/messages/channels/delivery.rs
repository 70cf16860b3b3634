//! What became of an attempt to send.

use std::time::Duration;

use outside::failure::Failure;

/// What became of one attempt to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// The provider has it.
    Sent {
        /// The provider's name for it, if it gave one.
        provider_id: Option<String>,
    },
    /// It is not known whether it worked. It is tried again.
    Retry {
        /// How long the provider asks us to wait.
        after: Option<Duration>,
        /// The HTTP status, if there was an answer.
        status: Option<u16>,
        /// Why, in our own words: never what a provider answered, which may
        /// repeat a secret.
        error: &'static str,
    },
    /// Nobody can have got it, and it may work later.
    Refused {
        /// How long the provider asks us to wait.
        after: Option<Duration>,
        /// The HTTP status, if there was an answer.
        status: Option<u16>,
        /// Why, in our own words.
        error: &'static str,
    },
    /// The address is gone: nothing that is sent there will ever arrive.
    Gone {
        /// The HTTP status, if anything was sent.
        status: Option<u16>,
        /// Why, in our own words.
        error: &'static str,
    },
    /// It will never work as it is.
    Dead {
        /// The HTTP status.
        status: Option<u16>,
        /// Why, in our own words.
        error: &'static str,
    },
}

impl Delivery {
    /// Nothing was sent, for a reason of ours or of the network.
    pub(crate) fn unsent(error: &'static str) -> Self {
        Self::Refused {
            after: None,
            status: None,
            error,
        }
    }

    /// No answer came to what may have been sent.
    pub(crate) fn unanswered(error: &'static str) -> Self {
        Self::Retry {
            after: None,
            status: None,
            error,
        }
    }

    /// Nothing where the provider took it, else why it did not.
    pub(crate) fn accepted(self) -> Result<(), &'static str> {
        match self {
            Self::Sent { .. } => Ok(()),
            Self::Retry { error, .. }
            | Self::Refused { error, .. }
            | Self::Gone { error, .. }
            | Self::Dead { error, .. } => Err(error),
        }
    }

    /// Whether the provider has it.
    #[must_use]
    pub fn is_sent(&self) -> bool {
        matches!(self, Self::Sent { .. })
    }
}

impl From<Failure> for Delivery {
    fn from(failure: Failure) -> Self {
        let error = failure.as_str();
        match failure {
            // Nothing was written to anybody.
            Failure::Dns
            | Failure::Private
            | Failure::Connect
            | Failure::Tls
            | Failure::Request => Self::unsent(error),
            Failure::Timeout | Failure::Reset | Failure::TooLarge => Self::unanswered(error),
        }
    }
}
