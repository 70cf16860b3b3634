//! A subscription: where a browser's push service takes messages for it, and the keys that
//! they are encrypted to.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use outside::secure_url;
use serde_json::Value;
use url::{Host, Url};

/// The push services of the browsers that there are. Whoever could name another host would
/// make the bundle post wherever they like.
const SERVICES: [&str; 2] = ["fcm.googleapis.com", "updates.push.services.mozilla.com"];

/// Those that have a host for each of their machines.
const SERVICES_BELOW: [&str; 2] = [".push.apple.com", ".notify.windows.com"];

/// Real ones have under 300 bytes, Microsoft's under 800.
const ENDPOINT_LIMIT: usize = 2_000;

/// The bytes of an uncompressed point, and of the secret beside it.
pub(super) const POINT: usize = 65;
const AUTH: usize = 16;

/// Where a browser is reached, and what its messages are encrypted to.
#[derive(Clone, PartialEq, Eq)]
pub struct Subscription {
    endpoint: Url,
    pub(super) public_key: [u8; POINT],
    pub(super) auth: [u8; AUTH],
}

impl std::fmt::Debug for Subscription {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The endpoint lets whoever knows it write, and `auth` lets them read.
        formatter
            .debug_struct("Subscription")
            .field("service", &self.service())
            .finish_non_exhaustive()
    }
}

impl Subscription {
    /// `{"endpoint", "keys": {"p256dh", "auth"}}`, at a push service that is known or at the
    /// one that is named.
    pub(super) fn read(json: &Value, named_service: Option<&Url>) -> Result<Self, &'static str> {
        let endpoint = json["endpoint"].as_str();
        let endpoint = endpoint.ok_or("the subscription has no endpoint")?;
        let key: [u8; POINT] = bytes(&json["keys"]["p256dh"])
            .ok_or("keys.p256dh must be 65 bytes in base64url, an uncompressed point")?;
        if p256::PublicKey::from_sec1_bytes(&key).is_err() {
            return Err("keys.p256dh is no point of the curve P-256");
        }
        Ok(Self {
            endpoint: place(endpoint, named_service)?,
            public_key: key,
            auth: bytes(&json["keys"]["auth"]).ok_or("keys.auth must be 16 bytes in base64url")?,
        })
    }

    /// Where its messages go.
    #[must_use]
    pub fn endpoint(&self) -> &Url {
        &self.endpoint
    }

    /// The host of its push service.
    #[must_use]
    pub fn service(&self) -> &str {
        self.endpoint.host_str().unwrap_or_default()
    }

    /// It, as a browser writes it.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::json!({
            "endpoint": self.endpoint,
            "keys": {
                "p256dh": BASE64_URL_SAFE_NO_PAD.encode(self.public_key),
                "auth": BASE64_URL_SAFE_NO_PAD.encode(self.auth),
            },
        })
    }
}

fn bytes<const LENGTH: usize>(value: &Value) -> Option<[u8; LENGTH]> {
    let text = value.as_str()?.trim_end_matches('=');
    BASE64_URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()
}

