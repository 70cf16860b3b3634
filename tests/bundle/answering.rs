//! Alerts that ask for somebody, and the links by which they are answered.

use http::{Method, StatusCode, Uri};
use local_supabase::capture::{Channel, answers::CallBack};
use ops::{endpoint::Endpoint, function::Function};
use serde_json::{Value, json};
use url::Url;

use crate::support::{Answer, Bundle, call, get};

pub(crate) const PATH: &str = "/api/alerts/acknowledge";

const FORM: &str = "application/x-www-form-urlencoded";

/// Raises a critical alert through the door for outside alerts; returns its id.
pub(crate) async fn raise(bundle: &Bundle, subject: &str, status: &str) -> String {
    let body = json!({
        "status": status, "source": "ci", "type": "system", "severity": "critical",
        "title": "The cellar is <b>warm</b>", "subject": subject,
    });
    let app = bundle.instance(Endpoint::Dispatch);
    let answer = call(&app, Method::POST, "/api/alerts/dispatch")
        .bearer(bundle.secret("MONITORING_API_KEY"))
        .header("content-type", "application/json")
        .body(body.to_string())
        .send()
        .await;
    assert_eq!(answer.status, StatusCode::OK, "{:?}", answer.bytes);
    answer.json()["results"][0]["alert"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// What is done about a request that a provider makes.
pub(crate) async fn called_back(bundle: &Bundle, called: CallBack) -> Answer {
    let url: Uri = called.url.parse().unwrap();
    let app = bundle.instance(Endpoint::Acknowledge);
    let request = call(&app, Method::POST, url.path_and_query().unwrap().as_str());
    let headers = called.headers.iter();
    headers
        .fold(request, |request, (name, value)| {
            request.header(name, value)
        })
        .body(called.body)
        .send()
        .await
}

/// Delivers, as the schedule does.
pub(crate) async fn dispatch(bundle: &Bundle) -> Value {
    let app = bundle.instance(Endpoint::Dispatch);
    let answer = get(&app, "/api/alerts/dispatch")
        .bearer(bundle.secret("MONITORING_API_KEY"))
        .send()
        .await;
    assert_eq!(answer.status, StatusCode::OK, "{:?}", answer.bytes);
    answer.json()
}

/// The path and query of a link in the newest email.
pub(crate) fn link(bundle: &Bundle, label: &str) -> String {
    let messages = bundle.stack.inbox().messages();
    let email = messages
        .iter()
        .rev()
        .find(|message| message.channel == Channel::Email)
        .expect("an email");
    let text = email.raw["text"].as_str().unwrap();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(&format!("{label}: ")))
        .unwrap_or_else(|| panic!("no {label} in {text}"));
    let url: Url = line.parse().unwrap();
    assert_eq!(url.host_str(), Some("ops.wine.example"));
    format!("{}?{}", url.path(), url.query().unwrap())
}

fn token(link: &str) -> &str {
    link.split_once("token=").unwrap().1
}

pub(crate) async fn press(app: &Function, link: &str, fields: &str) -> Answer {
    call(app, Method::POST, PATH)
        .header("content-type", FORM)
        .body(format!("token={}{fields}", token(link)))
        .send()
        .await
}
