//! `/_local/`: the same as a page, so that a newcomer breaks a service by a button and sees
//! what people are told. It works without script.

use std::{collections::BTreeMap, fmt::Write};

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use serde::Serialize;

use crate::{
    answer,
    capture::Message,
    fault::{Fault, Mode, Service},
};

/// Where the page is.
pub(super) const PATH: &str = "/_local/";

/// How many messages it shows, the newest first.
const SHOWN: usize = 20;

/// What its buttons do, in the words that stand on them.
const BUTTONS: [(&str, Mode); 5] = [
    ("Turn off", Mode::Refuse),
    ("Hang", Mode::Hang),
    ("Slow", Mode::Slow),
    ("Errors", Mode::Status),
    ("Heal", Mode::Ok),
];

const STYLE: &str = "\
:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}\
body{max-width:60rem;margin:2rem auto;padding:0 1rem}\
table{border-collapse:collapse;width:100%}\
td,th{text-align:left;vertical-align:top;padding:.4rem .8rem .4rem 0;border-bottom:1px solid #8884}\
form{display:inline}button{font:inherit;padding:.2rem .6rem;min-height:2rem}\
pre{white-space:pre-wrap;overflow-wrap:anywhere;margin:0;font:inherit}\
.broken{font-weight:600}";

/// The page.
pub(super) fn show(faults: &BTreeMap<Service, Fault>, messages: &[Message]) -> Response<Bytes> {
    let mut page = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>Local stack</title><style>{STYLE}</style></head><body>\
         <h1>Local stack</h1>\
         <p>Break something, and watch what happens on the <a href=\"/dashboard\">dashboard</a>, on the \
         <a href=\"/status\">status page</a> and in the inbox below. The app is looked at every minute, \
         and an alert opens after three bad looks.</p><h2>Services</h2><table>"
    );
    for (service, fault) in faults {
        row(&mut page, *service, *fault);
    }
    page.push_str("</table><h2>Inbox</h2>");
    inbox(&mut page, messages);
    page.push_str("</body></html>");
    answer::with_type(StatusCode::OK, "text/html; charset=utf-8", page.into())
}

/// Back to the page, after a button.
pub(super) fn again() -> Response<Bytes> {
    let mut response = answer::empty(StatusCode::SEE_OTHER);
    response
        .headers_mut()
        .insert(header::LOCATION, HeaderValue::from_static(PATH));
    response
}

fn row(page: &mut String, service: Service, fault: Fault) {
    let name = word(&service);
    let state = match fault.mode {
        Mode::Ok => "works",
        Mode::Refuse => "turned off",
        Mode::Hang => "hangs",
        Mode::Slow => "slow",
        Mode::Status => "answers with errors",
    };
    let class = if fault.mode == Mode::Ok { "" } else { "broken" };
    let _ = write!(
        page,
        "<tr><th scope=\"row\">{name}</th><td class=\"{class}\">{state}</td><td>"
    );
    for (label, mode) in BUTTONS {
        if mode != fault.mode {
            let mode = word(&mode);
            let _ = write!(
                page,
                "<form method=\"post\" action=\"/_local/faults\">\
                 <input type=\"hidden\" name=\"service\" value=\"{name}\">\
                 <button name=\"mode\" value=\"{mode}\" aria-label=\"{label}: {name}\">{label}</button></form> "
            );
        }
    }
    page.push_str("</td></tr>");
}

fn inbox(page: &mut String, messages: &[Message]) {
    if messages.is_empty() {
        page.push_str("<p>Nobody was told anything yet.</p>");
        return;
    }
    page.push_str("<table>");
    for message in messages.iter().rev().take(SHOWN) {
        let _ = write!(
            page,
            "<tr><td>{}<br>{:.0}</td><td><b>{}</b><br>{}<pre>{}</pre></td></tr>",
            word(&message.channel),
            message.at,
            escaped(message.subject.as_deref().unwrap_or_default()),
            escaped(&message.to),
            escaped(&message.text),
        );
    }
    page.push_str("</table>");
}

/// A word as scripts write it.
fn word<T: Serialize>(named: &T) -> String {
    let value = serde_json::to_value(named).unwrap_or_default();
    escaped(value.as_str().unwrap_or_default())
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