fn place(endpoint: &str, named_service: Option<&Url>) -> Result<Url, &'static str> {
    if endpoint.len() > ENDPOINT_LIMIT {
        return Err("the endpoint is longer than 2,000 bytes");
    }
    let url = secure_url::parse(endpoint).map_err(|_| "the endpoint is not an https URL")?;
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return Err("the endpoint must name no user and no part of a page");
    }
    if named_service.is_some_and(|named| named.origin() == url.origin()) {
        return Ok(url);
    }
    let is_known = match url.host() {
        Some(Host::Domain(host)) if url.scheme() == "https" && url.port().is_none() => {
            SERVICES.contains(&host) || SERVICES_BELOW.iter().any(|below| host.ends_with(below))
        }
        _ => false,
    };
    if is_known {
        Ok(url)
    } else {
        Err("the endpoint is at none of the push services of Google, Mozilla, Apple and Microsoft")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const KEY: &str =
        "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
    const AUTH: &str = "BTBZMqHH6r4Tts7J_aSIgg";

    fn subscription(endpoint: &str) -> Value {
        json!({"endpoint": endpoint, "expirationTime": null, "keys": {"p256dh": KEY, "auth": AUTH}})
    }

    fn check(endpoint: &str, named: Option<&str>) -> Result<String, &'static str> {
        let named = named.map(|url| url.parse().unwrap());
        let read = Subscription::read(&subscription(endpoint), named.as_ref());
        read.map(|subscription| subscription.endpoint.to_string())
    }

    #[test]
    fn the_push_services_of_the_browsers_are_known() {
        for endpoint in [
            "https://fcm.googleapis.com/fcm/send/c1:APA91b-x_y",
            "https://fcm.googleapis.com/wp/c1:APA91b",
            "https://updates.push.services.mozilla.com/wpush/v2/gAAAA",
            "https://web.push.apple.com/QGuQyavXutnMH",
            "https://wns2-par02p.notify.windows.com/w/?token=BQYAAA%3d%3d",
        ] {
            assert_eq!(check(endpoint, None).as_deref(), Ok(endpoint));
        }
        // What the standard of URLs takes for the same host is the same host.
        for same in [
            "https://FCM.googleapis.com:443/x",
            "https://\u{ff46}cm.googleapis.com/x",
            " https:\\\\fcm.googleapis.com\\x",
        ] {
            assert_eq!(
                check(same, None).as_deref(),
                Ok("https://fcm.googleapis.com/x"),
                "{same}"
            );
        }
    }

    #[test]
    fn no_other_place_is_posted_to() {
        let long = format!("https://fcm.googleapis.com/{}", "x".repeat(2_000));
        for endpoint in [
            "",
            "fcm.googleapis.com/x",
            "http://fcm.googleapis.com/x",
            "ftp://fcm.googleapis.com/x",
            "javascript:alert(1)",
            "https://",
            "https://evil.example/x",
            "https://fcm.googleapis.com.evil.example/x",
            "https://evil.example/fcm.googleapis.com",
            "https://evilfcm.googleapis.com/x",
            "https://fcm.googleapis.com./x",
            "https://fcm.googleapis.com:8443/x",
            "https://fcm.googleapis.com@evil.example/x",
            "https://anna@fcm.googleapis.com/x",
            "https://anna:secret@fcm.googleapis.com/x",
            "https://fcm.googleapis.com/x#y",
            "https://push.apple.com/x",
            "https://.push.apple.com.evil.example/x",
            "https://evil-push.apple.com/x",
            "https://web.push.apple.com./x",
            "https://xn--fm-fka.googleapis.com/x",
            "https://fc\u{43c}.googleapis.com/x",
            "https://127.0.0.1/x",
            "https://[::1]/x",
            "https://2130706433/x",
            "https://169.254.169.254/latest/meta-data",
            "http://127.0.0.1:9999/x",
            "http://localhost:9999/x",
            &long,
        ] {
            assert!(check(endpoint, None).is_err(), "{endpoint}");
        }
    }

    #[test]
    fn a_named_service_is_taken_at_its_own_origin_alone() {
        let named = Some("http://127.0.0.1:4100/push");
        for (endpoint, taken) in [
            ("http://127.0.0.1:4100/a", true),
            ("http://127.0.0.1:4101/a", false),
            ("http://localhost:4100/a", false),
            ("https://127.0.0.1:4100/a", false),
            ("http://anna@127.0.0.1:4100/a", false),
            ("https://fcm.googleapis.com/a", true),
        ] {
            assert_eq!(check(endpoint, named).is_ok(), taken, "{endpoint}");
        }
    }

    #[test]
    fn keys_have_their_length_and_lie_on_the_curve() {
        let off_the_curve = BASE64_URL_SAFE_NO_PAD.encode([4; 65]);
        let compressed = BASE64_URL_SAFE_NO_PAD.encode([2; 33]);
        let infinity = BASE64_URL_SAFE_NO_PAD.encode([0; 65]);
        for (key, auth, taken) in [
            (KEY, AUTH, true),
            (&format!("{KEY}="), &format!("{AUTH}=="), true),
            (&off_the_curve, AUTH, false),
            (&compressed, AUTH, false),
            (&infinity, AUTH, false),
            (&KEY[..80], AUTH, false),
            ("", AUTH, false),
            ("+/+/", AUTH, false),
            (KEY, "", false),
            (KEY, &AUTH[..20], false),
            (KEY, KEY, false),
        ] {
            let mut json = subscription("https://fcm.googleapis.com/x");
            json["keys"] = json!({"p256dh": key, "auth": auth});
            assert_eq!(
                Subscription::read(&json, None).is_ok(),
                taken,
                "{key} {auth}"
            );
        }
        for odd in [
            json!(null),
            json!([]),
            json!("x"),
            json!({"endpoint": 1}),
            json!({"endpoint": "https://fcm.googleapis.com/x", "keys": []}),
            json!({"endpoint": "https://fcm.googleapis.com/x", "keys": {"p256dh": {}, "auth": 7}}),
        ] {
            assert!(Subscription::read(&odd, None).is_err(), "{odd}");
        }
    }

    #[test]
    fn it_is_written_as_it_was_read_and_shows_no_secret() {
        let read =
            Subscription::read(&subscription("https://fcm.googleapis.com/secret"), None).unwrap();
        assert_eq!(Subscription::read(&read.json(), None), Ok(read.clone()));
        let shown = format!("{read:?}");
        assert!(
            shown.contains("fcm.googleapis.com") && !shown.contains("secret"),
            "{shown}"
        );
    }
}
