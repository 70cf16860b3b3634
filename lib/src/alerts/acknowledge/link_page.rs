//! The page behind a link: one alert, and a form that does one thing about it, made for a
//! thumb in the dark. It has no script and no style of its own: the policy of `vercel.json`
//! allows neither. The name that somebody gave is remembered on their device by a cookie.

use std::fmt::Write;

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use jiff::Timestamp;
use serde_json::Value;

use super::requested_action::{BEGINNINGS, SNOOZES, Scope};
use crate::{
    auth::signed_link::LinkAction,
    messages::{
        message::Message,
        message_facts::{Facts, Severity},
        message_links::Places,
        plain_text, quantities,
    },
    own_reports,
};

/// What it looks like, in `web/acknowledge`.
const STYLE: &str = "/assets/acknowledge.d525e65f93f1.css";

/// What `vercel.json` sends with every answer, for platforms that do not.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; \
     report-uri /api/reports; report-to ops";

const LIMIT: usize = 2_000;

/// What is to be shown.
#[derive(Debug, Clone, Copy)]
pub(super) enum Page<'a> {
    /// The alert with the form of a link that may act.
    Ask {
        alert: &'a Value,
        action: LinkAction,
        token: &'a str,
        /// A link of the same message that does the other thing.
        other: Option<&'a str>,
        /// What its reader called themselves before.
        name: Option<&'a str>,
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
        const ANOTHER: &str = "<p>To answer it now, use the link of a newer message, the dashboard, or <code>pourtrait alerts</code>.</p>\n";
        match self {
            Self::Ask {
                alert,
                action,
                token,
                other,
                name,
            } => {
                let message = message(alert);
                top(
                    severity_class(message.severity),
                    message.label(),
                    &message.headline,
                ) + &stands(alert)
                    + &form(alert, action, token, name)
                    + &instead(action, other)
                    + &known(alert, &message)
            }
            Self::Done { alert } => ended(alert, "done", self.title(), ""),
            Self::Resolved { alert } => ended(alert, "over", self.title(), ""),
            // Whoever presses twice should see that the first time was enough.
            Self::Used { alert } if alert["status"] == "acknowledged" => {
                ended(alert, "done", self.title(), "")
            }
            Self::Used { alert } | Self::Expired { alert } => {
                ended(alert, "over", self.title(), ANOTHER)
            }
            Self::Invalid => {
                top("over", "Nothing was done", self.title())
                    + "<p>It may have been cut off. Copy it whole from the message.</p>\n"
                    + "<p><a class=\"second\" href=\"/dashboard\">Open the dashboard</a></p>\n"
            }
        }
    }

    /// The answer that shows it.
    pub(super) fn response(self) -> Response<Bytes> {
        let title = self.title();
        let html = format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n\
             <meta name=\"robots\" content=\"noindex\">\n<title>{title}</title>\n\
             <link rel=\"stylesheet\" href=\"{STYLE}\">\n</head>\n<body>\n<main>\n{}</main>\n</body>\n</html>\n",
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
        own_reports::announce(headers);
        response
    }
}

fn message(alert: &Value) -> Message {
    Message::new(&Facts::read(&alert["facts"]), Places::default())
}

fn escaped(text: &str) -> String {
    plain_text::html(&plain_text::line(text), LIMIT)
}

/// A word for how it is, and one sentence.
fn top(class: &str, word: &str, sentence: &str) -> String {
    format!(
        "<p class=\"state {class}\">{word}</p>\n<h1>{}</h1>\n",
        escaped(sentence)
    )
}

fn severity_class(severity: Severity) -> &'static str {
    severity.as_str()
}

/// What a link shows that acts no more: what became of it, and the alert below.
fn ended(alert: &Value, class: &str, title: &str, advice: &str) -> String {
    let message = message(alert);
    let sentence = format!("{}: {}", message.label(), message.headline);
    let headline = match (class, who_has_it(alert)) {
        ("done", Some(who)) => who,
        _ => title.to_owned(),
    };
    top(class, title, &headline)
        + &format!("<p class=\"standing\">{}</p>\n", escaped(&sentence))
        + advice
        + &known(alert, &message)
}

/// `Anna has it until 04:12 UTC`, where somebody has.
fn who_has_it(alert: &Value) -> Option<String> {
    let by = alert["acknowledgedBy"].as_str()?;
    let until: Timestamp = alert["acknowledgedUntil"].as_str()?.parse().ok()?;
    (alert["status"] == "acknowledged")
        .then(|| format!("Acknowledged by {by} until {}", quantities::time(until)))
}

/// Who has it by now, before somebody takes it as well.
fn stands(alert: &Value) -> String {
    match who_has_it(alert) {
        Some(who) => format!("<p class=\"standing\">{}</p>\n", escaped(&who)),
        None => String::new(),
    }
}

