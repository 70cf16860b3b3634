//! Reads the calendars whose time has come, and tells the database what each one
//! says, or why it could not be read. An address may be a secret: it is neither
//! logged nor told.

use std::time::Duration;

use futures_util::future::join_all;
use http::{StatusCode, header};
use jiff::{Timestamp, ToSpan, civil};
use outside::{
    clock::Deadline, failure::Failure, outbound, reach::Reach, secure_url, tls::Credentials,
};
use reqwest::Response;
use serde::{Deserialize, Serialize, de::IgnoredAny};
use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;

use super::icalendar::{self, Unreadable};
use crate::{
    app::App,
    rpc::{Call, Retry, RpcError},
};

/// The largest calendar that is read, in bytes.
const LIMIT: usize = 1024 * 1024;

/// How long reading one may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often an address may send on to another one.
const REDIRECTS: usize = 3;

#[derive(Debug, Serialize)]
struct ClaimCalendars {}

#[derive(Debug, Deserialize)]
struct Claimed {
    calendars: Vec<Calendar>,
    /// The days that are asked for begin with this time's.
    from: Timestamp,
    /// How many they are.
    days: i64,
}

impl Call for ClaimCalendars {
    const NAME: &'static str = "ops_claim_calendars";
    // What was claimed and not read is claimed again by a later run.
    const RETRY: Retry = Retry::Never;
    type Output = Claimed;
}

/// A calendar to read.
#[derive(Debug, Deserialize)]
struct Calendar {
    rotation: Uuid,
    url: String,
}

#[derive(Debug, Serialize)]
struct StoreCalendar {
    p_rotation: Uuid,
    p_url: String,
    p_reading: Value,
}

impl Call for StoreCalendar {
    const NAME: &'static str = "ops_store_calendar";
    // The same reading again changes nothing.
    const RETRY: Retry = Retry::Idempotent;
    type Output = IgnoredAny;
}

/// What became of the calendars whose time had come.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// How many were read.
    pub read: usize,
    /// How many could not be read or stored; their last entries stay in force.
    pub failed: usize,
}

