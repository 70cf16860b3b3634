//! Faults: any service of the stack can refuse, hang, answer slowly or answer
//! with an error, until it is healed.

use std::{collections::BTreeMap, time::Duration};

use http::StatusCode;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::clock;

/// How late a slow service answers where nobody said.
const SLOW: Duration = Duration::from_secs(1);

/// What can break.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Service {
    /// All of `/rest/v1`; direct connections to PostgreSQL stay as they are.
    Database,
    /// `OpenAI`'s API.
    Openai,
    /// Google Vision's API.
    Vision,
    /// Resend's API.
    Resend,
    /// All of `/storage/v1`.
    Storage,
    /// Slack's incoming webhook, and its API.
    Slack,
    /// Discord's webhook.
    Discord,
    /// The machine that is told by a request.
    Webhook,
    /// `PagerDuty`'s Events API.
    Pagerduty,
    /// Twilio's API.
    Twilio,
    /// ntfy.
    Ntfy,
    /// Telegram's Bot API.
    Telegram,
    /// A workflow of Microsoft Teams'.
    Teams,
    /// A push service.
    Push,
    /// The sample app.
    App,
}

impl Service {
    /// Every service.
    pub const ALL: [Self; 15] = [
        Self::Database,
        Self::Openai,
        Self::Vision,
        Self::Resend,
        Self::Storage,
        Self::Slack,
        Self::Discord,
        Self::Webhook,
        Self::Pagerduty,
        Self::Twilio,
        Self::Ntfy,
        Self::Telegram,
        Self::Teams,
        Self::Push,
        Self::App,
    ];
}

/// How a service behaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// As it should.
    #[default]
    Ok,
    /// Takes no connection; where it shares its port with others, cuts the
    /// connections that ask for it.
    Refuse,
    /// Takes requests and never answers.
    Hang,
    /// Answers after a delay.
    Slow,
    /// Answers every request with an error status.
    Status,
}

/// A service's behaviour, whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fault {
    /// How it behaves.
    pub mode: Mode,
    /// How long `slow` and `status` wait before they answer, in milliseconds;
    /// without a value 1,000 and 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<u64>,
    /// The status of mode `status`; without a value 500.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
}

impl From<Mode> for Fault {
    fn from(mode: Mode) -> Self {
        Self {
            mode,
            ..Self::default()
        }
    }
}

impl Fault {
    /// The status that mode `status` answers with.
    #[must_use]
    pub fn status_code(&self) -> StatusCode {
        self.status
            .and_then(|status| StatusCode::from_u16(status).ok())
            .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

/// What becomes of a request at a service that may be broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passage {
    /// It goes through.
    Through,
    /// It is answered with this status.
    Status(StatusCode),
    /// Its connection is cut.
    Cut,
}

/// The present behaviour of every service.
#[derive(Debug)]
pub struct Faults {
    current: watch::Sender<BTreeMap<Service, Fault>>,
}

impl Default for Faults {
    fn default() -> Self {
        let healthy = Service::ALL.map(|service| (service, Fault::default()));
        Self {
            current: watch::Sender::new(healthy.into()),
        }
    }
}

impl Faults {
    /// Changes a service's behaviour, and drops the requests that hang at it.
    pub fn set(&self, service: Service, fault: Fault) {
        self.current.send_modify(|current| {
            current.insert(service, fault);
        });
    }

    /// How a service behaves now.
    #[must_use]
    pub fn of(&self, service: Service) -> Fault {
        self.current
            .borrow()
            .get(&service)
            .copied()
            .unwrap_or_default()
    }

    /// How every service behaves now.
    #[must_use]
    pub fn all(&self) -> BTreeMap<Service, Fault> {
        self.current.borrow().clone()
    }

    /// Takes a request through a service's behaviour: returns when it may be
    /// answered, and how.
    pub async fn pass(&self, service: Service) -> Passage {
        let fault = self.of(service);
        let delay = fault.delay_ms.map(Duration::from_millis);
        match fault.mode {
            Mode::Ok => Passage::Through,
            Mode::Refuse => Passage::Cut,
            Mode::Hang => {
                self.changed(service, fault).await;
                Passage::Cut
            }
            Mode::Slow => {
                clock::wait(delay.unwrap_or(SLOW)).await;
                Passage::Through
            }
            Mode::Status => {
                clock::wait(delay.unwrap_or_default()).await;
                Passage::Status(fault.status_code())
            }
        }
    }

    async fn changed(&self, service: Service, from: Fault) {
        let mut current = self.current.subscribe();
        // The sender lives as long as `self`, so this can only end by a change.
        let _changed = current
            .wait_for(|faults| faults.get(&service) != Some(&from))
            .await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn healing_cuts_what_hangs() {
        let faults = Faults::default();
        faults.set(Service::Slack, Mode::Hang.into());
        let hanging = faults.pass(Service::Slack);
        let healing = async {
            tokio::task::yield_now().await;
            faults.set(Service::Slack, Fault::default());
        };
        assert_eq!(tokio::join!(hanging, healing).0, Passage::Cut);
        assert_eq!(faults.pass(Service::Slack).await, Passage::Through);
    }

    #[tokio::test]
    async fn a_fault_breaks_one_service_alone() {
        let faults = Faults::default();
        let fault = Fault {
            mode: Mode::Status,
            status: Some(503),
            delay_ms: None,
        };
        faults.set(Service::Vision, fault);
        for service in Service::ALL {
            let expected = match service {
                Service::Vision => Passage::Status(StatusCode::SERVICE_UNAVAILABLE),
                _ => Passage::Through,
            };
            assert_eq!(faults.pass(service).await, expected, "{service:?}");
        }
    }

    #[test]
    fn a_fault_is_read_in_the_documented_form() {
        let fault: Fault = serde_json::from_str(r#"{"mode":"slow","delayMs":250}"#).unwrap();
        assert_eq!(fault.mode, Mode::Slow);
        assert_eq!(fault.delay_ms, Some(250));
        assert!(serde_json::from_str::<Fault>(r#"{"mode":"slow","delay":250}"#).is_err());
    }
}