/// Everything else about the alert, and where more of it is.
fn known(alert: &Value, message: &Message) -> String {
    let mut html = "<h2>What is known</h2>\n<dl>\n".to_owned();
    let standing = ("Now", standing(alert));
    let fields = message
        .fields
        .iter()
        .map(|field| (field.label, field.value.clone()));
    for (label, value) in fields.chain([standing]) {
        let value = plain_text::html(&plain_text::paragraph(&value), LIMIT).replace('\n', "<br>");
        let _ = writeln!(html, "<dt>{label}</dt><dd>{value}</dd>");
    }
    html.push_str("</dl>\n");
    if let Some(body) = &message.body {
        let body = plain_text::html(&plain_text::paragraph(body), LIMIT).replace('\n', "<br>");
        let _ = writeln!(html, "<p>{body}</p>");
    }
    let (place, words) = on_the_dashboard(alert, &message.facts);
    let _ = writeln!(
        html,
        "<p><a class=\"second\" href=\"/dashboard{place}\">{words}</a></p>"
    );
    html
}

fn on_the_dashboard(alert: &Value, facts: &Facts) -> (String, String) {
    let alert = alert["id"].as_str().and_then(|id| id.parse().ok());
    match (facts.incident_id, facts.incident, facts.alert.or(alert)) {
        (Some(id), Some(number), _) => (
            format!("#incident={id}"),
            format!("Open incident #{number} on the dashboard"),
        ),
        (_, _, Some(id)) => (
            format!("#alert={id}"),
            "Open it on the dashboard".to_owned(),
        ),
        _ => (String::new(), "Open the dashboard".to_owned()),
    }
}

fn standing(alert: &Value) -> String {
    match (alert["status"].as_str(), who_has_it(alert)) {
        (_, Some(who)) => who,
        (Some("resolved"), _) => "Resolved".to_owned(),
        _ if alert["heldBy"].is_object() => "Held, as the consequence of another alert".to_owned(),
        _ => "Nobody has acknowledged it".to_owned(),
    }
}

fn form(alert: &Value, action: LinkAction, token: &str, name: Option<&str>) -> String {
    let token = plain_text::html(token, LIMIT);
    let name = name.map_or_else(String::new, |name| format!(" value=\"{}\"", escaped(name)));
    let (buttons, choice, meaning) = match action {
        LinkAction::Acknowledge => {
            let word = if alert["status"] == "acknowledged" {
                "Take it over"
            } else {
                "Acknowledge"
            };
            (
                format!("<button type=\"submit\" class=\"act\">{word}</button>\n"),
                scopes(alert, &[Scope::Alert, Scope::Incident]),
                "Nobody else is called while you are at it. If it is not resolved in time, it fires again.",
            )
        }
        LinkAction::Snooze => (
            snoozes(),
            scopes(alert, &Scope::ALL.map(|(scope, _)| scope)) + &beginnings(),
            "Nobody is called until then. If it is not resolved by then, it fires again.",
        ),
    };
    format!(
        "<form method=\"post\" action=\"/api/alerts/acknowledge\">\n\
         <input type=\"hidden\" name=\"token\" value=\"{token}\">\n{buttons}\
         <p class=\"meaning\">{meaning}</p>\n\
         <label>Your name, which this device remembers <input name=\"name\" maxlength=\"100\" autocomplete=\"name\"{name}></label>\n\
         <label>Note <input name=\"note\" maxlength=\"500\" autocomplete=\"off\"></label>\n{choice}</form>\n"
    )
}

