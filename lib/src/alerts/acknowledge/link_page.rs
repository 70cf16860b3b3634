//! The page behind a link: one alert, and a form that does one thing about it.
//! It has no script and no style of its own: the policy of `vercel.json` allows neither.

use std::fmt::Write;

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use jiff::Timestamp;
use serde_json::Value;

use super::requested_action::{BEGINNINGS, SNOOZES, Scope};
use crate::{
    auth::signed_link::LinkAction,
    messages::{
        message::Message, message_facts::Facts, message_links::Places, plain_text, quantities,
    },
};

/// The stylesheet of the static pages.
const STYLE: &str = "/assets/style.d79e7d46318a.css";

/// What `vercel.json` sends with every answer, for platforms that do not.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

const LIMIT: usize = 2_000;

/// What is to be shown.
#[derive(Debug, Clone, Copy)]
pub(super) enum Page<'a> {
    /// The alert with the form of a link that may act.
    Ask {
        alert: &'a Value,
        action: LinkAction,
        token: &'a str,
    },
    /// The alert after a link has acted.
    Done { alert: &'a Value },
    /// The alert is over.
    Resolved { alert: &'a Value },
    /// The link has acted before.
    Used { alert: &'a Value },
    /// The link's time is over.
    Expired { alert: &'a Value },
    /// The link is none of ours, or its alert is unknown.
    Invalid,
}

impl Page<'_> {
    fn status(self) -> StatusCode {
        match self {
            Self::Ask { .. } | Self::Done { .. } | Self::Resolved { .. } => StatusCode::OK,
            Self::Used { .. } | Self::Expired { .. } => StatusCode::GONE,
            Self::Invalid => StatusCode::UNAUTHORIZED,
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Ask {
                action: LinkAction::Acknowledge,
                ..
            } => "Acknowledge this alert?",
            Self::Ask {
                action: LinkAction::Snooze,
                ..
            } => "Snooze this alert?",
            Self::Done { .. } => "Done",
            Self::Resolved { .. } => "This alert is over",
            Self::Used { .. } => "This link was used before",
            Self::Expired { .. } => "This link has expired",
            Self::Invalid => "This link is not valid",
        }
    }

    fn body(self) -> String {
        match self {
            Self::Ask {
                alert,
                action,
                token,
            } => described(alert) + &form(alert, action, token),
            Self::Done { alert } | Self::Resolved { alert } => described(alert),
            Self::Used { alert } | Self::Expired { alert } => {
                described(alert)
                    + "<p>Use the link of a newer message, or <code>pourtrait alerts</code>.</p>"
            }
            Self::Invalid => {
                "<p>It may have been cut off. Copy it whole from the message.</p>".to_owned()
            }
        }
    }

    /// The answer that shows it.
    pub(super) fn response(self) -> Response<Bytes> {
        let title = self.title();
        let html = format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"robots\" content=\"noindex\">\n<title>{title}</title>\n\
             <link rel=\"stylesheet\" href=\"{STYLE}\">\n</head>\n<body>\n<h1>{title}</h1>\n{}\n</body>\n</html>\n",
            self.body()
        );
        let mut response = Response::new(Bytes::from(html));
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        for (name, value) in [
            (header::CONTENT_TYPE, "text/html; charset=utf-8"),
            (header::CONTENT_SECURITY_POLICY, POLICY),
            // The address holds the token.
            (header::REFERRER_POLICY, "no-referrer"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        response
    }
}

/// The alert as its messages show it, and where it stands.
fn described(alert: &Value) -> String {
    let message = Message::new(&Facts::read(&alert["facts"]), Places::default());
    let mut html = format!(
        "<h2>{}: {}</h2>\n<table>\n",
        message.label(),
        plain_text::html(&plain_text::line(&message.headline), LIMIT)
    );
    let standing = ("Now", standing(alert));
    let fields = message
        .fields
        .into_iter()
        .map(|field| (field.label, field.value));
    for (label, value) in fields.chain([standing]) {
        let value = plain_text::html(&plain_text::paragraph(&value), LIMIT).replace('\n', "<br>");
        let _ = writeln!(html, "<tr><th>{label}</th><td>{value}</td></tr>");
    }
    html + "</table>\n"
}

fn standing(alert: &Value) -> String {
    let by = alert["acknowledgedBy"].as_str();
    let until: Option<Timestamp> = alert["acknowledgedUntil"]
        .as_str()
        .and_then(|time| time.parse().ok());
    match (alert["status"].as_str(), by, until) {
        (Some("acknowledged"), Some(by), Some(until)) => {
            format!("acknowledged by {by} until {}", quantities::time(until))
        }
        (Some("resolved"), ..) => "resolved".to_owned(),
        _ if alert["heldBy"].is_object() => "held, as the consequence of another alert".to_owned(),
        _ => "nobody has acknowledged it".to_owned(),
    }
}

fn form(alert: &Value, action: LinkAction, token: &str) -> String {
    let token = plain_text::html(token, LIMIT);
    let (choice, button, meaning) = match action {
        LinkAction::Acknowledge => (
            scopes(alert, &[Scope::Alert, Scope::Incident]),
            "Acknowledge",
            "Nobody else is called while you are at it. If it is not resolved in time, it fires again.",
        ),
        LinkAction::Snooze => (
            snoozes() + &scopes(alert, &Scope::ALL.map(|(scope, _)| scope)) + &beginnings(),
            "Snooze",
            "Nobody is called until then. If it is not resolved by then, it fires again.",
        ),
    };
    format!(
        "<form method=\"post\" action=\"/api/alerts/acknowledge\">\n\
         <input type=\"hidden\" name=\"token\" value=\"{token}\">\n{choice}\
         <p><label>Your name <input name=\"name\" maxlength=\"100\" autocomplete=\"name\"></label></p>\n\
         <p><label>Note <input name=\"note\" maxlength=\"500\"></label></p>\n\
         <p><button type=\"submit\">{button}</button></p>\n</form>\n<p>{meaning}</p>"
    )
}

/// How far the answer may go, as far as the alert has an incident and a service.
fn scopes(alert: &Value, offered: &[Scope]) -> String {
    let facts = &alert["facts"];
    let meaning = |scope| match scope {
        Scope::Alert => Some("this alert alone".to_owned()),
        Scope::Incident => {
            let incident = facts["incident"].as_u64()?;
            Some(format!("every open alert of incident #{incident}"))
        }
        Scope::Rule => {
            let rule = facts["rule"].as_str()?;
            Some(format!("silence whatever {rule} finds"))
        }
        Scope::Service => {
            let service = facts["service"].as_str()?;
            Some(format!("silence whatever concerns {service}"))
        }
    };
    let options = Scope::ALL.iter().filter_map(|(scope, word)| {
        let meaning = offered.contains(scope).then(|| meaning(*scope))??;
        let meaning = plain_text::html(&plain_text::line(&meaning), LIMIT);
        Some(format!("<option value=\"{word}\">{meaning}</option>"))
    });
    let options: Vec<String> = options.collect();
    if options.len() < 2 {
        return String::new();
    }
    let options = options.concat();
    format!("<p><label>About <select name=\"scope\">{options}</select></label></p>\n")
}

/// When a silence begins; an alert that is snoozed is snoozed at once.
fn beginnings() -> String {
    let later = BEGINNINGS.map(|minutes| {
        let hours = minutes / 60;
        format!("<option value=\"{minutes}\">in {hours} h</option>")
    });
    let later = later.concat();
    format!(
        "<p><label>A silence begins <select name=\"in\"><option value=\"0\">now</option>{later}</select></label></p>\n"
    )
}

fn snoozes() -> String {
    let options =
        SNOOZES.map(|(minutes, label)| format!("<option value=\"{minutes}\">{label}</option>"));
    let options = options.concat();
    format!("<p><label>For <select name=\"minutes\">{options}</select></label></p>\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn alert() -> Value {
        json!({
            "status": "acknowledged", "acknowledgedBy": "<b>Anna", "acknowledgedUntil": "2026-11-24T04:12:00Z",
            "facts": {"rule": "external", "severity": "critical", "kind": "firing", "subject": "x",
                      "title": "<script>alert(1)</script>", "since": "2026-11-24T03:12:00Z"},
        })
    }

    fn html(page: Page<'_>) -> String {
        String::from_utf8(page.response().into_body().to_vec()).unwrap()
    }

    #[test]
    fn what_others_wrote_stays_text() {
        let alert = alert();
        for page in [
            Page::Ask {
                alert: &alert,
                action: LinkAction::Snooze,
                token: "\"><script>",
            },
            Page::Done { alert: &alert },
            Page::Used { alert: &alert },
        ] {
            let html = html(page);
            assert!(!html.contains("<script"), "{html}");
            assert!(!html.contains("<b>"), "{html}");
            assert!(html.contains("&lt;script&gt;"), "{html}");
        }
    }

    #[test]
    fn the_pages_need_nothing_that_the_policy_forbids() {
        let alert = alert();
        let html = html(Page::Ask {
            alert: &alert,
            action: LinkAction::Acknowledge,
            token: "t",
        });
        for inline in ["<style", " style=", "onclick", "http://", "https://"] {
            assert!(!html.contains(inline), "{inline}");
        }
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
        assert!(std::fs::exists(format!("{root}/public{STYLE}")).unwrap());
        let platform = std::fs::read_to_string(format!("{root}/vercel.json")).unwrap();
        assert!(
            platform.contains(POLICY),
            "vercel.json sends another policy"
        );
    }

    #[test]
    fn a_status_says_whether_the_link_is_of_use() {
        let alert = alert();
        let alert = &alert;
        for (page, status) in [
            (Page::Done { alert }, 200),
            (Page::Resolved { alert }, 200),
            (Page::Used { alert }, 410),
            (Page::Expired { alert }, 410),
            (Page::Invalid, 401),
        ] {
            assert_eq!(page.response().status(), status);
        }
    }
}
