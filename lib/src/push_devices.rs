//! The devices on which contacts are reached by push messages: how one is added and taken
//! away. A subscription is read here before the database sees it, by the same type that
//! sends there.

use outside::clock::Deadline;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    app::App,
    messages::plain_text,
    problem::Problem,
    rpc::{Call, INVALID_PARAMETER_VALUE, Retry, RpcError},
};

/// The longest name of a device, in characters.
const NAME_LIMIT: usize = 100;

/// Adds a device to a contact, by one of the two.
#[derive(Debug, Serialize)]
pub struct AddDevice {
    /// What its owner calls it.
    pub p_name: String,
    /// As [`Subscription::json`](crate::web_push::Subscription::json) writes it.
    pub p_subscription: Secret,
    /// Who adds it.
    pub p_by: String,
    /// The contact.
    pub p_contact: Option<Uuid>,
    /// The contact's email address.
    pub p_email: Option<String>,
}

/// A document that logs never show.
#[derive(Serialize)]
#[serde(transparent)]
pub struct Secret(Value);

impl std::fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("[secret]")
    }
}

/// Takes a device away, from a contact by one of the two, by its id or its endpoint.
#[derive(Debug, Serialize)]
pub struct RemoveDevice {
    /// The contact.
    pub p_contact: Option<Uuid>,
    /// The contact's email address.
    pub p_email: Option<String>,
    /// The device.
    pub p_device: Option<Uuid>,
    /// Where its browser is reached.
    pub p_endpoint: Option<String>,
}

/// The devices of a contact, after a change.
#[derive(Debug, Serialize, Deserialize)]
pub struct Devices {
    /// The contact's name.
    pub contact: String,
    /// Whether one was added or changed; of a removal nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub added: Option<bool>,
    /// How many were removed; of an addition nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removed: Option<u64>,
    /// All that there are now.
    pub devices: Vec<Device>,
}

/// A device that is reached.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Device {
    /// Its id.
    pub id: Uuid,
    /// What its owner calls it.
    pub name: String,
    /// When it was added, RFC 3339.
    pub added_at: String,
    /// When a message to it was last accepted, RFC 3339.
    pub proven_at: Option<String>,
}

impl Call for AddDevice {
    const NAME: &'static str = "ops_add_device";
    // The same browser again changes nothing.
    const RETRY: Retry = Retry::Idempotent;
    type Output = Devices;
}

impl Call for RemoveDevice {
    const NAME: &'static str = "ops_remove_device";
    const RETRY: Retry = Retry::Idempotent;
    type Output = Devices;
}

impl AddDevice {
    /// The call that adds a browser's subscription to somebody's devices.
    ///
    /// # Errors
    /// Why it is no subscription to push messages of this deployment.
    pub fn of(
        app: &App,
        subscription: &Value,
        name: &str,
        by: String,
    ) -> Result<Self, &'static str> {
        let web_push = app.config.web_push.as_ref();
        let web_push = web_push.ok_or("VAPID_PRIVATE_KEY is not set, or of no use")?;
        let name = plain_text::cut(&plain_text::line(name), NAME_LIMIT);
        Ok(Self {
            p_name: if name.is_empty() {
                "a browser".to_owned()
            } else {
                name
            },
            p_subscription: Secret(web_push.subscription(subscription)?.json()),
            p_by: by,
            p_contact: None,
            p_email: None,
        })
    }
}

/// Lets a signed-in person be reached on the device from which they ask. Their email address
/// is the proof that they are that contact.
///
/// # Errors
/// 400 if that is no subscription, or no contact has the address; 503 if pushes are not
/// configured, or the database cannot be asked.
pub async fn add(
    app: &App,
    email: &str,
    subscription: &Value,
    name: &str,
    deadline: Deadline,
) -> Result<Devices, Problem> {
    if app.config.web_push.is_none() {
        return Err(Problem::Unavailable("push messages are not configured"));
    }
    let call = AddDevice::of(app, subscription, name, email.to_owned())
        .map_err(|problem| Problem::BadRequest(problem.to_owned()))?;
    let call = AddDevice {
        p_email: Some(email.to_owned()),
        ..call
    };
    app.call(&call, deadline)
        .await
        .map_err(|error| refusal(&error))
}

/// Reaches a signed-in person no longer on the device with that endpoint.
///
/// # Errors
/// 400 if no contact has the address, 503 if the database cannot be asked.
pub async fn remove(
    app: &App,
    email: &str,
    endpoint: &str,
    deadline: Deadline,
) -> Result<Devices, Problem> {
    let call = RemoveDevice {
        p_contact: None,
        p_email: Some(email.to_owned()),
        p_device: None,
        p_endpoint: Some(endpoint.to_owned()),
    };
    app.call(&call, deadline)
        .await
        .map_err(|error| refusal(&error))
}

fn refusal(error: &RpcError) -> Problem {
    match error {
        RpcError::Refused { code, message, .. } if code == INVALID_PARAMETER_VALUE => {
            Problem::BadRequest(message.clone())
        }
        RpcError::Unconfigured => Problem::Unavailable("the database is not configured"),
        RpcError::Refused { .. } | RpcError::Unreachable(_) | RpcError::Garbage { .. } => {
            tracing::error!(%error, "the devices of a contact cannot be changed");
            Problem::Unavailable("the database cannot be asked now; try again")
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::fake_server;

    fn subscription(endpoint: &str) -> Value {
        json!({"endpoint": endpoint, "keys": {
            "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
            "auth": "BTBZMqHH6r4Tts7J_aSIgg",
        }})
    }

    const VARIABLES: [(&str, &str); 2] = [
        (
            "VAPID_PRIVATE_KEY",
            "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw",
        ),
        ("BASE_URL", "https://ops.wine.example"),
    ];

    #[test]
    fn a_device_is_named_in_one_line_and_its_keys_are_never_shown() {
        let app = fake_server::app(&VARIABLES);
        for (name, expected) in [
            ("Anna's\n\u{202e}iPhone", "Anna's iPhone"),
            (" \u{200b}", "a browser"),
        ] {
            let subscription = subscription("https://web.push.apple.com/Q1");
            let call = AddDevice::of(&app, &subscription, name, "anna".into()).unwrap();
            assert_eq!(call.p_name, expected);
            let shown = format!("{call:?}");
            assert!(!shown.contains("BTBZM") && !shown.contains("Q1"), "{shown}");
        }
    }

    #[tokio::test]
    async fn what_is_no_subscription_never_reaches_the_database() {
        let deadline = Deadline::after(Duration::from_secs(5));
        let app = fake_server::app(&VARIABLES);
        for odd in [
            json!({}),
            subscription("https://evil.example/x"),
            subscription("http://127.0.0.1/x"),
        ] {
            let refused = add(&app, "anna@wine.example", &odd, "iPhone", deadline).await;
            assert!(matches!(refused, Err(Problem::BadRequest(_))), "{odd}");
        }
        let closed = fake_server::app(&VARIABLES[1..]);
        let fine = subscription("https://web.push.apple.com/Q1");
        let refused = add(&closed, "anna@wine.example", &fine, "iPhone", deadline).await;
        assert!(matches!(refused, Err(Problem::Unavailable(_))));
    }
}