/// The second choice.
fn instead(action: LinkAction, other: Option<&str>) -> String {
    let Some(token) = other else {
        return String::new();
    };
    let words = match action {
        LinkAction::Acknowledge => "Snooze it instead",
        LinkAction::Snooze => "Acknowledge it instead",
    };
    format!(
        "<p><a class=\"second\" href=\"/api/alerts/acknowledge?token={}\">{words}</a></p>\n",
        plain_text::html(token, LIMIT)
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
    format!("<label>About <select name=\"scope\">{options}</select></label>\n")
}

/// When a silence begins; an alert that is snoozed is snoozed at once.
fn beginnings() -> String {
    let later = BEGINNINGS.map(|minutes| {
        let hours = minutes / 60;
        format!("<option value=\"{minutes}\">in {hours} h</option>")
    });
    let later = later.concat();
    format!(
        "<label>A silence begins <select name=\"in\"><option value=\"0\">now</option>{later}</select></label>\n"
    )
}

/// A press chooses how long: the shortest is the large one.
fn snoozes() -> String {
    let [(first, words), others @ ..] = SNOOZES;
    let others = others.map(|(minutes, words)| {
        format!("<button type=\"submit\" name=\"minutes\" value=\"{minutes}\">{words}</button>")
    });
    format!(
        "<button type=\"submit\" class=\"act\" name=\"minutes\" value=\"{first}\">Snooze for {words}</button>\n\
         <div class=\"others\">{}</div>\n",
        others.concat()
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

    fn alert() -> Value {
        json!({
            "id": uuid::Uuid::from_u128(7),
            "status": "acknowledged", "acknowledgedBy": "<b>Anna\u{202e}", "acknowledgedUntil": "2026-11-24T04:12:00Z",
            "facts": {"rule": "external", "severity": "critical", "kind": "firing", "subject": "x", "incident": 3,
                      "incidentId": uuid::Uuid::from_u128(3), "service": "<i>cellar",
                      "title": "<script>alert(1)</script>", "message": "</dl><form action=x>\u{2066}",
                      "since": "2026-11-24T03:12:00Z"},
        })
    }

    fn html(page: Page<'_>) -> String {
        String::from_utf8(page.response().into_body().to_vec()).unwrap()
    }

    fn ask(alert: &Value, action: LinkAction) -> Page<'_> {
        Page::Ask {
            alert,
            action,
            token: "t",
            other: Some("o"),
            name: Some("Anna \"\u{202e}<script>"),
        }
    }

    fn pages(alert: &Value) -> [Page<'_>; 7] {
        [
            ask(alert, LinkAction::Acknowledge),
            ask(alert, LinkAction::Snooze),
            Page::Done { alert },
            Page::Resolved { alert },
            Page::Used { alert },
            Page::Expired { alert },
            Page::Invalid,
        ]
    }

    #[test]
    fn what_others_wrote_stays_text() {
        let alert = alert();
        let hostile = Page::Ask {
            alert: &alert,
            action: LinkAction::Snooze,
            token: "\"><script>",
            other: Some("\"><script>"),
            name: Some("\"><script>"),
        };
        for page in pages(&alert).into_iter().chain([hostile]) {
            let html = html(page);
            for raw in [
                "<script",
                "<b>",
                "<i>",
                "</dl><form",
                "\u{202e}",
                "\u{2066}",
            ] {
                assert!(!html.contains(raw), "{raw} in {html}");
            }
            let is_about_it = !matches!(page, Page::Invalid);
            assert_eq!(html.contains("&lt;script&gt;"), is_about_it, "{html}");
        }
    }

    #[test]
    fn one_large_button_comes_first_and_the_other_choice_second() {
        let mut alert = alert();
        for (status, word) in [("firing", "Acknowledge"), ("acknowledged", "Take it over")] {
            alert["status"] = json!(status);
            let html = html(ask(&alert, LinkAction::Acknowledge));
            let places = [
                "<h1>",
                &format!("class=\"act\">{word}</button>"),
                "name=\"name\"",
                "?token=o\">Snooze it instead",
                "What is known",
                "/dashboard#incident=00000000-0000-0000-0000-000000000003",
            ]
            .map(|part| {
                html.find(part)
                    .unwrap_or_else(|| panic!("{part} in {html}"))
            });
            assert!(places.is_sorted(), "{places:?}");
            assert_eq!(html.matches("class=\"act\"").count(), 1);
        }
        let html = html(ask(&alert, LinkAction::Snooze));
        assert_eq!(html.matches("name=\"minutes\"").count(), SNOOZES.len());
        assert!(html.contains("Acknowledge it instead"));
    }

    #[test]
    fn a_name_that_is_known_is_filled_in() {
        let alert = alert();
        let html = html(ask(&alert, LinkAction::Acknowledge));
        assert!(
            html.contains("value=\"Anna &quot;&lt;script&gt;\""),
            "{html}"
        );
    }

    #[test]
    fn whoever_presses_twice_sees_that_once_was_enough() {
        let mut alert = alert();
        let used = html(Page::Used { alert: &alert });
        assert!(used.contains("state done"), "{used}");
        assert!(used.contains("<h1>Acknowledged by &lt;b&gt;Anna until 2026-11-24 04:12 UTC</h1>"));
        alert["status"] = json!("firing");
        let used = html(Page::Used { alert: &alert });
        assert!(
            used.contains("state over") && used.contains("newer message"),
            "{used}"
        );
    }

    #[test]
    fn the_pages_need_nothing_that_the_policy_forbids() {
        let alert = alert();
        for page in pages(&alert) {
            let html = html(page);
            for inline in ["<style", " style=", "onclick", "http://", "https://"] {
                assert!(!html.contains(inline), "{inline}");
            }
        }
        let platform = std::fs::read_to_string(format!("{ROOT}/vercel.json")).unwrap();
        assert!(
            platform.contains(POLICY),
            "vercel.json sends another policy"
        );
    }

    #[test]
    fn its_style_is_served_and_has_a_rule_for_every_class() {
        let served = std::fs::read_to_string(format!("{ROOT}/public{STYLE}")).unwrap();
        let alert = alert();
        for page in pages(&alert) {
            let html = html(page);
            let classes = html.split("class=\"").skip(1);
            for class in classes.flat_map(|rest| rest.split('"').next().unwrap().split(' ')) {
                assert!(served.contains(&format!(".{class}")), "{class}");
            }
        }
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