/// Why a calendar has not been read.
#[derive(Debug, thiserror::Error)]
enum Unread {
    #[error("its address is not one that is read")]
    Address,
    #[error("{}", .0.as_str())]
    Unreachable(#[from] Failure),
    #[error("HTTP {}", .0.as_u16())]
    Refused(StatusCode),
    #[error("it sends on too often")]
    Redirects,
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
}

/// Reads every calendar whose time has come.
///
/// # Errors
/// When the database cannot say which ones.
pub async fn read_calendars(app: &App, deadline: Deadline) -> Result<Report, RpcError> {
    let claimed = app.call(&ClaimCalendars {}, deadline).await?;
    let from = date(claimed.from);
    let to = from.checked_add(claimed.days.days()).unwrap_or(from);
    let calendars = claimed.calendars.iter();
    let all = calendars.map(|calendar| Box::pin(read(app, calendar, (from, to), deadline)));
    let outcomes = join_all(all).await;
    let read = outcomes.iter().filter(|read| **read).count();
    Ok(Report {
        read,
        failed: outcomes.len() - read,
    })
}

fn date(time: Timestamp) -> civil::Date {
    jiff::tz::Offset::UTC.to_datetime(time).date()
}

/// Whether one was read and stored.
async fn read(
    app: &App,
    calendar: &Calendar,
    (from, to): (civil::Date, civil::Date),
    deadline: Deadline,
) -> bool {
    let text = fetch(app, &calendar.url, deadline.within(PATIENCE)).await;
    let reading = text.and_then(|text| Ok(icalendar::read(&text, from, to)?));
    if let Err(error) = &reading {
        tracing::warn!(%error, rotation = %calendar.rotation, "a calendar cannot be read");
    }
    let call = StoreCalendar {
        p_rotation: calendar.rotation,
        p_url: calendar.url.clone(),
        p_reading: match &reading {
            Ok(reading) => json!(reading),
            Err(error) => json!({ "error": error.to_string() }),
        },
    };
    match app.call(&call, deadline).await {
        Ok(_) => reading.is_ok(),
        Err(error) => {
            tracing::error!(%error, rotation = %calendar.rotation, "a calendar cannot be stored");
            false
        }
    }
}

async fn fetch(app: &App, address: &str, deadline: Deadline) -> Result<String, Unread> {
    let reach = if app.config.is_local() {
        Reach::Loopback
    } else {
        Reach::Public
    };
    let mut url = secure_url::parse(address).map_err(|_| Unread::Address)?;
    for _ in 0..=REDIRECTS {
        let response = ask(app, &url, reach, deadline).await?;
        if let Some(next) = next(&url, &response) {
            url = next;
            continue;
        }
        if !response.status().is_success() {
            return Err(Unread::Refused(response.status()));
        }
        let body = outbound::body(response, LIMIT).await?;
        return Ok(String::from_utf8_lossy(&body).into_owned());
    }
    Err(Unread::Redirects)
}

async fn ask(app: &App, url: &Url, reach: Reach, deadline: Deadline) -> Result<Response, Unread> {
    reach.check(url)?;
    let (client, _) = app.outbound.look(reach, Credentials::default())?;
    let request = client
        .get(url.clone())
        .header(header::ACCEPT, "text/calendar")
        .timeout(deadline.remaining());
    let response = request.send().await;
    Ok(response.map_err(|error| Failure::of(&error))?)
}

/// Where an answer sends on to, if it does, and if that is an address that is read.
fn next(url: &Url, response: &Response) -> Option<Url> {
    let location = response.headers().get(header::LOCATION)?.to_str().ok()?;
    let next = url.join(location).ok()?;
    let sends_on = response.status().is_redirection();
    (sends_on && (next.scheme() == "https" || next.scheme() == url.scheme())).then_some(next)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake_server::{self, Received, Reply, Server};

    const CALENDAR: &str = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:Ada\r\nDTSTART:20261124\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

    /// Reads one calendar that answers so; returns what the database was told of it.
    async fn told(reply: Reply) -> Value {
        let feed = Server::start([reply]).await;
        let url = feed.url("/secret.ics");
        told_of(&url).await
    }

    async fn told_of(url: &str) -> Value {
        let address = url.to_owned();
        let database = Server::answering(move |request: &Received| {
            let answer = if request.head.contains("ops_claim_calendars") {
                json!({
                    "calendars": [{"rotation": Uuid::nil(), "url": address, "zone": "UTC"}],
                    "from": "2026-11-23T12:00:00Z", "days": 62,
                })
            } else {
                json!({"stored": true})
            };
            Reply::new(200, &answer.to_string())
        })
        .await;
        let app = fake_server::app(&[
            ("SUPABASE_URL", &database.url("")),
            ("SUPABASE_SECRET_KEY", "sb_secret_x"),
        ]);
        let deadline = Deadline::after(Duration::from_secs(10));
        let report = read_calendars(&app, deadline).await.unwrap();
        let requests = database.requests();
        let stored = requests.last().unwrap().json();
        let failed = usize::from(stored["p_reading"]["error"].is_string());
        assert_eq!(
            report,
            Report {
                read: 1 - failed,
                failed
            }
        );
        assert_eq!(stored["p_url"], url);
        stored["p_reading"].clone()
    }

    #[tokio::test]
    async fn what_a_calendar_says_is_stored() {
        let read = told(Reply::new(200, CALENDAR)).await;
        assert_eq!(read["events"][0]["summary"], "Ada");
        assert_eq!(read["leftOut"], json!([]));
    }

    #[tokio::test]
    async fn why_one_cannot_be_read_is_stored_without_its_address() {
        let huge = format!("BEGIN:VCALENDAR\r\n{}", "X:\r\n".repeat(LIMIT / 4));
        for (reply, expected) in [
            (Reply::new(404, "gone"), "HTTP 404"),
            (
                Reply::new(200, "<html>Sign in</html>"),
                "what it answers is no calendar",
            ),
            (Reply::new(200, &CALENDAR[..40]), "the calendar is cut off"),
            (Reply::new(200, &huge), "too_large"),
        ] {
            assert_eq!(told(reply).await, json!({ "error": expected }));
        }
        for (url, expected) in [
            (
                "http://192.0.2.1/secret.ics",
                "its address is not one that is read",
            ),
            ("https://10.0.0.1/secret.ics", "private_address"),
        ] {
            assert_eq!(told_of(url).await, json!({ "error": expected }));
        }
    }

    #[tokio::test]
    async fn an_address_may_send_on() {
        let target = Server::start([Reply::new(200, CALENDAR)]).await;
        let location = format!("Location: {}", target.url("/there"));
        let read = told(Reply::new(302, "").header(&location)).await;
        assert_eq!(read["events"][0]["summary"], "Ada");
    }
}
